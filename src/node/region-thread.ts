/** Compiles hot code on a thread of its own, so that the guest runs on meanwhile. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { CompiledRegions, RegionCompiler, RegionRequest } from '../cpu/index.ts';
import type { InstructionFeature } from '../isa/index.ts';
import { RequestRing } from './request-ring.ts';

/** Found by measurement (docs/performance.md): a thread costs the guest next to nothing. */
const VISITS = 1000;
/** Requests that may be on their way: beyond, hot code waits where it is, and what has grown cold meanwhile is never asked for. */
const MOST_UNDER_WAY = 48;

/** Requests that share a module: each module has a price of its own, in this run and in those that find it. */
const WORTH_A_MODULE = 8;
/** Times that the engine asks before fewer than that are taken. */
const PATIENCE = 500;

/** What the thread starts with. */
export interface RegionThreadData {
  readonly port: MessagePort;
  readonly ring: SharedArrayBuffer;
}

export class RegionThread implements RegionCompiler {
  readonly visits = VISITS;
  readonly #ring = new RequestRing();
  readonly #onDeath: (reason: string) => void;
  readonly #script: URL;
  readonly #unanswered = new Set<number>();
  #features: readonly InstructionFeature[] = [];
  #isDead = false;
  #thread: { readonly worker: Worker; readonly port: MessagePort } | undefined;
  #answers = 0;
  #asked = 0;

  /**
   * @param onDeath told why, once, if the thread ends by itself: what is hot stays with the interpreter from then on
   * @param script what the thread runs
   */
  constructor(onDeath: (reason: string) => void, script = new URL('./region-thread-main.js', import.meta.url)) {
    this.#onDeath = onDeath;
    this.#script = script;
  }

  begin(features: readonly InstructionFeature[]): void {
    this.#features = features;
  }

  /** Not before there is something to compile: a boot that finds everything compiled does without. */
  #start(): { readonly worker: Worker; readonly port: MessagePort } {
    const { port1: port, port2 } = new MessageChannel();
    const workerData: RegionThreadData = { port: port2, ring: this.#ring.buffer };
    const worker = new Worker(this.#script, { workerData, transferList: [port2] });
    worker.on('error', (error) => this.#die(error.message));
    worker.on('exit', (code) => this.#die(`it ended with ${code}`));
    worker.unref();
    port.unref();
    port.postMessage(this.#features);
    this.#ring.open();
    return { worker, port };
  }

  #die(reason: string): void {
    if (!this.#isDead) this.#onDeath(reason);
    this.#isDead = true;
  }

  takes(waiting: number, repeated: number): number {
    if (this.#isDead) return waiting;
    if (waiting + repeated < WORTH_A_MODULE && ++this.#asked < PATIENCE) return 0;
    this.#asked = 0;
    return Math.min(waiting, MOST_UNDER_WAY - this.#ring.underWay);
  }

  submit(requests: readonly RegionRequest[]): void {
    this.#thread ??= this.#start();
    for (const request of requests) {
      this.#unanswered.add(request.id);
      if (!this.#isDead) this.#ring.put(request);
    }
  }

  collect(): readonly CompiledRegions[] {
    if (this.#ring.answers === this.#answers) return this.#isDead ? this.#refuseAll() : NONE;
    const compiled: CompiledRegions[] = [];
    for (const answers = this.#ring.answers; this.#answers < answers; this.#answers++) {
      const { message } = receiveMessageOnPort(this.#thread!.port) as { message: CompiledRegions };
      for (const { id } of message.regions) this.#unanswered.delete(id);
      for (const id of [...message.refused, ...message.included]) this.#unanswered.delete(id);
      compiled.push(message);
    }
    return compiled;
  }

  /** What a dead thread was asked for: the engine need not wait for it, and does not ask again. */
  #refuseAll(): readonly CompiledRegions[] {
    if (this.#unanswered.size === 0) return NONE;
    const refused = [...this.#unanswered];
    this.#unanswered.clear();
    return [{ bytes: EMPTY_MODULE, module: new WebAssembly.Module(EMPTY_MODULE), regions: [], refused, included: [] }];
  }

  /** How long the thread has worked, milliseconds. */
  get busyMilliseconds(): number {
    return this.#ring.busyMilliseconds;
  }

  /** Ends the thread; what it has not answered is never answered. */
  async close(): Promise<void> {
    this.#isDead = true;
    await this.#thread?.worker.terminate();
  }
}

const NONE: readonly CompiledRegions[] = [];
/** magic number and version */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
