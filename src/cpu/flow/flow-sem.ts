/**
 * The third binding of the semantic functions: neither a handler nor a region, but the instruction itself, executed beside the engine on
 * values as far as they are known without reading memory, with the marks of what went into them. It changes nothing; the engine
 * executes the instruction afterwards. Hence it knows of each instruction what the engines know, and no list of its own.
 */
import { type Instruction, type Operand, OperandKind } from '../../isa/index.ts';
import { type WasmType, wasmOp } from '../../wasm/index.ts';
import { factsOf, gprOffset, operationName } from '../engine/binder.ts';
import type { Facts, Flag, OperationTable, Place, Sem, Val, ValType, Var, Width } from '../exec/sem.ts';
import { packRflags } from '../flags.ts';
import { type CpuState, S } from '../state.ts';
import { type FlowSink, type Marks, NO_MARKS, union } from './marks.ts';

interface Value extends Val {
  readonly type: ValType;
  /** undefined: not known here */
  readonly value: bigint | undefined;
  readonly marks: Marks;
  /** the place that it was read from as it is: two such values are equal */
  readonly from?: string;
  /** made of flags */
  readonly isCondition?: boolean;
}

interface Variable extends Var {
  readonly type: ValType;
  now: Value;
}

/** Ends the execution of the function here; what was done before it counts. */
const DONE = new (class Done {})();
/** Leaves the loop. */
const STOP = new (class Stop {})();
/** Thrown where the function gives the instruction away or faults. */
const GIVEN_AWAY = new (class GivenAway {})();

const RIP = 16;
const SEGMENT_FS = 4;
const FLAGS = S.flagsResult;
const STACK = S.gpr + 4 * 8;
const PAGE_BYTES = 4096n;
/** A loop whose end depends on what is not known here. */
const MOST_ROUNDS = 4096;
const BYTES_OF: Readonly<Record<ValType, number>> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };
const RFLAGS_BIT: Readonly<Record<Flag, number>> = { CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11 };

