/**
 * Makes kept modules ready on a thread of its own: reading, checking and restoring them takes a twentieth of a boot that finds all its code. What the
 * thread has not done when it is needed is done here, so nobody waits for it.
 */
import { join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { ModuleFile, StoredModule } from './stored-module.ts';

const SCRIPT = join(import.meta.dirname, 'module-thread-main.js');

/** What the thread starts with. */
export interface ModuleThreadData extends ModuleFile {
  readonly stored: readonly StoredModule[];
  readonly port: MessagePort;
}

/** What it answers for each that is what was written, in their order. */
export interface ReadyModule {
  readonly index: number;
  readonly module: WebAssembly.Module;
}

export class ModuleThread {
  readonly #from: ModuleFile;
  readonly #stored: readonly StoredModule[];
  readonly #script: string | URL;
  readonly #ready = new Map<number, WebAssembly.Module>();
  #port: MessagePort | undefined;

  /** @param script what the thread runs */
  constructor(from: ModuleFile, stored: readonly StoredModule[], script: string | URL = SCRIPT) {
    this.#from = from;
    this.#stored = stored;
    this.#script = script;
  }

  /** The module with a number, once, if the thread has it ready. It begins when it is first asked: a run that needs none does without. */
  take(index: number): WebAssembly.Module | undefined {
    this.#port ??= this.#begin();
    for (
      let answer = receiveMessageOnPort(this.#port);
      answer !== undefined;
      answer = receiveMessageOnPort(this.#port)
    ) {
      const ready = answer.message as ReadyModule;
      this.#ready.set(ready.index, ready.module);
    }
    const module = this.#ready.get(index);
    this.#ready.delete(index);
    return module;
  }

  #begin(): MessagePort {
    const { port1, port2: port } = new MessageChannel();
    const stored = this.#stored.map(({ bytes, native, digest, optimised }) => ({ bytes, native, digest, optimised }));
    const workerData: ModuleThreadData = { ...this.#from, stored, port };
    const worker = new Worker(this.#script, { workerData, transferList: [port] });
    worker.on('error', () => {}); // what it has not done is done here
    worker.unref();
    return port1;
  }
}
