/**
 * One table of rows describes the state of a logical processor in linear memory; engines, gdb, snapshots and traces derive from it.
 * Offsets are relative to the processor's state base.
 */

export interface StateRow {
  readonly name: string;
  /** bytes from the state base */
  readonly offset: number;
  /** bytes */
  readonly width: number;
}

const rows: StateRow[] = [];
let cursor = 0;
const row = (name: string, width: number, align = Math.min(width, 16)): number => {
  cursor = (cursor + align - 1) & -align;
  const offset = cursor;
  rows.push({ name, offset, width });
  cursor += width;
  return offset;
};
const rowArray = (names: readonly string[], width: number): number => {
  const first = row(names[0]!, width);
  for (const name of names.slice(1)) row(name, width);
  return first;
};

export const GPR_NAMES = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
] as const;
export const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const;

/** Byte offsets of the rows. */
export const S = {
  /** 16 general registers, 8 bytes each */
  gpr: rowArray(GPR_NAMES, 8),
  /** always 0: the base or index of an address that has none */
  zero: row('zero', 8),
  /** instruction pointer; current only outside generated code */
  rip: row('RIP', 8),
  /** ZF, SF, PF come from this (docs/engine.md, "Flags") */
  flagsResult: row('flagsResult', 8),
  /** CF bit 31, CF^OF bit 30, AF bit 3, sign delta bit 0, parity delta bits 15:8 */
  flagsAux: row('flagsAux', 4),
  /** RFLAGS without CF PF AF ZF SF OF; bit 1 set */
  rflags: row('rflagsSystem', 4),
  /** 6 segment bases in the order ES CS SS DS FS GS; in 64-bit mode ES CS SS DS are kept at 0 here */
  segmentBase: rowArray(
    SEGMENT_NAMES.map((name) => `${name}.base`),
    8,
  ),
  /** linear address of the 4 KiB page that is being executed */
  codePage: row('codePage', 8),
  /** record at which generated code stopped */
  exitRecord: row('exitRecord', 4),
  /** instructions left of the budget when generated code stopped; may be negative by less than a block */
  remaining: row('remaining', 4),
  /** not 0: an interrupt could be delivered if IF allowed it; code that sets IF must leave */
  interruptPending: row('interruptPending', 4),
  /** pending fault: vector, or -1 */
  faultVector: row('faultVector', 4),
  faultErrorCode: row('faultErrorCode', 4),
  /** bit 0: STI shadow, bit 1: MOV-SS shadow (as the VMX interruptibility state) */
  interruptShadow: row('interruptShadow', 4),
  cpl: row('CPL', 4),
  /** absolute offset of the data TLB for the current privilege (user, supervisor, supervisor with AC) */
  dataTlb: row('dataTlb', 4),
  /** absolute offset of the code TLB for the current privilege */
  codeTlb: row('codeTlb', 4),
  /** the same of the jump cache, and absolute offset of the list of entries filled */
  jumpCache: row('jumpCache', 4),
  jumpFills: row('jumpFills', 4),
  /** for walks in generated code: absolute offset of the remembered second-level entries; 0: the host walks */
  walkSlots: row('walkSlots', 4),
  /** data TLB entries filled since the last flush that are not global, and absolute offset of the list of them */
  localFills: row('localFills', 4),
  localEntries: row('localEntries', 4),
  /** bits that are 0 in a valid paging-structure entry of IA-32e mode with NXE set */
  walkReserved: row('walkReserved', 8),
  /** 64-byte scratch through which page-crossing and unusual accesses go */
  bounce: row('bounce', 64),
  /** what the TSC reads, in ticks, when no instruction of the budget is left; an f64 */
  tscAtEnd: row('tscAtEnd', 8),
  segmentSelector: rowArray(
    SEGMENT_NAMES.map((name) => `${name}.selector`),
    4,
  ),
  /** access rights in VMX format: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16 */
  segmentRights: rowArray(
    SEGMENT_NAMES.map((name) => `${name}.rights`),
    4,
  ),
  /** limit in bytes */
  segmentLimit: rowArray(
    SEGMENT_NAMES.map((name) => `${name}.limit`),
    4,
  ),
  ldtrSelector: row('LDTR.selector', 4),
  ldtrRights: row('LDTR.rights', 4),
  ldtrLimit: row('LDTR.limit', 4),
  trSelector: row('TR.selector', 4),
  trRights: row('TR.rights', 4),
  trLimit: row('TR.limit', 4),
  gdtrLimit: row('GDTR.limit', 4),
  idtrLimit: row('IDTR.limit', 4),
  ldtrBase: row('LDTR.base', 8),
  trBase: row('TR.base', 8),
  gdtrBase: row('GDTR.base', 8),
  idtrBase: row('IDTR.base', 8),
  cr0: row('CR0', 8),
  cr2: row('CR2', 8),
  cr3: row('CR3', 8),
  cr4: row('CR4', 8),
  cr8: row('CR8', 8),
  efer: row('EFER', 8),
  xcr0: row('XCR0', 8),
  xss: row('XSS', 8),
  /** rights of protection keys: access-disable 2n, write-disable 2n + 1; of user pages, and of supervisor pages */
  pkru: row('PKRU', 4),
  pkrs: row('PKRS', 8),
  dr: rowArray(['DR0', 'DR1', 'DR2', 'DR3'], 8),
  dr6: row('DR6', 8),
  dr7: row('DR7', 8),
  star: row('STAR', 8),
  lstar: row('LSTAR', 8),
  cstar: row('CSTAR', 8),
  fmask: row('FMASK', 8),
  kernelGsBase: row('KERNEL_GS_BASE', 8),
  tscAux: row('TSC_AUX', 8),
  sysenterCs: row('SYSENTER_CS', 8),
  sysenterEsp: row('SYSENTER_ESP', 8),
  sysenterEip: row('SYSENTER_EIP', 8),
  pat: row('PAT', 8),
  specCtrl: row('SPEC_CTRL', 8),
  mxcsr: row('MXCSR', 4),
  fpuControl: row('FCW', 4),
  fpuStatus: row('FSW', 4),
  /** abridged tag: bit n set = physical register n valid */
  fpuTag: row('FTW', 4),
  fpuOpcode: row('FOP', 4),
  fpuIp: row('FIP', 8),
  fpuDp: row('FDP', 8),
  /** 8 physical x87 registers, 10 bytes used of 16 */
  fpuRegister: rowArray(
    Array.from({ length: 8 }, (_, i) => `R${i}_80`),
    16,
  ),
  /** 16 vector registers, 32 bytes each: XMM in the low half */
  vector: (() => {
    const names = Array.from({ length: 16 }, (_, i) => `YMM${i}`);
    const first = row(names[0]!, 32, 32);
    for (const name of names.slice(1)) row(name, 32, 32);
    return first;
  })(),
  dsArea: row('DS_AREA', 8),
  /** bases that the descriptors of ES CS SS DS gave, which segmentBase hides in 64-bit mode */
  descriptorBase: rowArray(
    SEGMENT_NAMES.slice(0, 4).map((name) => `${name}.descriptorBase`),
    8,
  ),
} as const;

