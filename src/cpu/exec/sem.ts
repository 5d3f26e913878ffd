/**
 * The builder in which the meaning of each instruction is written, once. A semantic function runs at generation time and
 * records an expression graph; a binding decides what operands are (fields of a predecoded record for the interpreter,
 * constants and wasm locals for the compiler), and the graph becomes WebAssembly.
 */

export type ValType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** An immutable value: what the expression was worth at the place where it was made. Use it as often as you like. */
export interface Val {
  readonly type: ValType;
}

/** A mutable local, for loops. Read it with `get`, change it with `set`. */
export interface Var {
  readonly type: ValType;
}

/** Operand width in bits. Integer values of 8, 16 and 32 bits are i32 (8 and 16 zero-extended when read; upper bits ignored when written); 64 is i64; 128 is v128. */
export type Width = 8 | 16 | 32 | 64 | 128;

/** One operand of the instruction under construction. */
export interface Place {
  /** xmm: a vector register, of 128 or 256 bits */
  readonly kind: 'gpr' | 'selector' | 'memory' | 'immediate' | 'relative' | 'xmm' | 'other';
  readonly width: Width | 256 | 0;
  /** The value, zero-extended for 8 and 16 bits. Immediates come at the width of the operand. Xmm: the lower 128 bits. May fault (memory; of 256 bits only by `loadPair`). */
  read(): Val;
  /** Writes; a 32-bit general register write clears the upper half, 8 and 16 bits leave the rest. May fault (memory): write memory before changing any register. */
  write(value: Val): void;
  /** Read-modify-write with one translation; faults before `change` runs; returns the old value. `change` must have no other effects than computing. */
  modify(change: (old: Val) => Val): Val;
  /** Xmm or memory or gpr, low lane only, as the given type (memory: reads just that many bytes). */
  readLow(type: ValType): Val;
  /** Xmm: replaces the low lane, keeps the rest. Memory: stores that many bytes. */
  writeLow(value: Val): void;
  /** Xmm: bits 255:128 of the register, whatever the operand's width. */
  readUpper(): Val;
  writeUpper(value: Val): void;
}

/** What is known when the handler is generated; part of its key only if the operation names it in `varies`. */
export interface Facts {
  readonly operation: string;
  readonly condition: number;
  /** 16, 32 or 64: always in the key */
  readonly operandSize: 16 | 32 | 64;
  /** code segment mode; only if `varies` has "mode" (else 64) */
  readonly mode: 32 | 64;
  /** only if `varies` has "addressSize" */
  readonly addressSize: 16 | 32 | 64;
  /** REP (F3) / REPNE (F2) prefix; only if `varies` has "rep" */
  readonly rep: 'none' | 'rep' | 'repne';
}

export type Flag = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF';

export interface Sem {
  readonly facts: Facts;

  // ---- constants
  i32(value: number): Val;
  /** 64-bit constant; a number is sign-extended from its exact value */
  i64(value: number | bigint): Val;
  f32(value: number): Val;
  f64(value: number): Val;
  v128(bytes: readonly number[]): Val;
  /** i32 or i64 constant, to match an operand width (8, 16, 32: i32) */
  int(width: number, value: number | bigint): Val;

  // ---- arithmetic; both sides have the same type, i32 or i64; comparisons give i32 0 or 1
  add(a: Val, b: Val): Val;
  sub(a: Val, b: Val): Val;
  mul(a: Val, b: Val): Val;
  and(a: Val, b: Val): Val;
  or(a: Val, b: Val): Val;
  xor(a: Val, b: Val): Val;
  not(a: Val): Val;
  neg(a: Val): Val;
  /** shift counts have the type of `a` or are numbers; wasm masks them by the type's width */
  shl(a: Val, count: Val | number): Val;
  shrU(a: Val, count: Val | number): Val;
  shrS(a: Val, count: Val | number): Val;
  rotl(a: Val, count: Val | number): Val;
  rotr(a: Val, count: Val | number): Val;
  eqz(a: Val): Val;
  eq(a: Val, b: Val): Val;
  ne(a: Val, b: Val): Val;
  ltU(a: Val, b: Val): Val;
  ltS(a: Val, b: Val): Val;
  gtU(a: Val, b: Val): Val;
  gtS(a: Val, b: Val): Val;
  leU(a: Val, b: Val): Val;
  geU(a: Val, b: Val): Val;
  /** i32 condition */
  select(condition: Val, whenTrue: Val, whenFalse: Val): Val;
  /** i64 to i32 (identity on i32) */
  wrap(a: Val): Val;
  /** i32 to i64 (identity on i64) */
  extendU(a: Val): Val;
  extendS(a: Val): Val;
  /** keeps the low 8/16/32 bits of an i32 or i64, zero-extended in its type */
  zeroExtend(a: Val, fromBits: number): Val;
  /** sign-extends the low 8/16/32 bits within the value's type */
  signExtend(a: Val, fromBits: number): Val;
  /** any other wasm instruction by its text name without immediates: b.op('i8x16.add', x, y), b.op('f64.sqrt', x), b.op('i32x4.trunc_sat_f64x2_s_zero', x) */
  op(name: string, ...args: Val[]): Val;
  /** lane instructions: b.lane('i32x4.extract_lane', 2, x), b.lane('i64x2.replace_lane', 0, x, v) */
  lane(name: string, lane: number, ...args: Val[]): Val;
  /** i8x16.shuffle with 16 lane numbers 0-31 */
  shuffle(a: Val, b: Val, lanes: readonly number[]): Val;

