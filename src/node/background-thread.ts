/**
 * The thread for what need not be done before the guest runs. There is one for all of it, because each costs 35 ms of processor time before it does
 * anything. Nobody relies on it: what it has not done, or cannot do, is done by who needs it.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DigestRequest } from './background-digest.ts';
import type { ModulesRequest } from './background-modules.ts';

export type BackgroundRequest = DigestRequest | ModulesRequest;

const SCRIPT = join(import.meta.dirname, 'background-thread-main.js');

export class BackgroundThread {
  readonly #script: string | URL;
  #worker: Worker | undefined;
  /** what waits for it to begin */
  readonly #waiting: (() => BackgroundRequest)[] = [];

  /** @param script what the thread runs */
  constructor(script: string | URL = SCRIPT) {
    this.#script = script;
  }

  /** Starts the thread, unless it has been; it does what waits, in the order in which that came. */
  begin(): void {
    if (this.#worker !== undefined) return;
    this.#worker = new Worker(this.#script);
    this.#worker.on('error', () => {}); // seen by its silence
    this.#worker.unref();
    for (const request of this.#waiting) this.#post(request());
  }

  /** Something for the thread to do once it has begun, which this is no reason for. */
  add(request: () => BackgroundRequest): void {
    if (this.#worker === undefined) this.#waiting.push(request);
    else this.#post(request());
  }

  #post(request: BackgroundRequest): void {
    this.#worker!.postMessage(request, 'port' in request ? [request.port] : []);
  }
}

let thread: BackgroundThread | undefined;

/** The one of this process. */
export function backgroundThread(): BackgroundThread {
  thread ??= new BackgroundThread();
  return thread;
}