const val = (value: Val): Value => value as Value;
const bitsOf = (type: ValType): number => (type === 'i64' ? 64 : 32);
const typeOf = (bytes: number): ValType => (bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32');

export class FlowSem implements Sem {
  facts!: Facts;
  readonly #operations: OperationTable;
  readonly #state: CpuState;
  readonly #sink: FlowSink;
  #instruction!: Instruction;
  /** linear address of the next instruction */
  #next = 0n;
  #rflags = 0;
  #flagsKnown = true;
  /** 8-byte pieces of the state that this instruction has written */
  readonly #written = new Map<number, { value: bigint | undefined; marks: Marks }>();

  constructor(operations: OperationTable, state: CpuState, sink: FlowSink) {
    this.#operations = operations;
    this.#state = state;
    this.#sink = sink;
  }

  /**
   * Follows one instruction before it is executed. False: what it does is the host's affair, or not known; nothing was said of it then.
   * @param linear its address
   */
  follow(instruction: Instruction, linear: bigint): boolean {
    const operation = this.#operations[operationName(instruction)];
    if (operation?.emit === undefined || instruction.vectorIndex !== 0) return false;
    this.#instruction = instruction;
    this.facts = factsOf(instruction, operation);
    this.#next = BigInt.asUintN(64, linear + BigInt(instruction.length));
    this.#rflags = packRflags(this.#state);
    this.#flagsKnown = true;
    this.#written.clear();
    const places = instruction.operands.slice(0, instruction.operandCount).map((operand) => this.#place(operand));
    try {
      operation.emit(this, ...places);
    } catch (thrown) {
      if (thrown === GIVEN_AWAY) return false;
      if (thrown !== DONE) throw thrown;
    }
    for (const [offset, { marks }] of this.#written) this.#sink.setStateMarks(offset, marks);
    const stack = this.#written.get(STACK);
    if (stack !== undefined) this.#sink.used('stack', stack.marks);
    return true;
  }

  // ---- values
  #make(type: ValType, value: bigint | undefined, marks: Marks, isCondition = false): Value {
    const kept = value === undefined || type === 'v128' ? undefined : BigInt.asUintN(bitsOf(type), value);
    return { type, value: type === 'i32' || type === 'i64' ? kept : undefined, marks, isCondition };
  }
  #compute(type: ValType, args: readonly Val[], compute?: (...values: bigint[]) => bigint): Value {
    let marks = NO_MARKS;
    let isCondition = false;
    let isKnown = compute !== undefined;
    for (const arg of args) {
      const { value, marks: more, isCondition: one } = val(arg);
      marks = union(marks, more);
      isCondition ||= one === true;
      isKnown &&= value !== undefined;
    }
    const value = isKnown ? compute!(...args.map((arg) => val(arg).value!)) : undefined;
    return this.#make(type, value, marks, isCondition);
  }
  #signed(value: bigint, type: ValType): bigint {
    return BigInt.asIntN(bitsOf(type), value);
  }
  #constant(type: ValType, value: bigint | undefined): Value {
    return this.#make(type, value, NO_MARKS);
  }
  i32(value: number): Val {
    return this.#constant('i32', BigInt(Math.trunc(value)));
  }
  i64(value: number | bigint): Val {
    return this.#constant('i64', BigInt(value));
  }
  f32(_value: number): Val {
    return this.#constant('f32', undefined);
  }
  f64(_value: number): Val {
    return this.#constant('f64', undefined);
  }
  v128(_bytes: readonly number[]): Val {
    return this.#constant('v128', undefined);
  }
  int(width: number, value: number | bigint): Val {
    return this.#constant(width === 64 ? 'i64' : 'i32', BigInt(value));
  }

  // ---- arithmetic
  add(a: Val, b: Val): Val {
    return this.#compute(a.type, [a, b], (x, y) => x + y);
  }
  sub(a: Val, b: Val): Val {
    return this.#isSame(a, b) ? this.#constant(a.type, 0n) : this.#compute(a.type, [a, b], (x, y) => x - y);
  }
  mul(a: Val, b: Val): Val {
    return this.#compute(a.type, [a, b], (x, y) => x * y);
  }
  and(a: Val, b: Val): Value {
    const both = this.#compute(a.type, [a, b], (x, y) => x & y);
    const isMasked = (val(a).marks.length === 0) !== (val(b).marks.length === 0);
    return isMasked ? { ...both, marks: this.#sink.masked(both.marks) } : both;
  }
  or(a: Val, b: Val): Val {
    return this.#compute(a.type, [a, b], (x, y) => x | y);
  }
  xor(a: Val, b: Val): Val {
    return this.#isSame(a, b) ? this.#constant(a.type, 0n) : this.#compute(a.type, [a, b], (x, y) => x ^ y);
  }
  #isSame(a: Val, b: Val): boolean {
    return val(a).from !== undefined && val(a).from === val(b).from;
  }
  not(a: Val): Val {
    return this.#compute(a.type, [a], (x) => ~x);
  }
  neg(a: Val): Val {
    return this.#compute(a.type, [a], (x) => -x);
  }
  #shift(a: Val, count: Val | number, compute: (x: bigint, by: bigint, bits: number) => bigint): Val {
    const bits = bitsOf(a.type);
    const by = typeof count === 'number' ? this.#constant(a.type, BigInt(count)) : count;
    return this.#compute(a.type, [a, by], (x, y) => compute(x, y % BigInt(bits), bits));
  }
  shl(a: Val, count: Val | number): Val {
    return this.#shift(a, count, (x, by) => x << by);
  }
  shrU(a: Val, count: Val | number): Val {
    return this.#shift(a, count, (x, by) => x >> by);
  }
  shrS(a: Val, count: Val | number): Val {
    return this.#shift(a, count, (x, by, bits) => BigInt.asIntN(bits, x) >> by);
  }
  rotl(a: Val, count: Val | number): Val {
    return this.#shift(a, count, (x, by, bits) => (x << by) | (x >> (BigInt(bits) - by)));
  }
  rotr(a: Val, count: Val | number): Val {
    return this.#shift(a, count, (x, by, bits) => (x >> by) | (x << (BigInt(bits) - by)));
  }
  #compare(a: Val, b: Val, compute: (x: bigint, y: bigint) => boolean): Val {
    return this.#compute('i32', [a, b], (x, y) => (compute(x, y) ? 1n : 0n));
  }
  eqz(a: Val): Val {
    return this.#compute('i32', [a], (x) => (x === 0n ? 1n : 0n));
  }
  eq(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x === y);
  }
  ne(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x !== y);
  }
  ltU(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x < y);
  }
  ltS(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => this.#signed(x, a.type) < this.#signed(y, a.type));
  }
  gtU(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x > y);
  }
  gtS(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => this.#signed(x, a.type) > this.#signed(y, a.type));
  }
  leU(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x <= y);
  }
  geU(a: Val, b: Val): Val {
    return this.#compare(a, b, (x, y) => x >= y);
  }
  select(condition: Val, whenTrue: Val, whenFalse: Val): Val {
    const { value, marks, isCondition } = val(condition);
    if (isCondition === true) this.#sink.decided(marks);
    if (value !== undefined) return value !== 0n ? whenTrue : whenFalse;
    return this.#make(whenTrue.type, undefined, union(val(whenTrue).marks, val(whenFalse).marks));
  }
  wrap(a: Val): Val {
    return a.type === 'i32' ? a : { ...this.#compute('i32', [a], (x) => x), ...this.#origin(a, 'low') };
  }
  extendU(a: Val): Val {
    return a.type === 'i64' ? a : { ...this.#compute('i64', [a], (x) => x), ...this.#origin(a, 'zero') };
  }
  extendS(a: Val): Val {
    return a.type === 'i64' ? a : this.#compute('i64', [a], (x) => BigInt.asIntN(32, x));
  }
  zeroExtend(a: Val, fromBits: number): Val {
    return this.#compute(a.type, [a], (x) => BigInt.asUintN(fromBits, x));
  }
  signExtend(a: Val, fromBits: number): Val {
    return this.#compute(a.type, [a], (x) => BigInt.asIntN(fromBits, x));
  }
  #origin(a: Val, how: string): { from?: string } {
    const { from } = val(a);
    return from === undefined ? {} : { from: `${from} ${how}` };
  }
  op(name: string, ...args: Val[]): Val {
    return this.#compute(wasmOp(name).result as ValType, args);
  }
  lane(name: string, _lane: number, ...args: Val[]): Val {
    const shape = name.split('.')[0]!;
    const scalar: WasmType = shape === 'i64x2' ? 'i64' : shape === 'f32x4' ? 'f32' : shape === 'f64x2' ? 'f64' : 'i32';
    return this.#compute(name.includes('extract_lane') ? scalar : 'v128', args);
  }
  shuffle(a: Val, b: Val, _lanes: readonly number[]): Val {
    return this.#compute('v128', [a, b]);
  }

  // ---- control
  variable(initial: Val): Var {
    return { type: initial.type, now: val(initial) } as Variable;
  }
  get(variable: Var): Val {
    return (variable as Variable).now;
  }
  set(variable: Var, value: Val): void {
    (variable as Variable).now = val(value);
  }
  /** Where the condition is not known both ways are gone. */
  if(condition: Val, then: () => void, otherwise?: () => void): void {
    const { value } = val(condition);
    if (value !== 0n) then();
    if (value === 0n || value === undefined) otherwise?.();
  }
  loop(body: (stop: () => void) => void): void {
    try {
      for (let round = 0; round < MOST_ROUNDS; round++)
        body(() => {
          throw STOP;
        });
    } catch (thrown) {
      if (thrown !== STOP) throw thrown;
    }
  }

  // ---- state
  #piece(offset: number): { value: bigint | undefined; marks: Marks } {
    return this.#written.get(offset) ?? { value: this.#state.big(offset), marks: this.#sink.stateMarks(offset) };
  }
  #read(offset: number, bytes: number): Value {
    const type = typeOf(bytes);
    let marks = NO_MARKS;
    for (let at = offset & ~7; at < offset + bytes; at += 8) marks = union(marks, this.#piece(at).marks);
    const { value } = this.#piece(offset & ~7);
    const shifted =
      value === undefined ? undefined : BigInt.asUintN(8 * Math.min(bytes, 8), value >> BigInt(8 * (offset & 7)));
    const isWhole = !this.#written.has(offset & ~7);
    return { ...this.#make(type, shifted, marks), ...(isWhole ? { from: `${offset} ${bytes}` } : {}) };
  }
  /** @param clears what of the 8 bytes is not written becomes 0 */
  #write(offset: number, bytes: number, value: Val, clears = false): void {
    const { marks, value: known } = val(value);
    for (let at = offset & ~7; at < offset + bytes; at += 8) {
      if (bytes >= 8 || clears) {
        const whole = bytes > 8 || known === undefined ? undefined : BigInt.asUintN(8 * bytes, known);
        this.#written.set(at, { value: whole, marks });
        continue;
      }
      const old = this.#piece(at);
      const shift = BigInt(8 * (offset & 7));
      const mask = (1n << BigInt(8 * bytes)) - 1n;
      const isKnown = old.value !== undefined && known !== undefined;
      const merged = isKnown ? (old.value! & ~(mask << shift)) | ((known! & mask) << shift) : undefined;
      this.#written.set(at, { value: merged, marks: union(old.marks, marks) });
    }
  }
  gpr(register: number, width: 8 | 16 | 32 | 64): Val {
    return this.#read(S.gpr + register * 8, width / 8);
  }
  setGpr(register: number, width: 8 | 16 | 32 | 64, value: Val): void {
    this.#write(S.gpr + register * 8, width / 8, value, width === 32);
  }
  state(offset: number, type: 'i32' | 'i64' | 'v128'): Val {
    return this.#read(offset, BYTES_OF[type]);
  }
  setState(offset: number, value: Val): void {
    this.#write(offset, BYTES_OF[value.type], value);
  }

  // ---- operands
  #place(operand: Operand): Place {
    const { kind, size, register } = operand;
    const width = size as Place['width'];
    const bytes = size / 8;
    const offset =
      kind === OperandKind.Gpr
        ? gprOffset(register)
        : kind === OperandKind.Segment
          ? S.segmentSelector + register * 4
          : S.vector + register * 32;
    const isMemory = kind === OperandKind.Memory;
    const isGpr = kind === OperandKind.Gpr;
    const kindName = KIND_NAMES[kind] ?? 'other';
    const place: Place = {
      kind: kindName,
      width,
      read: () => {
        if (isMemory) return this.load(width as Width, this.linear(place));
        if (kind === OperandKind.Immediate) return this.#immediate(size === 0 ? 8 : size);
        return kindName === 'other' || kindName === 'relative'
          ? this.#giveAway()
          : this.#read(offset, Math.min(bytes, 16));
      },
      write: (value) => {
        if (isMemory) this.store(width as Width, this.linear(place), value);
        else if (kindName === 'other') this.#giveAway();
        else this.#write(offset, isGpr ? bytes : BYTES_OF[value.type], value, isGpr && size === 32);
      },
      modify: (change) => {
        if (isMemory) return this.modify(width as Width, this.linear(place), change);
        const old = place.read();
        place.write(change(old));
        return old;
      },
      readLow: (type) =>
        isMemory
          ? this.#load(this.linear(place), BYTES_OF[type], type)
          : { ...this.#read(offset, BYTES_OF[type]), type },
      writeLow: (value) => {
        if (isMemory) this.#store(this.linear(place), BYTES_OF[value.type], value);
        else this.#write(offset, BYTES_OF[value.type], value, isGpr && value.type === 'i32');
      },
      readUpper: () => this.#read(offset + 16, 16),
      writeUpper: (value) => this.#write(offset + 16, 16, value),
    };
    return place;
  }
  #immediate(size: number): Value {
    const { immediateLow, immediateHigh } = this.#instruction;
    const whole = (BigInt(immediateHigh >>> 0) << 32n) | BigInt(immediateLow >>> 0);
    return this.#constant(size === 64 ? 'i64' : 'i32', BigInt.asUintN(size, whole));
  }
  effectiveAddress(_place: Place): Val {
    const { base, index, scaleShift, displacement, displacementHigh, addressSize } = this.#instruction;
    let sum: Val = this.#constant('i64', (BigInt(displacementHigh >>> 0) << 32n) | BigInt(displacement >>> 0));
    if (base === RIP) sum = this.add(sum, this.#constant('i64', this.#next));
    else if (base >= 0) sum = this.add(sum, this.gpr(base, 64));
    if (index >= 0) sum = this.add(sum, this.shl(this.gpr(index, 64), scaleShift));
    return addressSize === 64 ? sum : this.zeroExtend(sum, addressSize);
  }
  linear(place: Place): Val {
    const { segment, mode } = this.#instruction;
    const offset = this.effectiveAddress(place);
    if (mode === 64 && segment < SEGMENT_FS) return offset;
    const linear = this.add(offset, this.state(S.segmentBase + segment * 8, 'i64'));
    return mode === 64 ? linear : this.zeroExtend(linear, 32);
  }

  // ---- memory: what it holds is not known here, where it is and its marks are
  #accessed(linear: Val): bigint | undefined {
    const { value, marks } = val(linear);
    if (marks.length > 0) this.#sink.used('address', marks);
    return value;
  }
  #load(linear: Val, bytes: number, type: ValType): Value {
    const at = this.#accessed(linear);
    return this.#make(type, undefined, at === undefined ? NO_MARKS : this.#sink.load(at, bytes));
  }
  #store(linear: Val, bytes: number, value: Val): void {
    const at = this.#accessed(linear);
    if (at !== undefined) this.#sink.store(at, bytes, val(value).marks);
  }
  load(width: Width, linear: Val): Val {
    return this.#load(linear, width / 8, typeOf(width / 8));
  }
  store(width: Width, linear: Val, value: Val): void {
    this.#store(linear, width / 8, value);
  }
  loadPair(linear: Val): readonly [Val, Val] {
    return [this.load(128, linear), this.load(128, this.add(linear, this.i64(16)))];
  }
  storePair(linear: Val, lower: Val, upper: Val): void {
    this.store(128, linear, lower);
    this.store(128, this.add(linear, this.i64(16)), upper);
  }
  modify(width: Width, linear: Val, change: (old: Val) => Val): Val {
    const old = this.load(width, linear);
    this.store(width, linear, change(old));
    return old;
  }
  push(width: 16 | 32 | 64, value: Val): void {
    const pointer = this.sub(this.gpr(4, this.facts.mode), this.int(this.facts.mode, width / 8));
    this.store(width, this.#stackLinear(pointer), value);
    this.setGpr(4, this.facts.mode, pointer);
  }
  pop(width: 16 | 32 | 64): Val {
    const pointer = this.gpr(4, this.facts.mode);
    const value = this.load(width, this.#stackLinear(pointer));
    this.setGpr(4, this.facts.mode, this.add(pointer, this.int(this.facts.mode, width / 8)));
    return value;
  }
  #stackLinear(pointer: Val): Val {
    if (this.facts.mode === 64) return pointer;
    return this.zeroExtend(this.add(this.extendU(pointer), this.state(S.segmentBase + 16, 'i64')), 32);
  }
  /** The elements that the engine does at once, if it does more than one. */
  #atOnce(width: number, count: Val, ...pointers: readonly Val[]): bigint {
    const bytes = BigInt(width / 8);
    let elements = val(count).value ?? 0n;
    for (const pointer of pointers) {
      const at = val(pointer).value;
      const room = at === undefined ? 0n : (PAGE_BYTES - (at % PAGE_BYTES)) / bytes;
      if (room < elements) elements = room;
    }
    return elements;
  }
  bulkCopy(width: 8 | 16 | 32 | 64, target: Val, source: Val, count: Val): Val {
    const elements = this.#atOnce(width, count, target, source);
    const [to, from] = [this.#accessed(target), this.#accessed(source)];
    const bytes = elements * BigInt(width / 8);
    const overlaps = to !== undefined && from !== undefined && to > from && to < from + bytes;
    if (elements === 0n || overlaps) return this.i64(0);
    this.#sink.copy(to!, from!, Number(bytes));
    return this.i64(elements);
  }
  bulkFill(width: 8 | 16 | 32 | 64, target: Val, value: Val, count: Val): Val {
    const elements = this.#atOnce(width, count, target);
    const to = this.#accessed(target);
    if (elements === 0n) return this.i64(0);
    this.#sink.store(to!, Number(elements) * (width / 8), val(value).marks);
    return this.i64(elements);
  }

  // ---- flags: their marks are one set
  #setFlags(marks: Marks): void {
    this.#flagsKnown = false;
    this.#written.set(FLAGS, { value: undefined, marks });
  }
  flag(name: Flag): Val {
    const known = this.#flagsKnown ? BigInt((this.#rflags >> RFLAGS_BIT[name]) & 1) : undefined;
    return this.#make('i32', known, this.#piece(FLAGS).marks, true);
  }
  condition(number: number): Val {
    const flag = (name: Flag): Val => this.flag(name);
    const pairs: readonly (() => Val)[] = [
      () => flag('OF'),
      () => flag('CF'),
      () => flag('ZF'),
      () => this.or(flag('CF'), flag('ZF')),
      () => flag('SF'),
      () => flag('PF'),
      () => this.xor(flag('SF'), flag('OF')),
      () => this.or(flag('ZF'), this.xor(flag('SF'), flag('OF'))),
    ];
    const holds = pairs[number >> 1]!();
    return (number & 1) === 0 ? holds : this.eqz(holds);
  }
  flagsAdd(_width: number, a: Val, b: Val, _result: Val): void {
    this.#setFlags(union(val(a).marks, val(b).marks));
  }
  flagsSub(_width: number, a: Val, b: Val, _result: Val, borrow?: Val): void {
    const marks = this.#isSame(a, b) ? NO_MARKS : union(val(a).marks, val(b).marks);
    this.#setFlags(borrow === undefined ? marks : union(marks, val(borrow).marks));
  }
  flagsLogic(_width: number, result: Val): void {
    this.#setFlags(val(result).marks);
  }
  flagsIncrement(_width: number, a: Val, _result: Val): void {
    this.#setFlags(val(a).marks);
  }
  flagsDecrement(_width: number, a: Val, _result: Val): void {
    this.#setFlags(val(a).marks);
  }
  flagsSet(values: Partial<Record<Flag, Val>>): void {
    const given = Object.values(values);
    this.#setFlags(given.reduce((marks, value) => union(marks, val(value).marks), NO_MARKS));
  }
  flagsResult(_width: number, result: Val, carry: Val, overflow: Val): void {
    this.#setFlags(union(union(val(result).marks, val(carry).marks), val(overflow).marks));
  }
  tsc(): Val {
    return this.#constant('i64', undefined);
  }

  // ---- leaving
  #giveAway(): never {
    throw GIVEN_AWAY;
  }
  raise(): void {
    this.#giveAway();
  }
  deferToHost(): void {
    this.#giveAway();
  }
  repeat(): void {
    throw DONE;
  }
  nextIp(): Val {
    const base = this.facts.mode === 64 ? this.#constant('i64', 0n) : this.state(S.segmentBase + 8, 'i64');
    return this.sub(this.#constant('i64', this.#next), base);
  }
  branch(_target: Place, condition?: Val): void {
    if (condition !== undefined) this.#sink.decided(val(condition).marks);
  }
  jump(target: Val): void {
    this.#sink.used('target', val(target).marks);
  }
}

const KIND_NAMES: Readonly<Partial<Record<OperandKind, Place['kind']>>> = {
  [OperandKind.Gpr]: 'gpr',
  [OperandKind.Memory]: 'memory',
  [OperandKind.Immediate]: 'immediate',
  [OperandKind.Relative]: 'relative',
  [OperandKind.Segment]: 'selector',
  [OperandKind.Xmm]: 'xmm',
  [OperandKind.Ymm]: 'xmm',
};
