/** Compiles hot code on a thread of its own, so that the guest runs on meanwhile. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { CompiledRegions, RegionCompiler, RegionRequest } from '../cpu/index.ts';
import type { InstructionFeature } from '../isa/index.ts';
import { RequestRing } from './request-ring.ts';

/** Found by measurement (docs/performance.md): a thread costs the guest next to nothing. */
const VISITS = 1000;
/** Requests that may be on their way: beyond, hot code waits where it is, and what has grown cold meanwhile is never asked for. */
const MOST_UNDER_WAY = 48;

/** What the thread starts with. */
export interface RegionThreadData {
  readonly port: MessagePort;
  readonly ring: SharedArrayBuffer;
}

export class RegionThread implements RegionCompiler {
  readonly visits = VISITS;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ring = new RequestRing();
  #answers = 0;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: RegionThreadData = { port: port2, ring: this.#ring.buffer };
    this.#worker = new Worker(new URL('./region-thread-main.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.#worker.unref();
    port1.unref();
  }

  begin(features: readonly InstructionFeature[]): void {
    this.#port.postMessage(features);
    this.#ring.open();
  }

  takes(waiting: number): number {
    return Math.min(waiting, MOST_UNDER_WAY - this.#ring.underWay);
  }

  submit(requests: readonly RegionRequest[]): void {
    for (const request of requests) this.#ring.put(request);
  }

  collect(): readonly CompiledRegions[] {
    if (this.#ring.answers === this.#answers) return NONE;
    const compiled: CompiledRegions[] = [];
    for (const answers = this.#ring.answers; this.#answers < answers; this.#answers++) {
      const received = receiveMessageOnPort(this.#port) as { message: CompiledRegions };
      compiled.push(received.message);
    }
    return compiled;
  }

  /** How long the thread has worked, milliseconds. */
  get busyMilliseconds(): number {
    return this.#ring.busyMilliseconds;
  }

  /** Ends the thread; what it has not answered is never answered. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const NONE: readonly CompiledRegions[] = [];
