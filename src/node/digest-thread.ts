/** Hashes on a thread of its own. Nobody waits for a thread that does not work: what it should have done is then done here. */
import { Worker } from 'node:worker_threads';
import { bytesOf, type LabelledStream, type Sha384 } from '../digest/index.ts';

/** Words of the shared answer: how far the thread is, then the digest. */
export const DigestState = { Asked: 0, Begun: 1, Done: 2 } as const;
const DIGEST_BYTES = 48;

/** What the thread starts with: a stream in shared memory, and where the answer goes. */
export interface DigestThreadData {
  readonly stream: LabelledStream;
  readonly answer: SharedArrayBuffer;
}

/**
 * Begins; the result gives the digest, and waits for it if it must.
 * @param hash what does it here if the thread does not begin
 * @param script what the thread runs
 * @param patienceMilliseconds a thread that has not begun when the digest has been waited for so long never will
 */
export function beginOnThread(
  stream: LabelledStream,
  hash: Sha384,
  script = new URL('./digest-thread-main.js', import.meta.url),
  patienceMilliseconds = 5000,
): () => Uint8Array<ArrayBuffer> {
  const answer = new SharedArrayBuffer(4 + DIGEST_BYTES);
  const state = new Int32Array(answer, 0, 1);
  const workerData: DigestThreadData = { stream, answer };
  const worker = new Worker(script, { workerData });
  worker.on('error', () => {}); // seen by its silence
  worker.unref();
  return () => {
    if (Atomics.wait(state, 0, DigestState.Asked, patienceMilliseconds) === 'timed-out') return hash(bytesOf(stream));
    Atomics.wait(state, 0, DigestState.Begun);
    return new Uint8Array(answer, 4).slice() as Uint8Array<ArrayBuffer>;
  };
}
