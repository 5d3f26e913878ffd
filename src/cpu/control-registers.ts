/** Control registers: guest-host masks, consistency checks, and what follows from a change (SDM vol. 3, "Control Registers"). */
import { Cr0, Cr4, Efer } from './architecture.ts';
import type { Processor } from './processor.ts';
import { finishTransfer, generalProtection, is64Bit, isLongMode, Rights, Segment } from './segments.ts';
import { S } from './state.ts';

const CR0_DEFINED = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.ET | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG;
/** bits whose change makes cached translations wrong */
const CR0_TRANSLATION = Cr0.PG | Cr0.WP;
const CR4_TRANSLATION = Cr4.PSE | Cr4.PAE | Cr4.PGE | Cr4.LA57 | Cr4.PCIDE | Cr4.SMEP | Cr4.SMAP | Cr4.PKE | Cr4.PKS;
const CR3_NO_FLUSH_HIGH = 1 << 31;

/** CR0 and CR4 as the guest reads them: host-owned bits come from the shadow. */
export function guestCr0(cpu: Processor): number {
  const { cr0HostMask, cr0ReadShadow } = cpu.controls;
  return (cpu.state.low(S.cr0) & ~cr0HostMask) | (cr0ReadShadow & cr0HostMask);
}

export function guestCr4(cpu: Processor): number {
  const { cr4HostMask, cr4ReadShadow } = cpu.controls;
  return (cpu.state.low(S.cr4) & ~cr4HostMask) | (cr4ReadShadow & cr4HostMask);
}

/** Would this write to CR0 or CR4 leave the guest? */
export function cr0WriteExits(cpu: Processor, value: number): boolean {
  return ((value ^ cpu.controls.cr0ReadShadow) & cpu.controls.cr0HostMask) !== 0;
}

export function cr4WriteExits(cpu: Processor, value: number): boolean {
  return ((value ^ cpu.controls.cr4ReadShadow) & cpu.controls.cr4HostMask) !== 0;
}

/** Writes the guest's bits of CR0; switches long mode with paging. #GP(0) for combinations that do not exist. */
export function writeCr0(cpu: Processor, low: number, high: number): void {
  const { state } = cpu;
  const old = state.low(S.cr0);
  const mask = cpu.controls.cr0HostMask;
  const value = (old & mask) | (low & ~mask & CR0_DEFINED) | Cr0.ET;
  const paging = (value & Cr0.PG) !== 0;
  if (high !== 0) throw generalProtection(0);
  if (paging && (value & Cr0.PE) === 0) throw generalProtection(0);
  if ((value & Cr0.NW) !== 0 && (value & Cr0.CD) === 0) throw generalProtection(0);
  const efer = state.low(S.efer);
  const cr4 = state.low(S.cr4);
  const turnedOn = paging && (old & Cr0.PG) === 0;
  const turnedOff = !paging && (old & Cr0.PG) !== 0;
  if (turnedOn && (efer & Efer.LME) !== 0) {
    const longCode = (state.low(S.segmentRights + Segment.Cs * 4) & Rights.Long) !== 0;
    if ((cr4 & Cr4.PAE) === 0 || longCode) throw generalProtection(0);
    state.setLow(S.efer, efer | Efer.LMA);
  }
  if (turnedOff) {
    if (is64Bit(cpu) || (cr4 & Cr4.PCIDE) !== 0) throw generalProtection(0);
    state.setLow(S.efer, efer & ~Efer.LMA);
  }
  state.set(S.cr0, value, 0);
  if (((old ^ value) & CR0_TRANSLATION) !== 0) cpu.flushTlb(true);
  finishTransfer(cpu);
}

/** Writes CR3. Bit 63 (with PCIDs) asks to keep translations; as none are tagged here they are dropped all the same. */
export function writeCr3(cpu: Processor, low: number, high: number): void {
  const keepsAllowed = (cpu.state.low(S.cr4) & Cr4.PCIDE) !== 0;
  const addressHigh = keepsAllowed ? high & ~CR3_NO_FLUSH_HIGH : high;
  if (isLongMode(cpu) && addressHigh >>> (cpu.controls.guestPhysicalAddressBits - 32) !== 0) throw generalProtection(0);
  cpu.state.set(S.cr3, low, addressHigh);
  cpu.flushTlb(false);
}

/** Writes the guest's bits of CR4. #GP(0) for bits that do not exist and combinations that are not allowed. */
export function writeCr4(cpu: Processor, low: number, high: number): void {
  const { state, controls } = cpu;
  const old = state.low(S.cr4);
  const mask = controls.cr4HostMask;
  if (high !== 0 || (low & ~mask & ~controls.cr4Supported) !== 0) throw generalProtection(0);
  const value = (old & mask) | (low & ~mask);
  const changed = old ^ value;
  if (isLongMode(cpu) && ((changed & Cr4.LA57) !== 0 || (value & Cr4.PAE) === 0)) throw generalProtection(0);
  if ((changed & value & Cr4.PCIDE) !== 0 && (!isLongMode(cpu) || (state.low(S.cr3) & 0xfff) !== 0))
    throw generalProtection(0);
  state.set(S.cr4, value, 0);
  if ((changed & CR4_TRANSLATION) !== 0) cpu.flushTlb(true);
  cpu.modeChanged();
}

/** CR8 is the upper half of the task priority. */
export function readCr8(cpu: Processor): number {
  return cpu.apic.taskPriority >> 4;
}

export function writeCr8(cpu: Processor, low: number, high: number): void {
  if (high !== 0 || low >>> 4 !== 0) throw generalProtection(0);
  setTaskPriority(cpu, low << 4);
}

/** Sets the task priority and its copy in CR8. */
export function setTaskPriority(cpu: Processor, priority: number): void {
  cpu.apic.taskPriority = priority;
  cpu.state.set(S.cr8, priority >> 4, 0);
}
