/** The body of one WebAssembly function, written byte by byte. */
import { TYPE_CODE, type WasmType, wasmOp } from './opcodes.ts';

export class Code {
  bytes = new Uint8Array(512);
  length = 0;
  /** imported function that stands for the function table; undefined: the module imports the table itself */
  tableImport: number | undefined;
  /** blocks, loops and ifs that are open */
  depth = 0;
  /** types of the locals behind the parameters */
  readonly locals: WasmType[] = [];
  readonly #parameters: number;
  /** locals that nobody holds, and those held, in the order in which they were taken */
  readonly #free: number[] = [];
  readonly #taken: number[] = [];
  /** offset of a branch instruction in the body and whether it is likely (the branch hinting proposal) */
  readonly hints: { at: number; likely: boolean }[] = [];

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = value;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 128) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 127n);
      rest >>= 7n;
      if ((rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  local(type: WasmType): number {
    const free = this.#free.findLastIndex((local) => this.locals[local - this.#parameters] === type);
    const local = free >= 0 ? this.#free.splice(free, 1)[0]! : this.#parameters + this.locals.push(type) - 1;
    this.#taken.push(local);
    return local;
  }

  /** Locals taken after this are given back by `releaseLocals`. */
  markLocals(): number {
    return this.#taken.length;
  }

  releaseLocals(mark: number): void {
    this.#free.push(...this.#taken.splice(mark));
  }

  get(local: number): void {
    this.byte(0x20);
    this.unsigned(local);
  }

  set(local: number): void {
    this.byte(0x21);
    this.unsigned(local);
  }

  tee(local: number): void {
    this.byte(0x22);
    this.unsigned(local);
  }

  i32(value: number): void {
    this.byte(0x41);
    this.signed(value);
  }

  i64(value: bigint): void {
    this.byte(0x42);
    if (value >= -0x8000_0000n && value <= 0x7fff_ffffn) this.signed(Number(value));
    else this.signed64(value);
  }

  f32(value: number): void {
    this.byte(0x43);
    for (const byte of new Uint8Array(new Float32Array([value]).buffer)) this.byte(byte);
  }

  f64(value: number): void {
    this.byte(0x44);
    for (const byte of new Uint8Array(new Float64Array([value]).buffer)) this.byte(byte);
  }

  v128(bytes: readonly number[]): void {
    this.byte(0xfd);
    this.byte(12);
    for (const byte of bytes) this.byte(byte);
  }

  op(name: string): void {
    for (const byte of wasmOp(name).bytes) this.byte(byte);
  }

  lane(name: string, lane: number): void {
    this.op(name);
    this.byte(lane);
  }

  shuffle(lanes: readonly number[]): void {
    this.byte(0xfd);
    this.byte(13);
    for (const lane of lanes) this.byte(lane);
  }

  /** A load or store by name, with its address on the stack; natural alignment is never promised. */
  memory(name: keyof typeof MEMORY_OPS, offset: number): void {
    for (const byte of MEMORY_OPS[name]) this.byte(byte);
    this.byte(0);
    this.unsigned(offset);
  }

  memoryCopy(): void {
    for (const byte of [0xfc, 10, 0, 0]) this.byte(byte);
  }

  memoryFill(): void {
    for (const byte of [0xfc, 11, 0]) this.byte(byte);
  }

  if(result?: WasmType, likely?: boolean): void {
    if (likely !== undefined) this.hints.push({ at: this.length, likely });
    this.byte(0x04);
    this.depth++;
    this.byte(result === undefined ? 0x40 : TYPE_CODE[result]);
  }

  else(): void {
    this.byte(0x05);
  }

  end(): void {
    this.depth--;
    this.byte(0x0b);
  }

  block(): void {
    this.depth++;
    this.byte(0x02);
    this.byte(0x40);
  }

  loop(): void {
    this.depth++;
    this.byte(0x03);
    this.byte(0x40);
  }

  br(depth: number): void {
    this.byte(0x0c);
    this.unsigned(depth);
  }

  /** Branches out of (or, for a loop, back to) the construct that made `depth` what it is given. */
  brTo(depth: number): void {
    this.br(this.depth - depth);
  }

  brTable(depths: readonly number[], otherwise: number): void {
    this.byte(0x0e);
    this.unsigned(depths.length);
    for (const depth of depths) this.unsigned(this.depth - depth);
    this.unsigned(this.depth - otherwise);
  }

  brIf(depth: number, likely?: boolean): void {
    if (likely !== undefined) this.hints.push({ at: this.length, likely });
    this.byte(0x0d);
    this.unsigned(depth);
  }

  return(): void {
    this.byte(0x0f);
  }

  call(functionIndex: number): void {
    this.byte(0x10);
    this.unsigned(functionIndex);
  }

  returnCall(functionIndex: number): void {
    this.byte(0x12);
    this.unsigned(functionIndex);
  }

  returnCallIndirect(typeIndex: number): void {
    this.byte(0x13);
    this.unsigned(typeIndex);
    this.byte(0);
  }

  callIndirect(typeIndex: number): void {
    this.byte(0x11);
    this.unsigned(typeIndex);
    this.byte(0);
  }

  drop(): void {
    this.byte(0x1a);
  }

  select(): void {
    this.byte(0x1b);
  }

  unreachable(): void {
    this.byte(0x00);
  }
}

const MEMORY_OPS = {
  'i32.load': [0x28],
  'i64.load': [0x29],
  'f32.load': [0x2a],
  'f64.load': [0x2b],
  'i32.load8_s': [0x2c],
  'i32.load8_u': [0x2d],
  'i32.load16_s': [0x2e],
  'i32.load16_u': [0x2f],
  'i64.load8_s': [0x30],
  'i64.load8_u': [0x31],
  'i64.load16_s': [0x32],
  'i64.load16_u': [0x33],
  'i64.load32_s': [0x34],
  'i64.load32_u': [0x35],
  'i32.store': [0x36],
  'i64.store': [0x37],
  'f32.store': [0x38],
  'f64.store': [0x39],
  'i32.store8': [0x3a],
  'i32.store16': [0x3b],
  'v128.load': [0xfd, 0],
  'v128.store': [0xfd, 11],
} as const satisfies Record<string, readonly number[]>;
export type MemoryOp = keyof typeof MEMORY_OPS;
