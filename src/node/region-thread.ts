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
  readonly #ring = new RequestRing();
  #features: readonly InstructionFeature[] = [];
  #thread: { readonly worker: Worker; readonly port: MessagePort } | undefined;
  #answers = 0;

  begin(features: readonly InstructionFeature[]): void {
    this.#features = features;
  }

  /** Not before there is something to compile: a boot that finds everything compiled does without. */
  #start(): { readonly worker: Worker; readonly port: MessagePort } {
    const { port1: port, port2 } = new MessageChannel();
    const workerData: RegionThreadData = { port: port2, ring: this.#ring.buffer };
    const worker = new Worker(new URL('./region-thread-main.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    worker.unref();
    port.unref();
    port.postMessage(this.#features);
    this.#ring.open();
    return { worker, port };
  }

  takes(waiting: number): number {
    return Math.min(waiting, MOST_UNDER_WAY - this.#ring.underWay);
  }

  submit(requests: readonly RegionRequest[]): void {
    this.#thread ??= this.#start();
    for (const request of requests) this.#ring.put(request);
  }

  collect(): readonly CompiledRegions[] {
    if (this.#ring.answers === this.#answers) return NONE;
    const compiled: CompiledRegions[] = [];
    for (const answers = this.#ring.answers; this.#answers < answers; this.#answers++) {
      const received = receiveMessageOnPort(this.#thread!.port) as { message: CompiledRegions };
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
    await this.#thread?.worker.terminate();
  }
}

const NONE: readonly CompiledRegions[] = [];
