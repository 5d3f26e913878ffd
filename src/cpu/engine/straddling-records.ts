/** Records of instructions across two pages: one is kept for as long as the second half lies in the same host page and does not change. */
import type { Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { Binder } from './binder.ts';
import type { CodeSpace } from './code-space.ts';
import { Handler, type HandlerTable } from './handlers.ts';
import { R } from './record.ts';

export class StraddlingRecords {
  readonly #i32: Int32Array;
  readonly #space: CodeSpace;
  readonly #binder: Binder;
  readonly #handlers: HandlerTable;
  /** by the host page of their second half */
  readonly #bySecondPage = new Map<number, Set<number>>();

  constructor(memory: HostMemory, space: CodeSpace, binder: Binder, handlers: HandlerTable) {
    this.#i32 = memory.i32;
    this.#space = space;
    this.#binder = binder;
    this.#handlers = handlers;
  }

  /** True if the record's instruction is kept, with its second half in `secondPage`. */
  keeps(record: number, secondPage: number): boolean {
    return (
      this.#i32[record >> 2] === Handler.StraddleKnown &&
      this.#i32[(record + R.displacement) >> 2]! >>> 0 === secondPage
    );
  }

  /** Keeps the instruction of a straddling record for as long as its second half lies in `secondPage`. */
  keep(record: number, instruction: Instruction, offset: number, secondPage: number): void {
    const kept = this.#space.takeRecord();
    this.#binder.write(kept, instruction, offset, false);
    this.#binder.writeSpecial(this.#space.takeRecord(), Handler.Lookup, offset + instruction.length);
    this.#handlers.flush();
    this.#i32[record >> 2] = Handler.StraddleKnown;
    this.#i32[(record + R.link) >> 2] = kept;
    this.#i32[(record + R.displacement) >> 2] = secondPage;
    const known = this.#bySecondPage.get(secondPage);
    if (known === undefined) this.#bySecondPage.set(secondPage, new Set([record]));
    else known.add(record);
  }

  /** The beginning of a page has changed: instructions that reach into it are decoded again. True if there were any. */
  forget(secondPage: number): boolean {
    const records = this.#bySecondPage.get(secondPage);
    if (records === undefined) return false;
    for (const record of records)
      if (this.#i32[record >> 2] === Handler.StraddleKnown) this.#i32[record >> 2] = Handler.Straddle;
    this.#bySecondPage.delete(secondPage);
    return true;
  }

  drop(): void {
    this.#bySecondPage.clear();
  }
}
