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
  /** the same, signed, as the registers of a processor are */
  readonly i32: Int32Array;
  readonly #words: Float64Array;
  readonly #xmm = new Uint8Array(256);
  readonly #xmmWords = new Float64Array(this.#xmm.buffer);
  /** somebody has had the XMM registers in hand since they were cleared */
  #xmmUsed = false;

  constructor() {
    const buffer = new ArrayBuffer(128);
    this.u64 = new BigUint64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
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
    const { u32 } = this;
    const high = u32[register * 2 + 1]!;
    const low = u32[register * 2]!;
    return high === 0 ? low : high * 0x1_0000_0000 + low; // small numbers stay small ones to V8
  }

  set(register: Gpr, low: number, high: number): void {
    this.u32[register * 2] = low;
    this.u32[register * 2 + 1] = high;
  }

  /** Sets a non-negative integer below 2^53. */
  setNumber(register: Gpr, value: number): void {
    this.u32[register * 2] = value;
    this.u32[register * 2 + 1] = value > 0xffff_ffff ? value / 0x1_0000_0000 : 0; // the fraction is cut off
  }

  /** General registers to zero, without a loop: the built-in fill costs more than these few words, and a loop more before it is compiled. */
  clear(): void {
    const words = this.#words;
    words[0] = words[1] = words[2] = words[3] = 0;
    words[4] = words[5] = words[6] = words[7] = 0;
    words[8] = words[9] = words[10] = words[11] = 0;
    words[12] = words[13] = words[14] = words[15] = 0;
  }

  /** A call's leaf, RCX and RDX; the other registers stay. Numbers as `setNumber` takes them. */
  setCall(leaf: number, rcx: number, rdx: number): void {
    const { u32 } = this;
    u32[Gpr.RAX * 2] = leaf;
    u32[Gpr.RAX * 2 + 1] = 0;
    u32[Gpr.RCX * 2] = rcx;
    u32[Gpr.RCX * 2 + 1] = rcx > 0xffff_ffff ? rcx / 0x1_0000_0000 : 0;
    u32[Gpr.RDX * 2] = rdx;
    u32[Gpr.RDX * 2 + 1] = rdx > 0xffff_ffff ? rdx / 0x1_0000_0000 : 0;
  }

  clearXmm(): void {
    if (!this.#xmmUsed) return;
    this.#xmmWords.fill(0);
    this.#xmmUsed = false;
  }

  zero(registers: readonly Gpr[]): void {
    const words = this.#words;
    for (let i = 0; i < registers.length; i++) words[registers[i]!] = 0;
  }
}
