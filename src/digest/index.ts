/** Digests that must be fast; the others come from a library. */
export {
  bytesOf,
  contentsOf,
  type Hashed,
  LABEL_BYTES,
  type Label,
  type LabelledPart,
  type LabelledStream,
  ROW_NUMBERS,
} from './labelled-stream.ts';
export {
  beginSha384,
  SHA384_BLOCK_BYTES,
  type Sha384,
  type Sha384Platform,
  sha384,
  sha384Buffer,
  useSha384,
} from './sha384.ts';
