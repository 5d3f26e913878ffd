/** The thread behind `DigestThread`. */
import { parentPort } from 'node:worker_threads';
import { bytesOf } from '../digest/index.ts';
import { type DigestRequest, DigestState } from './digest-thread.ts';
import { nativeSha384 } from './native-digest.ts';
import { stepBack } from './thread-priority.ts';

stepBack();
parentPort!.on('message', ({ hashed, answer }: DigestRequest) => {
  const state = new Int32Array(answer, 0, 1);
  const tell = (value: number): void => {
    Atomics.store(state, 0, value);
    Atomics.notify(state, 0);
  };
  tell(DigestState.Begun);
  new Uint8Array(answer, 4).set(nativeSha384(bytesOf(hashed)));
  tell(DigestState.Done);
});
