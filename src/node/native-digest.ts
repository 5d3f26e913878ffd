/** Digests by the platform's own library, which takes a third of the time; long ones on a thread, while the TD is built and runs. */
import { createHash } from 'node:crypto';
import { bytesOf, contentsOf, type Hashed, type Sha384, useSha384 } from '../digest/index.ts';
import { DigestThread, isShareable } from './digest-thread.ts';
import { keptDigest } from './kept-digests.ts';
import { UserFile } from './user-file.ts';

export const nativeSha384: Sha384 = (pieces) => {
  const hash = createHash('sha384');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
};

/** With less content, a thread costs more than it saves. */
const WORTH_A_THREAD_BYTES = 20 << 20;

export function useNativeDigests(): void {
  let thread: DigestThread | undefined;
  /** what has been asked for tells how much memory will be measured: a long kernel is loaded */
  let longestBytes = 0;
  const begin = (hashed: Hashed) => {
    const bytes = contentsOf(hashed).reduce((sum, { length }) => sum + length, 0);
    longestBytes = Math.max(longestBytes, bytes);
    return () => {
      if (!isShareable(hashed) || bytes < WORTH_A_THREAD_BYTES) return () => nativeSha384(bytesOf(hashed));
      thread ??= new DigestThread(nativeSha384);
      return thread.begin(hashed);
    };
  };
  useSha384({
    hash: nativeSha384,
    begin: (hashed) => (hashed instanceof UserFile ? keptDigest(hashed.file.path, begin(hashed)) : begin(hashed)()),
    buffer: (bytes) =>
      longestBytes < WORTH_A_THREAD_BYTES ? Buffer.allocUnsafeSlow(bytes).buffer : new SharedArrayBuffer(bytes),
  });
}