  // ---- control
  variable(initial: Val): Var;
  get(variable: Var): Val;
  set(variable: Var, value: Val): void;
  if(condition: Val, then: () => void, otherwise?: () => void): void;
  /** Repeats `body`; it leaves by `stop()` (usually within an `if`) and goes round otherwise. Keep it bounded: no guest-controlled count above 4096 rounds. */
  loop(body: (stop: () => void) => void): void;

  // ---- guest registers and memory
  /** general register by number at a width (8-bit: AL.. low byte only) */
  gpr(register: number, width: 8 | 16 | 32 | 64): Val;
  setGpr(register: number, width: 8 | 16 | 32 | 64, value: Val): void;
  /** effective linear address of a memory operand, i64, segment base added, wrapped to the address size */
  linear(place: Place): Val;
  /** effective address without segment base (LEA) */
  effectiveAddress(place: Place): Val;
  /** memory at a linear address (i64); 8/16 zero-extend into i32; 128 gives v128 */
  load(width: Width, linear: Val): Val;
  store(width: Width, linear: Val, value: Val): void;
  /** 32 bytes of memory, lower half first, with one translation; faults before either half is read or written */
  loadPair(linear: Val): readonly [Val, Val];
  storePair(linear: Val, lower: Val, upper: Val): void;
  /** read-modify-write at a linear address, as Place.modify */
  modify(width: Width, linear: Val, change: (old: Val) => Val): Val;
  /** state rows (S.xxx) at 32 or 64 bits, 'v128' for vector registers */
  state(offset: number, type: 'i32' | 'i64' | 'v128'): Val;
  setState(offset: number, value: Val): void;
  /** stack in the operand's mode: width 16, 32 or 64; the store happens before RSP changes */
  push(width: 16 | 32 | 64, value: Val): void;
  /** loads the top of the stack and adds to RSP */
  pop(width: 16 | 32 | 64): Val;

  /**
   * Copies up to `count` (i64, unsigned, not 0) elements of `width` bits upwards from linear address `source` to `target` (both i64, of the first
   * element) and returns how many it did (i64). Both are translated first, source then target, and fault as a load and a store of the first element
   * would, nothing done. It stays within one page on each side: the result is at most the whole elements before the nearer page end. It returns 0,
   * with nothing done, whenever it cannot: an element crosses a page, or target lies above source by less than the bytes to be copied (element by
   * element, what was written would be read again; memory.copy would not see that). Where decoded code lies it does nothing and returns the negated
   * count it would have done otherwise: so many elements are to be done one by one, since what happens to be decoded must not show.
   */
  bulkCopy(width: 8 | 16 | 32 | 64, target: Val, source: Val, count: Val): Val;
  /** As `bulkCopy` for one value (at `width`, as in `store`): fills upwards from `target`, within its page, and returns the elements done (i64), as `bulkCopy` does. */
  bulkFill(width: 8 | 16 | 32 | 64, target: Val, value: Val, count: Val): Val;

  // ---- flags; of values at 8 and 16 bits the bits above the width are ignored here too
  flag(name: Flag): Val;
  /** condition 0-15 as in Jcc, i32 0 or 1 */
  condition(number: number): Val;
  /** after r = a + b (+ carry): all six */
  flagsAdd(width: number, a: Val, b: Val, result: Val): void;
  /** after r = a - b - borrow: all six */
  flagsSub(width: number, a: Val, b: Val, result: Val, borrow?: Val): void;
  /** CF = OF = AF = 0; ZF SF PF from the result */
  flagsLogic(width: number, result: Val): void;
  /** as flagsAdd/flagsSub with b = 1, CF kept */
  flagsIncrement(width: number, a: Val, result: Val): void;
  flagsDecrement(width: number, a: Val, result: Val): void;
  /** sets those named (i32, 0 or 1), keeps the others */
  flagsSet(values: Partial<Record<Flag, Val>>): void;
  /** ZF SF PF from the result, CF and OF given, AF 0 */
  flagsResult(width: number, result: Val, carry: Val, overflow: Val): void;

  /** the time stamp counter as this instruction reads it, i64 */
  tsc(): Val;

  // ---- leaving
  /** fault with a vector (error code where the vector has one); nothing after it runs */
  raise(vector: number, errorCode?: number): void;
  /** the operation's `host` function does the whole instruction instead; call it before any effect */
  deferToHost(): void;
  /**
   * Executes the same instruction once more: RIP stays, one instruction of the budget is used, and events are taken in between as between any two
   * instructions. Nothing after it runs; what was changed before it stays changed.
   */
  repeat(): void;
  /** RIP of the next instruction as the guest sees it (i64) */
  nextIp(): Val;
  /** goes to the relative operand, always or if `condition` (i32) holds */
  branch(target: Place, condition?: Val): void;
  /** goes to an absolute instruction pointer (i64) */
  jump(target: Val): void;
}

/** An operation of the processor: how it is generated, or what the host does for it, or both (generated fast path with `deferToHost`). */
export interface Operation {
  emit?: (b: Sem, ...operands: Place[]) => void;
  /** name of the facts that make different handlers */
  varies?: readonly ('mode' | 'addressSize' | 'rep')[];
  host?: import('../processor.ts').HostOperation;
  /** what the host needs of an instruction that ends a straight run (far transfers and the like): decoding stops after it */
  endsBlock?: boolean;
}

/** Operations by `Form.operation`. Each file in `exec/` exports one such table. */
export type OperationTable = Readonly<Record<string, Operation>>;
