/** One x87 instruction at work: operands from the register stack, exceptions gathered, results written if they may be. */
import type { Processor } from '../processor.ts';
import { S } from '../state.ts';
import { FloatEnvironment } from './arithmetic.ts';
import { EXTENDED, type FloatValue, INDEFINITE, pack, unpack } from './format.ts';
import { Control, Exception, isEmpty, physical, Status, setEmpty, setStatusWord, setTop, top } from './x87-state.ts';

/** Significant bits by the precision control field; 1 is reserved. */
const PRECISIONS = [24, 64, 53, 64] as const;
/** Exceptions found before there is a result: unmasked, they leave the operands alone. */
const BEFORE_RESULT = Exception.Invalid | Exception.Denormal | Exception.ZeroDivide;
/** For a store to memory an unmasked overflow or underflow also leaves everything alone. */
const BEFORE_STORE = BEFORE_RESULT | Exception.Overflow | Exception.Underflow;

export class RegisterStack {
  readonly cpu: Processor;
  readonly env = new FloatEnvironment();
  #stackFault = false;
  #overflowed = false;

  constructor(cpu: Processor) {
    this.cpu = cpu;
    const control = cpu.state.low(S.fpuControl);
    this.env.masks = control & Control.ExceptionMasks;
    this.env.rounding = (control >> Control.RoundingShift) & 3;
    this.env.largerNan = true;
  }

  /** Results of add, subtract, multiply, divide and square root have the bits of the precision control field. */
  usePrecisionControl(): void {
    this.env.precision = PRECISIONS[(this.cpu.state.low(S.fpuControl) >> Control.PrecisionShift) & 3]!;
  }

  /** True, and a stack fault, if any of the registers is empty. */
  underflows(...stackIndices: readonly number[]): boolean {
    if (!stackIndices.some((index) => isEmpty(this.cpu, index))) return false;
    this.#stackFault = true;
    this.env.signal(Exception.Invalid);
    return true;
  }

  /** The bits of ST(i), whatever its tag. */
  bits(stackIndex: number): bigint {
    const row = S.fpuRegister + 16 * physical(this.cpu, stackIndex);
    return this.cpu.state.big(row) | (BigInt(this.cpu.state.low(row + 8) & 0xffff) << 64n);
  }

  value(stackIndex: number): FloatValue {
    return unpack(this.bits(stackIndex), EXTENDED);
  }

  setBits(stackIndex: number, bits: bigint): void {
    const row = S.fpuRegister + 16 * physical(this.cpu, stackIndex);
    this.cpu.state.setBig(row, BigInt.asUintN(64, bits));
    this.cpu.state.setLow(row + 8, Number(bits >> 64n));
    setEmpty(this.cpu, stackIndex, false);
  }

  set(stackIndex: number, value: FloatValue): void {
    this.setBits(stackIndex, pack(value, EXTENDED));
  }

  /** True if an unmasked exception forbids the result. */
  get refused(): boolean {
    return (this.env.unmasked & BEFORE_RESULT) !== 0;
  }
  get storeRefused(): boolean {
    const refused = (this.env.unmasked & BEFORE_STORE) !== 0;
    if (refused) this.forgetResult(BEFORE_STORE);
    return refused;
  }

  /** Pushes unless an unmasked invalid operand forbids it (a denormal does not); onto a full stack the indefinite, and that hides what else was found. */
  push(bits: bigint): void {
    if (!isEmpty(this.cpu, 7)) this.signalOverflow();
    if (this.env.unmasked & Exception.Invalid) return;
    setTop(this.cpu, top(this.cpu) - 1);
    this.setBits(0, this.#overflowed ? pack(INDEFINITE, EXTENDED) : bits);
  }

  /** A push found no room; after an underflow that no longer matters. */
  signalOverflow(): void {
    if (this.#stackFault) return;
    this.#stackFault = this.#overflowed = true;
    this.env.flags = Exception.Invalid;
  }

  pop(): void {
    setEmpty(this.cpu, 0, true);
    setTop(this.cpu, top(this.cpu) + 1);
  }

  /** Moves the gathered exceptions to the status word; C1 is `c1`, or tells of the rounding or the direction of a stack fault. */
  settle(c1?: boolean): void {
    if (this.refused) this.forgetResult(BEFORE_RESULT);
    const bit = this.#stackFault ? this.#overflowed : (c1 ?? this.env.roundedUp);
    const status = this.cpu.state.low(S.fpuStatus) & ~Status.C1;
    setStatusWord(
      this.cpu,
      status | this.env.flags | (this.#stackFault ? Status.StackFault : 0) | (bit ? Status.C1 : 0),
    );
  }

  /** There is no result whose rounding could be told: only these exceptions count. */
  forgetResult(exceptions: number): void {
    this.env.flags &= exceptions;
    this.env.roundedUp = false;
  }

  /** C1 as it is now, for instructions that leave it alone. */
  get c1(): boolean {
    return (this.cpu.state.low(S.fpuStatus) & Status.C1) !== 0;
  }

  /** Sets condition bits C3, C2 and C0, keeping the rest. */
  setConditions(bits: number): void {
    const all = Status.C0 | Status.C2 | Status.C3;
    this.cpu.state.setLow(S.fpuStatus, (this.cpu.state.low(S.fpuStatus) & ~all) | bits);
  }

  /** C2 alone: what the trigonometric instructions report. */
  setCondition2(set: boolean): void {
    const status = this.cpu.state.low(S.fpuStatus) & ~Status.C2;
    this.cpu.state.setLow(S.fpuStatus, set ? status | Status.C2 : status);
  }
}
