/**
 * String instructions, one element or repeated. The registers are right after each element, so a fault in the middle leaves
 * exactly what the processor leaves. A repetition does a bounded piece, then executes the instruction again.
 */
import { S } from '../state.ts';
import { type IntegerWidth, Register, widthOf } from './operand.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';

/** Elements done one by one before the bulk way is tried again: enough to pass an element that crosses pages, or an overlap. */
const MOVED_ONE_BY_ONE = 64;
/** Elements compared before events get a chance. */
const COMPARED_AT_ONCE = 1024;

const DIRECTION_FLAG = 1 << 10;

/** Where a string instruction works: the pointers and the count at the address size, elements of one width. */
class StringWalk {
  readonly #b: Sem;
  readonly #addressSize: 16 | 32 | 64;
  readonly width: IntegerWidth;
  /** distance to the next element, in the type of the pointers */
  readonly #step: Val;
  readonly #sourceBase: Val;
  readonly backwards: Val;

  constructor(b: Sem, places: readonly Place[]) {
    const memory = places.find((place) => place.kind === 'memory')!;
    this.#b = b;
    this.#addressSize = b.facts.addressSize;
    this.width = widthOf(memory);
    this.backwards = b.and(b.state(S.rflags, 'i32'), b.i32(DIRECTION_FLAG));
    const bytes = this.width / 8;
    this.#step = b.select(this.backwards, b.int(this.#addressSize, -bytes), b.int(this.#addressSize, bytes));
    this.#sourceBase = b.sub(b.linear(memory), b.effectiveAddress(memory));
  }

  /** Linear address of the element at DS:RSI (or the overriding segment): the memory operand, its register read anew. */
  get source(): Val {
    return this.#linear(this.#sourceBase, Register.SI);
  }

  /** Linear address of the element at ES:RDI. */
  get target(): Val {
    return this.#linear(this.#b.facts.mode === 64 ? undefined : this.#b.state(S.segmentBase, 'i64'), Register.DI);
  }

  get count(): Val {
    return this.#b.gpr(Register.CX, this.#addressSize);
  }

  get countIsZero(): Val {
    return this.#b.eqz(this.count);
  }

  countDown(done: Val): void {
    this.#b.setGpr(Register.CX, this.#addressSize, this.#b.sub(this.count, done));
  }

