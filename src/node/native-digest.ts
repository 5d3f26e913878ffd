/** Digests by the platform's own library, which takes a third of the time. */
import { createHash } from 'node:crypto';
import { useSha384 } from '../digest/index.ts';

/** In hex. */
export const sha384Of = (bytes: Uint8Array): string => createHash('sha384').update(bytes).digest('hex');

export function useNativeDigests(): void {
  useSha384((pieces) => {
    const hash = createHash('sha384');
    for (const piece of pieces) hash.update(piece);
    return new Uint8Array(hash.digest());
  });
}
