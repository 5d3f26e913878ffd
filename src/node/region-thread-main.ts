/** The thread behind `RegionThread`: the features first, then requests in, modules out. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { OPERATIONS, RegionTranslator } from '../cpu/index.ts';
import type { InstructionFeature } from '../isa/index.ts';
import type { RegionThreadData } from './region-thread.ts';
import { RequestRing } from './request-ring.ts';
import { stepBack } from './thread-priority.ts';

/** A module has a price of its own, but what waits for company is interpreted meanwhile. */
const REQUESTS_AT_ONCE = 48;
/** The first ones come when this thread is slow yet, and are what the guest is waiting for: each answer may have twice as many as the one before. */
const FIRST_REQUESTS_AT_ONCE = 4;

stepBack();
const { port, ring: buffer } = workerData as RegionThreadData;
const ring = new RequestRing(buffer);
ring.waitUntilOpen();
const { message: features } = receiveMessageOnPort(port) as { message: readonly InstructionFeature[] };
const translator = new RegionTranslator(OPERATIONS, features);

for (let most = FIRST_REQUESTS_AT_ONCE; ; most = Math.min(most * 2, REQUESTS_AT_ONCE)) {
  const requests = ring.take(most);
  const begun = performance.now();
  port.postMessage(translator.compile(requests));
  ring.countAnswer(performance.now() - begun);
}
