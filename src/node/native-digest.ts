/** Digests by the platform's own library, which takes a third of the time; long ones on a thread, while the guest runs. */
import { createHash } from 'node:crypto';
import { bytesOf, type Sha384, useSha384 } from '../digest/index.ts';
import { beginOnThread } from './digest-thread.ts';

export const nativeSha384: Sha384 = (pieces) => {
  const hash = createHash('sha384');
  for (const piece of pieces) hash.update(piece);
  return new Uint8Array(hash.digest());
};

/** With less content, a thread costs more than it saves. */
const WORTH_A_THREAD_BYTES = 20 << 20;

/** In hex. */
export const sha384Of = (bytes: Uint8Array): string => createHash('sha384').update(bytes).digest('hex');

export function useNativeDigests(): void {
  useSha384({
    hash: nativeSha384,
    begin: (stream) => {
      const bytes = stream.parts.reduce((sum, { content }) => sum + content.length, 0);
      return bytes < WORTH_A_THREAD_BYTES ? () => nativeSha384(bytesOf(stream)) : beginOnThread(stream, nativeSha384);
    },
    buffer: (bytes) => new SharedArrayBuffer(bytes),
  });
}
