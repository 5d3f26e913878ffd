/** Hashes on a thread of its own. Nobody waits for a thread that does not work: what it should have done is then done here. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bytesOf, contentsOf, type Hashed, type LabelledStream, type Sha384 } from '../digest/index.ts';
import { UserFile, type UserFileName } from './user-file.ts';

/** Words of the shared answer: how far the thread is, then the digest. */
export const DigestState = { Asked: 0, Begun: 1, Done: 2, Failed: 3 } as const;
const DIGEST_BYTES = 48;
const SCRIPT = join(import.meta.dirname, 'digest-thread-main.js');

/** What a thread can have: what lies in shared memory, and files, which it reads itself. */
export type Shareable = LabelledStream | Uint8Array | UserFile;

export function isShareable(hashed: Hashed): hashed is Shareable {
  const isShared = (each: unknown) => each instanceof Uint8Array && each.buffer instanceof SharedArrayBuffer;
  return hashed instanceof UserFile || contentsOf(hashed).every(isShared);
}

/** What the thread is asked: what to hash, and where the answer goes. */
export interface DigestRequest {
  readonly hashed: LabelledStream | Uint8Array | UserFileName;
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
  begin(hashed: Shareable): () => Uint8Array<ArrayBuffer> {
    const answer = new SharedArrayBuffer(4 + DIGEST_BYTES);
    const state = new Int32Array(answer, 0, 1);
    const request: DigestRequest = { hashed: hashed instanceof UserFile ? hashed.file : hashed, answer };
    this.#worker.postMessage(request);
    return () => {
      const waited = Atomics.wait(state, 0, DigestState.Asked, this.#patienceMilliseconds);
      Atomics.wait(state, 0, DigestState.Begun);
      if (waited === 'timed-out' || Atomics.load(state, 0) === DigestState.Failed) return this.#hash(bytesOf(hashed));
      return new Uint8Array(answer, 4).slice() as Uint8Array<ArrayBuffer>;
    };
  }
}
