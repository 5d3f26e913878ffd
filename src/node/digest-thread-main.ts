/** The thread behind `DigestThread`. */
import { parentPort } from 'node:worker_threads';
import { bytesOf } from '../digest/index.ts';
import { type DigestRequest, DigestState } from './digest-thread.ts';
import { nativeSha384 } from './native-digest.ts';
import { stepBack } from './thread-priority.ts';
import { UserFile } from './user-file.ts';

stepBack();
parentPort!.on('message', ({ hashed, answer }: DigestRequest) => {
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
});
