/** What the host executes at a record, kept with it, so that it is decoded once. */
import type { Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { HostOperation } from '../processor.ts';
import { Handler } from './handlers.ts';
import { R } from './record.ts';

/** An instruction that the host executes, decoded, and what does it; undefined: nobody does. */
export interface HostStep {
  readonly instruction: Instruction;
  readonly operation: HostOperation | undefined;
}

export class HostSteps {
  readonly #i32: Int32Array;
  /** by the number that the record holds; nothing at 0 */
  readonly #steps: (HostStep | undefined)[] = [undefined];
  /** the same for records that have a handler, which left it to the host, by record */
  readonly #deferred = new Map<number, HostStep>();

  constructor(memory: HostMemory) {
    this.#i32 = memory.i32;
  }

  /** What the host executes at a record, if it was kept. */
  at(record: number): HostStep | undefined {
    const word = record >> 2;
    if (this.#i32[word] !== Handler.Host) return this.#deferred.get(record);
    return this.#steps[this.#i32[word + R.hostStep / 4]!];
  }

  keep(record: number, step: HostStep): void {
    const word = record >> 2;
    if (this.#i32[word] !== Handler.Host) this.#deferred.set(record, step);
    else this.#i32[word + R.hostStep / 4] = this.#steps.push(step) - 1;
  }

  /** The record is stale. */
  forget(record: number): void {
    this.#deferred.delete(record);
  }

  drop(): void {
    this.#steps.length = 1;
    this.#deferred.clear();
  }
}
