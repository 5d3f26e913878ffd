/** Hashes on a thread of its own. Nobody waits for a thread that does not work: what it should have done is then done here. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bytesOf, type Hashed, type Sha384 } from '../digest/index.ts';

/** Words of the shared answer: how far the thread is, then the digest. */
export const DigestState = { Asked: 0, Begun: 1, Done: 2 } as const;
const DIGEST_BYTES = 48;
const SCRIPT = join(import.meta.dirname, 'digest-thread-main.js');

/** What the thread is asked: what to hash, in shared memory, and where the answer goes. */
export interface DigestRequest {
  readonly hashed: Hashed;
  readonly answer: SharedArrayBuffer;
}

export class DigestThread {
  readonly #worker: Worker;
  readonly #hash: Sha384;
  readonly #patienceMilliseconds: number;

  /**
   * @param hash what does it here if the thread does not begin
   * @param script what the thread runs
   * @param patienceMilliseconds a thread that has not begun when the digest has been waited for so long never will
   */
  constructor(hash: Sha384, script: string | URL = SCRIPT, patienceMilliseconds = 5000) {
    this.#hash = hash;
    this.#patienceMilliseconds = patienceMilliseconds;
    this.#worker = new Worker(script);
    this.#worker.on('error', () => {}); // seen by its silence
    this.#worker.unref();
  }

  /** Begins, when what was asked before is done; the result gives the digest, and waits for it if it must. */
  begin(hashed: Hashed): () => Uint8Array<ArrayBuffer> {
    const answer = new SharedArrayBuffer(4 + DIGEST_BYTES);
    const state = new Int32Array(answer, 0, 1);
    this.#worker.postMessage({ hashed, answer } satisfies DigestRequest);
    return () => {
      const waited = Atomics.wait(state, 0, DigestState.Asked, this.#patienceMilliseconds);
      if (waited === 'timed-out') return this.#hash(bytesOf(hashed));
      Atomics.wait(state, 0, DigestState.Begun);
      return new Uint8Array(answer, 4).slice() as Uint8Array<ArrayBuffer>;
    };
  }
}
