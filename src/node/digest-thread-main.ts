/** The thread behind `beginOnThread`. */
import { workerData } from 'node:worker_threads';
import { bytesOf } from '../digest/index.ts';
import { DigestState, type DigestThreadData } from './digest-thread.ts';
import { nativeSha384 } from './native-digest.ts';
import { stepBack } from './thread-priority.ts';

stepBack();
const { stream, answer } = workerData as DigestThreadData;
const state = new Int32Array(answer, 0, 1);
const tell = (value: number): void => {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
};
tell(DigestState.Begun);
new Uint8Array(answer, 4).set(nativeSha384(bytesOf(stream)));
tell(DigestState.Done);
