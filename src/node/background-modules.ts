/**
 * Kept modules made ready by the background thread: reading, checking and restoring them takes a twentieth of a boot that finds all its code. What the
 * thread has not done when it is needed is done here, so nobody waits for it.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { BackgroundThread } from './background-thread.ts';
import { nativeSerializer } from './native-serializer.ts';
import { type ModuleFile, moduleOf, readModule, type StoredModule } from './stored-module.ts';

/** What the thread is asked. */
export interface ModulesRequest extends ModuleFile {
  readonly stored: readonly StoredModule[];
  readonly port: MessagePort;
}

/** What it answers for each that is what was written, in their order. */
interface ReadyModule {
  readonly index: number;
  readonly module: WebAssembly.Module;
}

export class BackgroundModules {
  readonly #thread: BackgroundThread;
  readonly #ready = new Map<number, WebAssembly.Module>();
  #port: MessagePort | undefined;

  /** The thread makes them ready when it begins, for whatever reason. */
  constructor(from: ModuleFile, modules: () => readonly StoredModule[], thread: BackgroundThread) {
    this.#thread = thread;
    thread.add(() => {
      const { port1, port2: port } = new MessageChannel();
      this.#port = port1;
      const stored = modules().map(({ bytes, native, digest, optimised }) => ({ bytes, native, digest, optimised }));
      return { ...from, stored, port };
    });
  }

  /** The module with a number, once, if the thread has it ready. It begins when it is first asked, if it has not: a run that needs none does without. */
  take(index: number): WebAssembly.Module | undefined {
    this.#thread.begin();
    const port = this.#port!;
    for (let answer = receiveMessageOnPort(port); answer !== undefined; answer = receiveMessageOnPort(port)) {
      const ready = answer.message as ReadyModule;
      this.#ready.set(ready.index, ready.module);
    }
    const module = this.#ready.get(index);
    this.#ready.delete(index);
    return module;
  }
}

/** The thread's side. */
export function answerModules({ stored, port, ...from }: ModulesRequest): void {
  const serializer = nativeSerializer();
  if (serializer !== undefined)
    stored.forEach((each, index) => {
      const parts = readModule(from, each);
      if (parts !== null) port.postMessage({ index, module: moduleOf(parts, serializer) } satisfies ReadyModule);
    });
  port.close();
}
