/** General registers as they cross a door (SEAMCALL, TDCALL): both views over one buffer, so hot code uses halves and scripts use bigint. */

export const Gpr = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RSP: 4,
  RBP: 5,
  RSI: 6,
  RDI: 7,
  R8: 8,
  R9: 9,
  R10: 10,
  R11: 11,
  R12: 12,
  R13: 13,
  R14: 14,
  R15: 15,
} as const;
export type Gpr = (typeof Gpr)[keyof typeof Gpr];

export class RegisterFile {
  readonly u64: BigUint64Array;
  /** 32-bit halves: low of register n at 2n, high at 2n + 1 */
  readonly u32: Uint32Array;
  readonly #words: Float64Array;
  readonly #xmm = new Uint8Array(256);
  readonly #xmmWords = new Float64Array(this.#xmm.buffer);
  /** somebody has had the XMM registers in hand since they were cleared */
  #xmmUsed = false;

  constructor() {
    const buffer = new ArrayBuffer(128);
    this.u64 = new BigUint64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.#words = new Float64Array(buffer);
  }

  /** XMM0-XMM15, 16 bytes each; only those that TDG.VP.VMCALL exposes ever cross */
  get xmm(): Uint8Array {
    this.#xmmUsed = true;
    return this.#xmm;
  }

  low(register: Gpr): number {
    return this.u32[register * 2]!;
  }

  high(register: Gpr): number {
    return this.u32[register * 2 + 1]!;
  }

  /** The register as a number: exact for values below 2^53 (addresses, lengths), never for arbitrary data. */
  number(register: Gpr): number {
    return this.u32[register * 2 + 1]! * 0x1_0000_0000 + this.u32[register * 2]!;
  }

  set(register: Gpr, low: number, high: number): void {
    this.u32[register * 2] = low;
    this.u32[register * 2 + 1] = high;
  }

  /** Sets a non-negative integer below 2^53. */
  setNumber(register: Gpr, value: number): void {
    this.u32[register * 2] = value;
    this.u32[register * 2 + 1] = value / 0x1_0000_0000; // the fraction is cut off
  }

  /** General registers to zero. A loop: the built-in fill costs more than these few words. */
  clear(): void {
    const words = this.#words;
    for (let i = 0; i < 16; i++) words[i] = 0;
  }

  clearXmm(): void {
    if (!this.#xmmUsed) return;
    this.#xmmWords.fill(0);
    this.#xmmUsed = false;
  }

  zero(registers: readonly Gpr[]): void {
    for (let i = 0; i < registers.length; i++) this.set(registers[i]!, 0, 0);
  }
}