export const STATE_ROWS: readonly StateRow[] = rows;
/** Bytes of one processor's state block. */
export const STATE_BYTES = 4096;
if (cursor > STATE_BYTES) throw new Error('the state rows outgrew STATE_BYTES');

/** 32-bit halves of one processor's state, by row offset. */
export class CpuState {
  /** byte offset of the state block in linear memory */
  readonly base: number;
  /** the 16 general registers as halves: a view, for observers */
  readonly gprs: Int32Array;
  readonly #i32: Int32Array;
  readonly #u64: BigUint64Array;
  readonly #f64: Float64Array;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.base = base;
    this.gprs = new Int32Array(memory.buffer, base + S.gpr, 2 * GPR_NAMES.length);
    this.#i32 = new Int32Array(memory.buffer, base, STATE_BYTES / 4);
    this.#u64 = new BigUint64Array(memory.buffer, base, STATE_BYTES / 8);
    this.#f64 = new Float64Array(memory.buffer, base, STATE_BYTES / 8);
  }

  /** Low 32 bits (signed) of the row at `offset`. */
  low(offset: number): number {
    return this.#i32[offset >> 2]!;
  }

  /** High 32 bits (signed) of the 8-byte row at `offset`. */
  high(offset: number): number {
    return this.#i32[(offset >> 2) + 1]!;
  }

  setLow(offset: number, value: number): void {
    this.#i32[offset >> 2] = value;
  }

  /** Sets both halves of an 8-byte row. */
  set(offset: number, low: number, high: number): void {
    this.#i32[offset >> 2] = low;
    this.#i32[(offset >> 2) + 1] = high;
  }

  copy(to: number, from: number): void {
    this.set(to, this.low(from), this.high(from));
  }

  /** The 8-byte row as an f64. */
  float(offset: number): number {
    return this.#f64[offset >> 3]!;
  }

  setFloat(offset: number, value: number): void {
    this.#f64[offset >> 3] = value;
  }

  /** The 8-byte row as a bigint: for doors and rare paths only. */
  big(offset: number): bigint {
    return this.#u64[offset >> 3]!;
  }

  setBig(offset: number, value: bigint): void {
    this.#u64[offset >> 3] = value;
  }
}