  countDownOne(): void {
    this.countDown(this.#b.int(this.#addressSize, 1));
  }

  /** Moves the pointers to the next element. */
  advance(...registers: number[]): void {
    this.#move(this.#step, registers);
  }

  /** After `elements` (i64) were done upwards: moves the pointers and counts down. */
  advanceBy(elements: Val, ...registers: number[]): void {
    const b = this.#b;
    const narrow = (value: Val): Val => (this.#addressSize === 64 ? value : b.wrap(value));
    this.#move(narrow(b.shl(elements, Math.log2(this.width / 8))), registers);
    this.countDown(narrow(elements));
  }

  #move(distance: Val, registers: readonly number[]): void {
    const b = this.#b;
    for (const register of registers)
      b.setGpr(register, this.#addressSize, b.add(b.gpr(register, this.#addressSize), distance));
  }

  #linear(base: Val | undefined, register: number): Val {
    const b = this.#b;
    const offset = b.extendU(b.gpr(register, this.#addressSize));
    if (base === undefined) return offset;
    const linear = b.add(base, offset);
    return b.facts.mode === 64 ? linear : b.zeroExtend(linear, 32);
  }
}

/** Does elements until the count is 0, `limit` (i32) are done, or `finished` (computed after each) holds. The count is not 0 at the start. */
function elementByElement(b: Sem, walk: StringWalk, limit: Val, element: () => Val | undefined): void {
  const rounds = b.variable(limit);
  b.loop((stop) => {
    const finished = element();
    walk.countDownOne();
    b.set(rounds, b.sub(b.get(rounds), b.i32(1)));
    const atLimit = b.or(walk.countIsZero, b.eqz(b.get(rounds)));
    b.if(finished === undefined ? atLimit : b.or(atLimit, finished), stop);
  });
}

/** MOVS, STOS and LODS: `element` does one; `bulk` tries many upwards and says how many (i64), moving `pointers`. */
function transfer(
  pointers: readonly number[],
  element: (b: Sem, walk: StringWalk) => void,
  bulk?: (b: Sem, walk: StringWalk, count: Val) => Val,
): Operation {
  return {
    varies: ['mode', 'addressSize', 'rep'],
    emit: (b, ...places) => {
      const walk = new StringWalk(b, places);
      const one = (): undefined => {
        element(b, walk);
        walk.advance(...pointers);
        return undefined;
      };
      if (b.facts.rep === 'none') {
        one();
        return;
      }
      b.if(b.eqz(walk.countIsZero), () => {
        const few = b.i32(MOVED_ONE_BY_ONE);
        if (bulk === undefined) elementByElement(b, walk, few, one);
        else {
          const done = b.variable(b.i64(0));
          b.if(b.eqz(walk.backwards), () => b.set(done, bulk(b, walk, b.extendU(walk.count))));
          b.if(
            b.gtS(b.get(done), b.i64(0)),
            () => walk.advanceBy(b.get(done), ...pointers),
            () => {
              const oneByOne = b.neg(b.wrap(b.get(done)));
              elementByElement(b, walk, b.select(oneByOne, oneByOne, few), one);
            },
          );
        }
        b.if(b.eqz(walk.countIsZero), () => b.repeat());
      });
    },
  };
}

/** CMPS and SCAS: REPE goes on while equal, REPNE while different. The flags change when the piece is done, so a fault leaves them. */
function comparison(
  pointers: readonly number[],
  element: (b: Sem, walk: StringWalk) => readonly [Val, Val],
): Operation {
  return {
    varies: ['mode', 'addressSize', 'rep'],
    emit: (b, ...places) => {
      const walk = new StringWalk(b, places);
      const { width } = walk;
      if (b.facts.rep === 'none') {
        const [left, right] = element(b, walk);
        walk.advance(...pointers);
        b.flagsSub(width, left, right, b.sub(left, right));
        return;
      }
      const goesOn = (left: Val, right: Val): Val => (b.facts.rep === 'rep' ? b.eq(left, right) : b.ne(left, right));
      b.if(b.eqz(walk.countIsZero), () => {
        const lastLeft = b.variable(b.int(width, 0));
        const lastRight = b.variable(b.int(width, 0));
        elementByElement(b, walk, b.i32(COMPARED_AT_ONCE), () => {
          const [left, right] = element(b, walk);
          b.set(lastLeft, left);
          b.set(lastRight, right);
          walk.advance(...pointers);
          return b.eqz(goesOn(left, right));
        });
        const left = b.get(lastLeft);
        const right = b.get(lastRight);
        b.flagsSub(width, left, right, b.sub(left, right));
        b.if(b.and(b.eqz(walk.countIsZero), goesOn(left, right)), () => b.repeat());
      });
    },
  };
}

export const strings = {
  MOVS: transfer(
    [Register.SI, Register.DI],
    (b, walk) => b.store(walk.width, walk.target, b.load(walk.width, walk.source)),
    (b, walk, count) => b.bulkCopy(walk.width, walk.target, walk.source, count),
  ),
  STOS: transfer(
    [Register.DI],
    (b, walk) => b.store(walk.width, walk.target, b.gpr(Register.AX, walk.width)),
    (b, walk, count) => b.bulkFill(walk.width, walk.target, b.gpr(Register.AX, walk.width), count),
  ),
  LODS: transfer([Register.SI], (b, walk) => b.setGpr(Register.AX, walk.width, b.load(walk.width, walk.source))),
  CMPS: comparison([Register.SI, Register.DI], (b, walk) => [
    b.load(walk.width, walk.source),
    b.load(walk.width, walk.target),
  ]),
  SCAS: comparison([Register.DI], (b, walk) => [b.gpr(Register.AX, walk.width), b.load(walk.width, walk.target)]),
} satisfies OperationTable;
