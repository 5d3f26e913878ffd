/** The thread behind `beginOnThread`. */
import { workerData } from 'node:worker_threads';
import { DigestState, type DigestThreadData } from './digest-thread.ts';
import { nativeSha384 } from './native-digest.ts';
import { stepBack } from './thread-priority.ts';

stepBack();
const { pieces, answer } = workerData as DigestThreadData;
const state = new Int32Array(answer, 0, 1);
const tell = (value: number): void => {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
};
tell(DigestState.Begun);
new Uint8Array(answer, 4).set(nativeSha384(pieces));
tell(DigestState.Done);
