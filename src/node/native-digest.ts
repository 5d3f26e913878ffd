/** Digests by the platform's own library, which takes a third of the time; long ones on a thread, while the guest runs. */
import { createHash } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { bytesOf, contentsOf, type Sha384, useSha384 } from '../digest/index.ts';
import { DigestThread } from './digest-thread.ts';

export const nativeSha384: Sha384 = (pieces) => {
  const hash = createHash('sha384');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
};

/** With less content, starting a thread costs more than it saves, or handing it over to one that has started. */
const WORTH_A_THREAD_BYTES = 20 << 20;
const WORTH_A_MESSAGE_BYTES = 1 << 20;

/** @param worker a thread that has been started already */
export function useNativeDigests(worker?: Worker): void {
  let thread = worker && new DigestThread(nativeSha384, worker);
  useSha384({
    hash: nativeSha384,
    begin: (hashed) => {
      const contents = contentsOf(hashed);
      const bytes = contents.reduce((sum, { length }) => sum + length, 0);
      const isShared = contents.every(({ buffer }) => buffer instanceof SharedArrayBuffer);
      const worth = thread === undefined ? WORTH_A_THREAD_BYTES : WORTH_A_MESSAGE_BYTES;
      if (!isShared || bytes < worth) return () => nativeSha384(bytesOf(hashed));
      thread ??= new DigestThread(nativeSha384);
      return thread.begin(hashed);
    },
    buffer: (bytes) => new SharedArrayBuffer(bytes),
  });
}
