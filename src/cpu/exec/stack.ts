/** The stack: PUSH, POP, ENTER, LEAVE. */

import type { Instruction } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import type { Processor } from '../processor.ts';
import { S } from '../state.ts';
import { Register, resizeSigned, stackWidth, widthOf } from './operand.ts';
import type { OperationTable, Sem, Val } from './sem.ts';

/** Linear address of the stack's byte at `offset` (i64). */
export function stackLinear(b: Sem, offset: Val): Val {
  if (b.facts.mode === 64) return offset;
  return b.zeroExtend(b.add(b.state(S.segmentBase + 2 * 8, 'i64'), offset), 32);
}

/** The stack as host-side code walks it: nothing is in the state before `commit`. */
class StackWalk {
  readonly #cpu: Processor;
  readonly #width: number;
  readonly #addressBits: number;
  readonly #base: bigint;
  pointer: bigint;
  frame: bigint;

  constructor(cpu: Processor, instruction: Instruction) {
    this.#cpu = cpu;
    this.#addressBits = instruction.mode === 64 ? 64 : 32;
    this.#width = instruction.operandSize === 16 ? 16 : this.#addressBits;
    this.#base = instruction.mode === 64 ? 0n : cpu.state.big(S.segmentBase + 2 * 8);
    this.pointer = BigInt.asUintN(this.#addressBits, cpu.state.big(S.gpr + 8 * Register.SP));
    this.frame = BigInt.asUintN(this.#addressBits, cpu.state.big(S.gpr + 8 * Register.BP));
  }

  get bytes(): number {
    return this.#width / 8;
  }

  moved(offset: bigint, bytes: number): bigint {
    return BigInt.asUintN(this.#addressBits, offset + BigInt(bytes));
  }

  load(offset: bigint): bigint {
    const { low, high } = this.#linear(offset);
    this.#cpu.load(low, high, this.bytes);
    const value = (BigInt(this.#cpu.dataHigh >>> 0) << 32n) | BigInt(this.#cpu.dataLow >>> 0);
    return BigInt.asUintN(this.#width, value);
  }

  push(value: bigint): void {
    const offset = this.moved(this.pointer, -this.bytes);
    const { low, high } = this.#linear(offset);
    this.#cpu.store(low, high, this.bytes, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    this.pointer = offset;
  }

  /** Stores at the stack pointer what is there: faults if a later push could not be done. */
  probe(): void {
    const { low, high } = this.#linear(this.pointer);
    this.#cpu.load(low, high, this.bytes);
    this.#cpu.store(low, high, this.bytes, this.#cpu.dataLow, this.#cpu.dataHigh);
  }

  commitPointer(): void {
    this.#cpu.state.setBig(S.gpr + 8 * Register.SP, this.pointer);
  }

  commitFrame(): void {
    if (this.#width === 16) {
      const whole = this.#cpu.state.big(S.gpr + 8 * Register.BP);
      this.#cpu.state.setBig(S.gpr + 8 * Register.BP, (whole & ~0xffffn) | (this.frame & 0xffffn));
    } else this.#cpu.state.setBig(S.gpr + 8 * Register.BP, this.frame);
  }

  #linear(offset: bigint): { low: number; high: number } {
    const linear = BigInt.asUintN(this.#addressBits, this.#base + offset);
    return { low: Number(linear & 0xffff_ffffn), high: Number(linear >> 32n) };
  }
}

/** ENTER size, level: a frame with `level` copied frame pointers (SDM vol. 2, "ENTER"). */
function enter(cpu: Processor, instruction: Instruction): void {
  const stack = new StackWalk(cpu, instruction);
  const level = instruction.immediate2 & 31;
  stack.push(stack.frame);
  const frame = stack.pointer;
  for (let i = 1; i < level; i++) {
    stack.frame = stack.moved(stack.frame, -stack.bytes);
    stack.push(stack.load(stack.frame));
  }
  if (level > 0) stack.push(frame);
  stack.frame = frame;
  stack.pointer = stack.moved(stack.pointer, -(instruction.immediateLow & 0xffff));
  stack.probe();
  stack.commitPointer();
  stack.commitFrame();
}

/** POP to memory: the address counts from the raised stack pointer, which falls back if the store faults. */
function popMemory(cpu: Processor, instruction: Instruction): void {
  const stack = new StackWalk(cpu, instruction);
  const before = cpu.state.big(S.gpr + 8 * Register.SP);
  const value = stack.load(stack.pointer);
  stack.pointer = stack.moved(stack.pointer, stack.bytes);
  stack.commitPointer();
  try {
    addressOf(cpu, instruction);
    cpu.store(
      cpu.addressLow,
      cpu.addressHigh,
      stack.bytes,
      Number(BigInt.asIntN(32, value)),
      Number(BigInt.asIntN(32, value >> 32n)),
    );
  } catch (fault) {
    cpu.state.setBig(S.gpr + 8 * Register.SP, before);
    throw fault;
  }
}

export const stack = {
  PUSH: {
    varies: ['mode'],
    emit: (b, source) => {
      const width = stackWidth(b);
      b.push(width, resizeSigned(b, source!.read(), widthOf(source!), width));
    },
  },
  POP: {
    varies: ['mode'],
    emit: (b, destination) => {
      if (destination!.kind === 'memory') b.deferToHost();
      else destination!.write(b.pop(stackWidth(b)));
    },
    host: popMemory,
  },
  ENTER: { host: enter },
  /** RSP = RBP, then POP RBP; the load comes first because it may fault. */
  LEAVE: {
    varies: ['mode'],
    emit: (b) => {
      const width = stackWidth(b);
      const { mode } = b.facts;
      const frame = b.gpr(Register.BP, mode);
      const saved = b.load(width, stackLinear(b, b.extendU(frame)));
      b.setGpr(Register.SP, mode, b.add(frame, b.int(mode, width / 8)));
      b.setGpr(Register.BP, width, saved);
    },
  },
} satisfies OperationTable;
