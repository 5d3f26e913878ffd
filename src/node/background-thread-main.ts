/** The thread behind `BackgroundThread`. */
import { parentPort } from 'node:worker_threads';
import { answerDigest } from './background-digest.ts';
import { answerModules } from './background-modules.ts';
import type { BackgroundRequest } from './background-thread.ts';
import { stepBack } from './thread-priority.ts';

stepBack();
parentPort!.on('message', (request: BackgroundRequest) => {
  if ('port' in request) answerModules(request);
  else answerDigest(request);
});
