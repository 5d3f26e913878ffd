/** The model-specific registers that the processor itself has (SDM vol. 4, "Model-Specific Registers"). */
import { Cr0, Cr4, Efer } from './architecture.ts';
import { setTaskPriority } from './control-registers.ts';
import type { Processor } from './processor.ts';
import { canonical, finishTransfer, Segment } from './segments.ts';
import { S } from './state.ts';
import { VirtualApic, X2Apic } from './virtual-apic.ts';

export interface MsrRow {
  readonly number: number;
  readonly name: string;
  /** the state row that holds it */
  readonly row?: number;
  /** puts the value into cpu.dataLow/dataHigh; the row is copied if absent. 'none': write-only */
  readonly get?: ((cpu: Processor) => void) | 'none';
  /** false: the value is not allowed, #GP */
  readonly valid?: (cpu: Processor, low: number, high: number) => boolean;
  /** stores a valid value; the row is set if absent. 'none': read-only */
  readonly set?: ((cpu: Processor, low: number, high: number) => void) | 'none';
}

const isCanonicalValue = (cpu: Processor, _low: number, high: number): boolean => canonical(cpu, high);
const only =
  (lowMask: number) =>
  (_cpu: Processor, low: number, high: number): boolean =>
    high === 0 && (low & ~lowMask) === 0;
const ignore = (): void => {};

/** Each of eight bytes is a memory type that exists. */
function isPat(_cpu: Processor, low: number, high: number): boolean {
  for (let i = 0; i < 8; i++) {
    const type = ((i < 4 ? low : high) >>> ((i & 3) * 8)) & 0xff;
    if (type > 7 || type === 2 || type === 3) return false;
  }
  return true;
}

function isEfer(cpu: Processor, low: number, high: number): boolean {
  if (high !== 0 || (low & ~(Efer.SCE | Efer.LME | Efer.LMA | Efer.NXE)) !== 0) return false;
  const paging = (cpu.state.low(S.cr0) & Cr0.PG) !== 0;
  return !paging || ((low ^ cpu.state.low(S.efer)) & Efer.LME) === 0;
}

const isSpecCtrl = (cpu: Processor, low: number, high: number): boolean =>
  high === 0 && (low & ~cpu.controls.specCtrlSupported) === 0;

function setEfer(cpu: Processor, low: number): void {
  const old = cpu.state.low(S.efer);
  const value = (low & ~Efer.LMA) | (old & Efer.LMA);
  cpu.state.set(S.efer, value, 0);
  if (((old ^ value) & Efer.NXE) !== 0) cpu.flushTlb(true);
  finishTransfer(cpu);
}

function setPkrs(cpu: Processor, low: number): void {
  const old = cpu.state.low(S.pkrs);
  cpu.state.set(S.pkrs, low, 0);
  if (old !== low && (cpu.state.low(S.cr4) & Cr4.PKS) !== 0) cpu.flushTlb(true);
}

export const MSR_ROWS: readonly MsrRow[] = [
  { number: 0x10, name: 'IA32_TIME_STAMP_COUNTER', get: (cpu) => cpu.readTsc(), set: 'none' },
  { number: 0x48, name: 'IA32_SPEC_CTRL', row: S.specCtrl, valid: isSpecCtrl },
  { number: 0x49, name: 'IA32_PRED_CMD', get: 'none', valid: only(1), set: ignore },
  { number: 0x10b, name: 'IA32_FLUSH_CMD', get: 'none', valid: only(1), set: ignore },
  { number: 0x174, name: 'IA32_SYSENTER_CS', row: S.sysenterCs },
  { number: 0x175, name: 'IA32_SYSENTER_ESP', row: S.sysenterEsp, valid: isCanonicalValue },
  { number: 0x176, name: 'IA32_SYSENTER_EIP', row: S.sysenterEip, valid: isCanonicalValue },
  { number: 0x277, name: 'IA32_PAT', row: S.pat, valid: isPat },
  { number: 0x600, name: 'IA32_DS_AREA', row: S.dsArea, valid: isCanonicalValue },
  { number: 0x6e1, name: 'IA32_PKRS', row: S.pkrs, valid: only(-1), set: setPkrs },
  { number: 0xda0, name: 'IA32_XSS', row: S.xss, valid: only(0) },
  { number: 0xc000_0080, name: 'IA32_EFER', row: S.efer, valid: isEfer, set: setEfer },
  { number: 0xc000_0081, name: 'IA32_STAR', row: S.star },
  { number: 0xc000_0082, name: 'IA32_LSTAR', row: S.lstar, valid: isCanonicalValue },
  { number: 0xc000_0083, name: 'IA32_CSTAR', row: S.cstar, valid: isCanonicalValue },
  { number: 0xc000_0084, name: 'IA32_FMASK', row: S.fmask, valid: only(-1) },
  { number: 0xc000_0100, name: 'IA32_FS_BASE', row: S.segmentBase + Segment.Fs * 8, valid: isCanonicalValue },
  { number: 0xc000_0101, name: 'IA32_GS_BASE', row: S.segmentBase + Segment.Gs * 8, valid: isCanonicalValue },
  { number: 0xc000_0102, name: 'IA32_KERNEL_GS_BASE', row: S.kernelGsBase, valid: isCanonicalValue },
  { number: 0xc000_0103, name: 'IA32_TSC_AUX', row: S.tscAux, valid: only(-1) },
];

const ROW_OF: ReadonlyMap<number, MsrRow> = new Map(MSR_ROWS.map((row) => [row.number, row]));

/** Reads an MSR of the processor into cpu.dataLow/dataHigh; false if there is none or it cannot be read (#GP). Controls are not asked. */
export function readMsr(cpu: Processor, number: number): boolean {
  if (VirtualApic.isRegister(number)) {
    const value = cpu.apic.readRegister(number);
    if (value === undefined) return false;
    cpu.dataLow = value | 0;
    cpu.dataHigh = 0;
    return true;
  }
  const msr = ROW_OF.get(number);
  if (msr === undefined || msr.get === 'none') return false;
  if (msr.get !== undefined) msr.get(cpu);
  else {
    cpu.dataLow = cpu.state.low(msr.row!);
    cpu.dataHigh = cpu.state.high(msr.row!);
  }
  return true;
}

/** Writes an MSR of the processor; false if there is none or the value is not allowed (#GP). Controls are not asked. */
export function writeMsr(cpu: Processor, number: number, low: number, high: number): boolean {
  if (VirtualApic.isRegister(number)) {
    if (!cpu.apic.writeRegister(number, low, high)) return false;
    if (number === X2Apic.Tpr) setTaskPriority(cpu, low);
    return true;
  }
  const msr = ROW_OF.get(number);
  if (msr === undefined || msr.set === 'none' || msr.valid?.(cpu, low, high) === false) return false;
  if (msr.set !== undefined) msr.set(cpu, low, high);
  else cpu.state.set(msr.row!, low, high);
  return true;
}
