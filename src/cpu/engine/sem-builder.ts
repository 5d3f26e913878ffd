/** `Sem` over the expression graph: everything that does not depend on how operands are bound. */

import { Code, type MemoryOp, type WasmType } from '../../wasm/index.ts';
import type { Facts, Flag, Place, Sem, Val, ValType, Var, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { Graph, type GraphWriter, type Node, Reads } from './graph.ts';
import { HANDLER_PARAMETERS, P } from './handler-signature.ts';
import { writeGoTo } from './jump-code.ts';
import { Leave } from './record.ts';

/** Instructions of the function that come before. */
export type Position = number;

interface Variable extends Var {
  readonly type: WasmType;
  readonly local: number;
}

export const LOAD: Record<Width, MemoryOp> = {
  8: 'i32.load8_u',
  16: 'i32.load16_u',
  32: 'i32.load',
  64: 'i64.load',
  128: 'v128.load',
};
export const STORE: Record<Width, MemoryOp> = {
  8: 'i32.store8',
  16: 'i32.store16',
  32: 'i32.store',
  64: 'i64.store',
  128: 'v128.store',
};
const WIDTH_OF: Record<ValType, Width> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

/** What the flags were set from. */
interface FlagsOrigin {
  /** flags (i32, 0 or 1) that were given one by one */
  readonly flags?: Partial<Record<Flag, Val>>;
  /** a condition without its negation (0 O, 1 B, 2 E, 3 BE, 4 S, 5 P, 6 L, 7 LE), i32, if it follows from values at hand */
  readonly condition?: (pair: number) => Val | undefined;
}

export const node = (value: Val): Node => value as Node;

export abstract class SemBuilder implements Sem {
  facts: Facts;
  readonly graph = new Graph();
  readonly code = new Code(HANDLER_PARAMETERS);
  #depth = 0;
  #flagsResult: Node | undefined;
  #flagsAux: Node | undefined;
  /** what the flags were last set from, if that is known here: conditions are then read off the values themselves */
  #origin: FlagsOrigin | undefined;

  /** @param tableImport imported function by which the module goes on; undefined: it has the table */
  constructor(facts: Facts, tableImport?: number) {
    this.facts = facts;
    this.code.tableImport = tableImport;
  }

  // ---- what a binding says
  abstract linear(place: Place): Val;
  abstract effectiveAddress(place: Place): Val;
  abstract nextIp(): Val;
  abstract branch(target: Place, condition?: Val): void;
  abstract repeat(): void;
  /** Pushes the instructions left after this one. */
  abstract writeLeftAfter(code: Code, position: Position): void;
  /** Which of the instructions that the function executes is being recorded; effects keep the one they belong to. */
  position: Position = 0;
  /** The instruction count left, before this instruction. */
  abstract left(): Val;

  // ---- constants
  i32(value: number): Val {
    return this.graph.i32(value);
  }
  i64(value: number | bigint): Val {
    return this.graph.i64(BigInt(value));
  }
  f32(value: number): Val {
    return this.graph.node('f32', [], (code) => code.f32(value));
  }
  f64(value: number): Val {
    return this.graph.node('f64', [], (code) => code.f64(value));
  }
  v128(bytes: readonly number[]): Val {
    return this.graph.node('v128', [], (code) => code.v128(bytes));
  }
  int(width: number, value: number | bigint): Val {
    return width === 64 ? this.i64(value) : this.i32(Number(BigInt.asIntN(32, BigInt(value))));
  }

  // ---- arithmetic
  #binary(name: string, a: Val, b: Val): Val {
    if (a.type !== b.type) throw new Error(`${this.facts.operation}: ${name} of ${a.type} and ${b.type}`);
    return this.graph.op(`${a.type}.${name}`, node(a), node(b));
  }
  #count(a: Val, count: Val | number): Val {
    if (typeof count === 'number') return a.type === 'i64' ? this.i64(count) : this.i32(count);
    return count;
  }
  add(a: Val, b: Val): Val {
    if (node(b).constant === 0 || node(b).constant === 0n) return a;
    return this.#binary('add', a, b);
  }
  sub(a: Val, b: Val): Val {
    return this.#binary('sub', a, b);
  }
  mul(a: Val, b: Val): Val {
    return this.#binary('mul', a, b);
  }
  and(a: Val, b: Val): Val {
    return this.#binary('and', a, b);
  }
  or(a: Val, b: Val): Val {
    return this.#binary('or', a, b);
  }
  xor(a: Val, b: Val): Val {
    return this.#binary('xor', a, b);
  }
  not(a: Val): Val {
    return this.#binary('xor', a, a.type === 'i64' ? this.i64(-1) : this.i32(-1));
  }
  neg(a: Val): Val {
    return this.#binary('sub', a.type === 'i64' ? this.i64(0) : this.i32(0), a);
  }
  shl(a: Val, count: Val | number): Val {
    return this.#binary('shl', a, this.#count(a, count));
  }
  shrU(a: Val, count: Val | number): Val {
    return this.#binary('shr_u', a, this.#count(a, count));
  }
  shrS(a: Val, count: Val | number): Val {
    return this.#binary('shr_s', a, this.#count(a, count));
  }
  rotl(a: Val, count: Val | number): Val {
    return this.#binary('rotl', a, this.#count(a, count));
  }
  rotr(a: Val, count: Val | number): Val {
    return this.#binary('rotr', a, this.#count(a, count));
  }
  eqz(a: Val): Val {
    return this.graph.op(`${a.type}.eqz`, node(a));
  }
  eq(a: Val, b: Val): Val {
    return this.#binary('eq', a, b);
  }
  ne(a: Val, b: Val): Val {
    return this.#binary('ne', a, b);
  }
  ltU(a: Val, b: Val): Val {
    return this.#binary('lt_u', a, b);
  }
  ltS(a: Val, b: Val): Val {
    return this.#binary('lt_s', a, b);
  }
  gtU(a: Val, b: Val): Val {
    return this.#binary('gt_u', a, b);
  }
  gtS(a: Val, b: Val): Val {
    return this.#binary('gt_s', a, b);
  }
  leU(a: Val, b: Val): Val {
    return this.#binary('le_u', a, b);
  }
  geU(a: Val, b: Val): Val {
    return this.#binary('ge_u', a, b);
  }
  select(condition: Val, whenTrue: Val, whenFalse: Val): Val {
    if (whenTrue.type === 'v128') {
      // plain select is defined for numeric types only in older engines: use a mask
      const mask = this.op('i64x2.splat', this.extendS(this.neg(this.ne(condition, this.i32(0)))));
      return this.op('v128.bitselect', whenTrue, whenFalse, mask);
    }
    return this.graph.node(whenTrue.type, [node(whenTrue), node(whenFalse), node(condition)], (code) => code.select());
  }
  wrap(a: Val): Val {
    return a.type === 'i32' ? a : this.graph.op('i32.wrap_i64', node(a));
  }
  extendU(a: Val): Val {
    return a.type === 'i64' ? a : this.graph.op('i64.extend_i32_u', node(a));
  }
  extendS(a: Val): Val {
    return a.type === 'i64' ? a : this.graph.op('i64.extend_i32_s', node(a));
  }
  zeroExtend(a: Val, fromBits: number): Val {
    if (fromBits === 64 || (fromBits === 32 && a.type === 'i32')) return a;
    return a.type === 'i64'
      ? this.and(a, this.i64((1n << BigInt(fromBits)) - 1n))
      : this.and(a, this.i32(2 ** fromBits - 1));
  }
  signExtend(a: Val, fromBits: number): Val {
    if (fromBits === 64 || (fromBits === 32 && a.type === 'i32')) return a;
    return this.graph.op(`${a.type}.extend${fromBits}_s`, node(a));
  }
  op(name: string, ...args: Val[]): Val {
    return this.graph.op(name, ...args.map(node));
  }
  lane(name: string, lane: number, ...args: Val[]): Val {
    const shape = name.split('.')[0]!;
    const extract = name.includes('extract_lane');
    const scalar = shape === 'i64x2' ? 'i64' : shape === 'f32x4' ? 'f32' : shape === 'f64x2' ? 'f64' : 'i32';
    return this.graph.node(extract ? scalar : 'v128', args.map(node), (code) => code.lane(name, lane));
  }
  shuffle(a: Val, b: Val, lanes: readonly number[]): Val {
    return this.graph.node('v128', [node(a), node(b)], (code) => code.shuffle(lanes));
  }

  // ---- control
  variable(initial: Val): Var {
    const variable: Variable = { type: initial.type, local: this.code.local(initial.type) };
    this.set(variable, initial);
    return variable;
  }
  get(variable: Var): Val {
    const { type, local } = variable as Variable;
    return this.graph.node(type, [], (code) => code.get(local), Reads.Variables);
  }
  set(variable: Var, value: Val): void {
    const { local } = variable as Variable;
    this.graph.effect([node(value)], (writer) => writer.code.set(local), Reads.Variables);
  }
  if(condition: Val, then: () => void, otherwise?: () => void): void {
    this.ifLikely(condition, then, otherwise, undefined);
  }
  ifLikely(condition: Val, then: () => void, otherwise: (() => void) | undefined, likely: boolean | undefined): void {
    const [result, aux, origin] = [this.#flagsResult, this.#flagsAux, this.#origin];
    this.#depth++;
    this.graph.if(
      node(condition),
      then,
      otherwise === undefined
        ? undefined
        : () => {
            [this.#flagsResult, this.#flagsAux, this.#origin] = [result, aux, origin];
            otherwise();
          },
      likely,
    );
    this.#depth--;
    this.forgetFlags();
  }
  loop(body: (stop: () => void) => void): void {
    this.forgetFlags();
    this.#depth++;
    this.graph.loop(body);
    this.#depth--;
    this.forgetFlags();
  }
  /** Where control flow joins, nothing is known of what set the flags. */
  protected forgetFlags(): void {
    this.#flagsResult = this.#flagsAux = this.#origin = undefined;
  }

  // ---- registers
  readonly stateNode: Node = this.graph.node('i32', [], (code) => code.get(P.state), 0, 0);
  gpr(register: number, width: 8 | 16 | 32 | 64): Val {
    return this.graph.peek(LOAD[width], this.stateNode, S.gpr + register * 8, Reads.State);
  }
  setGpr(register: number, width: 8 | 16 | 32 | 64, value: Val): void {
    this.pokeRegister(this.stateNode, S.gpr + register * 8, width, value);
  }
  /** Register write rules: 32 bits clear the upper half, 8 and 16 bits keep the rest. */
  pokeRegister(address: Node, offset: number, width: number, value: Val): void {
    if (width === 32) this.graph.poke('i64.store', address, offset, node(this.extendU(value)), Reads.State);
    else
      this.graph.poke(STORE[width as Width], address, offset, node(width < 32 ? this.wrap(value) : value), Reads.State);
  }
  state(offset: number, type: 'i32' | 'i64' | 'v128'): Val {
    return this.graph.peek(`${type}.load`, this.stateNode, offset, Reads.State);
  }
  setState(offset: number, value: Val): void {
    this.graph.poke(`${value.type as 'i32'}.store`, this.stateNode, offset, node(value), Reads.State);
  }

  // ---- guest memory
  abstract loadAs(name: MemoryOp, bytes: number, linear: Val): Val;
  abstract storeAs(name: MemoryOp, bytes: number, linear: Val, value: Val): void;
  abstract loadPair(linear: Val): readonly [Val, Val];
  abstract storePair(linear: Val, lower: Val, upper: Val): void;
  abstract modify(width: Width, linear: Val, change: (old: Val) => Val): Val;
  abstract bulkCopy(width: 8 | 16 | 32 | 64, target: Val, source: Val, count: Val): Val;
  abstract bulkFill(width: 8 | 16 | 32 | 64, target: Val, value: Val, count: Val): Val;
  load(width: Width, linear: Val): Val {
    return this.loadAs(LOAD[width], width / 8, linear);
  }
  store(width: Width, linear: Val, value: Val): void {
    this.storeAs(STORE[width], width / 8, linear, value);
  }
  /** memory at a linear address in a scalar or vector type */
  loadTyped(type: ValType, linear: Val): Val {
    return this.loadAs(`${type}.load`, WIDTH_OF[type] / 8, linear);
  }
  storeTyped(linear: Val, value: Val): void {
    this.storeAs(`${value.type}.store`, WIDTH_OF[value.type] / 8, linear, value);
  }

  #stackLinear(pointer: Val): Val {
    if (this.facts.mode === 64) return pointer;
    return this.and(this.add(pointer, this.state(S.segmentBase + 16, 'i64')), this.i64(0xffff_ffff));
  }
  push(width: 16 | 32 | 64, value: Val): void {
    if (this.facts.mode === 64) {
      const pointer = this.sub(this.gpr(4, 64), this.i64(width / 8));
      this.store(width, pointer, value);
      this.setGpr(4, 64, pointer);
    } else {
      const pointer = this.sub(this.gpr(4, 32), this.i32(width / 8));
      this.store(width, this.#stackLinear(this.extendU(pointer)), value);
      this.setGpr(4, 32, pointer);
    }
  }
  pop(width: 16 | 32 | 64): Val {
    if (this.facts.mode === 64) {
      const pointer = this.gpr(4, 64);
      const value = this.load(width, pointer);
      this.setGpr(4, 64, this.add(pointer, this.i64(width / 8)));
      return value;
    }
    const pointer = this.gpr(4, 32);
    const value = this.load(width, this.#stackLinear(this.extendU(pointer)));
    this.setGpr(4, 32, this.add(pointer, this.i32(width / 8)));
    return value;
  }

  // ---- flags (docs/engine.md, "Flags")
  readFlagsResult(): Val {
    return this.#flagsResult ?? this.state(S.flagsResult, 'i64');
  }
  readFlagsAux(): Val {
    return this.#flagsAux ?? this.state(S.flagsAux, 'i32');
  }
  writeFlags(result: Val | undefined, aux: Val): void {
    if (result !== undefined) {
      this.setState(S.flagsResult, result);
      this.#flagsResult = this.#depth === 0 ? node(result) : undefined;
    }
    this.setState(S.flagsAux, aux);
    this.#flagsAux = this.#depth === 0 ? node(aux) : undefined;
  }
  #setFlags(result: Val | undefined, aux: Val, origin?: FlagsOrigin): void {
    this.writeFlags(result, aux);
    this.#origin = origin;
  }
  flag(name: Flag): Val {
    const given = this.#origin?.flags?.[name];
    if (given !== undefined) return given;
    switch (name) {
      case 'CF':
        return this.shrU(this.readFlagsAux(), 31);
      case 'OF': {
        const aux = this.readFlagsAux();
        return this.shrU(this.xor(aux, this.shl(aux, 1)), 31);
      }
      case 'AF':
        return this.and(this.shrU(this.readFlagsAux(), 3), this.i32(1));
      case 'ZF':
        return this.eqz(this.readFlagsResult());
      case 'SF':
        return this.xor(this.wrap(this.shrU(this.readFlagsResult(), 63)), this.and(this.readFlagsAux(), this.i32(1)));
      case 'PF': {
        const low = this.and(
          this.xor(this.wrap(this.readFlagsResult()), this.shrU(this.readFlagsAux(), 8)),
          this.i32(0xff),
        );
        return this.xor(this.and(this.op('i32.popcnt', low), this.i32(1)), this.i32(1));
      }
    }
  }
  condition(number: number): Val {
    const negate = (value: Val): Val => ((number & 1) !== 0 ? this.eqz(value) : value);
    const direct = this.#origin?.condition?.(number >> 1);
    if (direct !== undefined) return negate(direct);
    switch (number >> 1) {
      case 0:
        return negate(this.flag('OF'));
      case 1:
        return negate(this.flag('CF'));
      case 2:
        return negate(this.flag('ZF'));
      case 3:
        return negate(this.or(this.flag('CF'), this.flag('ZF')));
      case 4:
        return negate(this.flag('SF'));
      case 5:
        return negate(this.flag('PF'));
      case 6:
        return negate(this.xor(this.flag('SF'), this.flag('OF')));
      default:
        return negate(this.or(this.flag('ZF'), this.xor(this.flag('SF'), this.flag('OF'))));
    }
  }
  /** A value so that comparisons of narrow ones see only their bits: shifted to the top of its type. */
  #comparable(width: number, value: Val): Val {
    return width < 32 ? this.shl(value, 32 - width) : value;
  }
  #zero(value: Val): Val {
    return value.type === 'i64' ? this.i64(0) : this.i32(0);
  }
  /** Conditions that a result alone decides: ZF and SF. */
  #fromResult(width: number, result: Val): FlagsOrigin {
    return {
      condition: (pair) => {
        if (pair === 2) return this.eqz(this.#comparable(width, result));
        return pair === 4 ? this.ltS(this.#comparable(width, result), this.#zero(result)) : undefined;
      },
    };
  }
  /** Conditions after a comparison: of the values themselves. */
  #fromDifference(width: number, a: Val, b: Val, result: Val): FlagsOrigin {
    const [left, right] = [() => this.#comparable(width, a), () => this.#comparable(width, b)];
    return {
      condition: (pair) => {
        switch (pair) {
          case 1:
            return this.ltU(left(), right());
          case 2:
            return this.eq(left(), right());
          case 3:
            return this.leU(left(), right());
          case 4:
            return this.ltS(this.#comparable(width, result), this.#zero(result));
          case 6:
            return this.ltS(left(), right());
          case 7:
            return this.eqz(this.gtS(left(), right()));
          default:
            return undefined;
        }
      },
    };
  }
  /** Conditions with CF = OF = 0. */
  #fromLogic(width: number, result: Val): FlagsOrigin {
    return {
      condition: (pair) => {
        switch (pair) {
          case 0:
          case 1:
            return this.i32(0);
          case 2:
          case 3:
            return this.eqz(this.#comparable(width, result));
          case 4:
          case 6:
            return this.ltS(this.#comparable(width, result), this.#zero(result));
          case 7:
            return this.eqz(this.gtS(this.#comparable(width, result), this.#zero(result)));
          default:
            return undefined;
        }
      },
    };
  }
  #extendedResult(width: number, result: Val): Val {
    return width === 64 ? result : this.extendS(this.signExtend(this.wrap(result), width));
  }
  /** carry vector (bit i = carry out of bit i) to CF, CF^OF and AF */
  #auxOfCarries(width: number, carries: Val): Val {
    if (width === 64) {
      const high = this.and(this.wrap(this.shrU(carries, 32)), this.i32(0xc000_0000));
      return this.or(high, this.and(this.wrap(carries), this.i32(8)));
    }
    if (width === 32) return this.and(carries, this.i32(0xc000_0008));
    return this.or(this.and(this.shl(carries, 32 - width), this.i32(0xc000_0000)), this.and(carries, this.i32(8)));
  }
  flagsAdd(width: number, a: Val, b: Val, result: Val): void {
    const carries = this.or(this.and(a, b), this.and(this.or(a, b), this.not(result)));
    this.#setFlags(
      this.#extendedResult(width, result),
      this.#auxOfCarries(width, carries),
      this.#fromResult(width, result),
    );
  }
  flagsSub(width: number, a: Val, b: Val, result: Val, borrow?: Val): void {
    const notA = this.not(a);
    const borrows = this.or(this.and(notA, b), this.and(this.or(notA, b), result));
    this.#setFlags(
      this.#extendedResult(width, result),
      this.#auxOfCarries(width, borrows),
      borrow === undefined ? this.#fromDifference(width, a, b, result) : this.#fromResult(width, result),
    );
  }
  flagsLogic(width: number, result: Val): void {
    this.#setFlags(this.#extendedResult(width, result), this.i32(0), this.#fromLogic(width, result));
  }
  #flagsStep(width: number, result: Val, overflowAt: bigint, lowNibble: number): void {
    const old = this.readFlagsAux();
    const extended = this.#extendedResult(width, result);
    const overflow = this.eq(extended, this.i64(overflowAt));
    const adjust = this.eq(this.and(this.wrap(result), this.i32(15)), this.i32(lowNibble));
    const partial = this.and(this.xor(this.shrU(old, 1), this.shl(overflow, 30)), this.i32(0x4000_0000));
    this.#setFlags(
      extended,
      this.or(this.or(this.and(old, this.i32(0x8000_0000)), partial), this.shl(adjust, 3)),
      this.#fromResult(width, result),
    );
  }
  flagsIncrement(width: number, _a: Val, result: Val): void {
    this.#flagsStep(width, result, -(1n << BigInt(width - 1)), 0);
  }
  flagsDecrement(width: number, _a: Val, result: Val): void {
    this.#flagsStep(width, result, (1n << BigInt(width - 1)) - 1n, 15);
  }
  flagsSet(values: Partial<Record<Flag, Val>>): void {
    const of = values.OF ?? this.flag('OF');
    const cf = values.CF ?? this.flag('CF');
    const carries = this.or(this.shl(cf, 31), this.shl(this.xor(cf, of), 30));
    if (values.ZF === undefined && values.SF === undefined && values.PF === undefined) {
      const kept = this.and(this.readFlagsAux(), this.i32(values.AF === undefined ? 0x3fff_ffff : 0x3fff_fff7));
      const aux = this.or(carries, kept);
      this.#setFlags(undefined, values.AF === undefined ? aux : this.or(aux, this.shl(values.AF, 3)), {
        flags: values,
      });
      return;
    }
    const zf = values.ZF ?? this.flag('ZF');
    const sf = values.SF ?? this.flag('SF');
    const pf = values.PF ?? this.flag('PF');
    const af = values.AF ?? this.flag('AF');
    const rest = this.or(this.or(this.shl(af, 3), sf), this.shl(this.xor(pf, zf), 8));
    this.#setFlags(this.extendU(this.xor(zf, this.i32(1))), this.or(carries, rest), { flags: values });
  }
  flagsResult(width: number, result: Val, carry: Val, overflow: Val): void {
    this.#setFlags(
      this.#extendedResult(width, result),
      this.or(this.shl(carry, 31), this.shl(this.xor(carry, overflow), 30)),
      { ...this.#fromResult(width, result), flags: { CF: carry, OF: overflow } },
    );
  }

  // ---- leaving
  raise(vector: number, errorCode = 0): void {
    this.setState(S.faultVector, this.i32(vector));
    this.setState(S.faultErrorCode, this.i32(errorCode));
    this.leave(Leave.Fault);
  }
  deferToHost(): void {
    this.leave(Leave.Host);
  }
  /** Gives control back with a `Leave` reason, this instruction not done. */
  abstract leave(reason: number): void;
  tsc(): Val {
    const atEnd = this.graph.peek('f64.load', this.stateNode, S.tscAtEnd, Reads.State);
    return this.sub(this.op('i64.trunc_sat_f64_s', atEnd), this.extendS(this.left()));
  }

  /** Linear address of an instruction pointer of the guest. */
  linearOfIp(ip: Val): Val {
    if (this.facts.mode === 64) return ip;
    return this.and(this.add(ip, this.state(S.segmentBase + 8, 'i64')), this.i64(0xffff_ffff));
  }
  jump(target: Val): void {
    const { position } = this;
    this.graph.effectWithLocals(
      [node(this.linearOfIp(target))],
      undefined,
      (writer, [address]) => this.writeJump(writer, position, localOf(writer, address!)),
      Reads.Everything,
    );
  }
  /** Jumps of the guest are where a spent budget ends the run; going on in a straight line is not. */
  readonly jumpsEndBudgets: boolean = true;

  /** Goes on at a linear address held in an i64 local: through the code TLB, or by way of the host. */
  writeJump(writer: GraphWriter, position: Position, linear: number): void {
    const { code } = writer;
    const left = code.local('i32');
    this.writeLeftAfter(code, position);
    code.set(left);
    writeGoTo(code, { linear, left, endsBudget: this.jumpsEndBudgets });
  }
}

/** The local that holds an effect's argument; a constant gets one. */
export function localOf(writer: GraphWriter, value: Node): number {
  if (value.local >= 0) return value.local;
  writer.push(value);
  const local = writer.code.local(value.type);
  writer.code.set(local);
  return local;
}
