/** Digests that must be fast; the others come from a library. */
export { SHA384_BLOCK_BYTES, type Sha384, sha384, useSha384 } from './sha384.ts';
