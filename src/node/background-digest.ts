/** Digests by the background thread. Nobody waits for a thread that does not work: what it should have done is then done here. */
import { bytesOf, contentsOf, type Hashed, type LabelledStream, type Sha384 } from '../digest/index.ts';
import type { BackgroundThread } from './background-thread.ts';
import { nativeSha384 } from './native-sha384.ts';
import { UserFile, type UserFileName } from './user-file.ts';

/** Words of the shared answer: how far the thread is, then the digest. */
const DigestState = { Asked: 0, Begun: 1, Done: 2, Failed: 3 } as const;
const DIGEST_BYTES = 48;
/** A thread that has not begun when the digest has been waited for so long never will. */
const PATIENCE_MILLISECONDS = 5000;

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

/**
 * Begins, when what was asked before is done; the result gives the digest, and waits for it if it must.
 * @param hash what does it here if the thread does not
 */
export function beginDigest(
  thread: BackgroundThread,
  hashed: Shareable,
  hash: Sha384 = nativeSha384,
  patienceMilliseconds = PATIENCE_MILLISECONDS,
): () => Uint8Array<ArrayBuffer> {
  const answer = new SharedArrayBuffer(4 + DIGEST_BYTES);
  const state = new Int32Array(answer, 0, 1);
  thread.begin();
  thread.add(() => ({ hashed: hashed instanceof UserFile ? hashed.file : hashed, answer }));
  return () => {
    const waited = Atomics.wait(state, 0, DigestState.Asked, patienceMilliseconds);
    Atomics.wait(state, 0, DigestState.Begun);
    if (waited === 'timed-out' || Atomics.load(state, 0) === DigestState.Failed) return hash(bytesOf(hashed));
    return new Uint8Array(answer, 4).slice() as Uint8Array<ArrayBuffer>;
  };
}

/** The thread's side. */
export function answerDigest({ hashed, answer }: DigestRequest): void {
  const state = new Int32Array(answer, 0, 1);
  const tell = (value: number): void => {
    Atomics.store(state, 0, value);
    Atomics.notify(state, 0);
  };
  tell(DigestState.Begun);
  try {
    new Uint8Array(answer, 4).set(nativeSha384(bytesOf('path' in hashed ? new UserFile(hashed) : hashed)));
    tell(DigestState.Done);
  } catch {
    tell(DigestState.Failed); // and who waits finds out why
  }
}
