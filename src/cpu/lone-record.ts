/** One processor's room for a record that stops behind its instruction: for an instruction that goes alone, or that lies in two pages and is not kept. */
import type { Instruction } from '../isa/index.ts';
import type { Engine } from './engine/engine.ts';
import { Handler } from './engine/handlers.ts';
import { R, RECORD_BYTES } from './engine/record.ts';

export class LoneRecord {
  readonly #engine: Engine;
  readonly #at: number;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#at = engine.memory.reserveProcessorArea(RECORD_BYTES * 2);
  }

  /** Is this record here, where the next one takes its place? */
  isLent(record: number): boolean {
    return record === this.#at;
  }

  /** Is this record one of the code cache, which lies before all processors' room? */
  isCached(record: number): boolean {
    return record < this.#at;
  }

  /** A copy of a record. */
  copy(from: number): number {
    const { memory, handlers } = this.#engine;
    memory.u8.copyWithin(this.#at, from, from + RECORD_BYTES);
    memory.i32[this.#at >> 2] = handlers.unfused(memory.i32[from >> 2]!);
    return this.#stopBehind(memory.view.getUint16(from + R.nextOffset, true));
  }

  /** The record of an instruction that starts at an offset of its page. */
  write(instruction: Instruction, pageOffset: number): number {
    const { binder, handlers } = this.#engine;
    binder.write(this.#at, instruction, pageOffset, false);
    handlers.flush();
    return this.#stopBehind(pageOffset + instruction.length);
  }

  #stopBehind(nextOffset: number): number {
    this.#engine.binder.writeSpecial(this.#at + RECORD_BYTES, Handler.Step, nextOffset);
    return this.#at;
  }
}
