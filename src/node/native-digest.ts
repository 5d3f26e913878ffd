/** Digests by the platform's own library, which takes a third of the time; long ones on a thread, while the TD is built and runs. */
import { createHash } from 'node:crypto';
import { bytesOf, contentsOf, type Sha384, useSha384 } from '../digest/index.ts';
import { DigestThread, isShareable } from './digest-thread.ts';

export const nativeSha384: Sha384 = (pieces) => {
  const hash = createHash('sha384');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
};

/** With less content, a thread costs more than it saves. */
const WORTH_A_THREAD_BYTES = 20 << 20;

export function useNativeDigests(): void {
  let thread: DigestThread | undefined;
  useSha384({
    hash: nativeSha384,
    begin: (hashed) => {
      const bytes = contentsOf(hashed).reduce((sum, { length }) => sum + length, 0);
      if (!isShareable(hashed) || bytes < WORTH_A_THREAD_BYTES) return () => nativeSha384(bytesOf(hashed));
      thread ??= new DigestThread(nativeSha384);
      return thread.begin(hashed);
    },
    // where there is no thread yet, nothing that is long was asked for
    buffer: (bytes) => (thread === undefined ? Buffer.allocUnsafeSlow(bytes).buffer : new SharedArrayBuffer(bytes)),
  });
}
