/** Segment registers and the descriptors behind them (SDM vol. 3, "Protected-Mode Memory Management" and "Protection"). */
import { Vector } from '../isa/index.ts';
import { Cr4, Efer, isCanonical } from './architecture.ts';
import { GuestFault, type Processor } from './processor.ts';
import { S } from './state.ts';

export const Segment = { Es: 0, Cs: 1, Ss: 2, Ds: 3, Fs: 4, Gs: 5 } as const;

/** Bits of a segment's rights (`S.segmentRights` and `Descriptor.rights`). */
export const Rights = {
  /** of a code or data segment */
  Accessed: 1,
  /** writable data, readable code */
  WritableOrReadable: 2,
  /** conforming code, expand-down data */
  Conforming: 4,
  Code: 8,
  CodeOrData: 0x10,
  Present: 0x80,
  Long: 0x2000,
  Big: 0x4000,
  Granular: 0x8000,
  Unusable: 0x1_0000,
} as const;

const TSS_BUSY = 2;
const FLAT_LIMIT = -1;

/** A segment or gate descriptor as it stands in a descriptor table. */
export interface Descriptor {
  readonly selector: number;
  /** the eight bytes */
  readonly low: number;
  readonly high: number;
  readonly rights: number;
  readonly baseLow: number;
  /** bytes */
  readonly limit: number;
  /** linear address of the descriptor */
  readonly addressLow: number;
  readonly addressHigh: number;
}

export function descriptorPrivilege(rights: number): number {
  return (rights >> 5) & 3;
}

/** Is the processor in IA-32e mode (64-bit or compatibility)? */
export function isLongMode(cpu: Processor): boolean {
  return (cpu.state.low(S.efer) & Efer.LMA) !== 0;
}

/** Is it in 64-bit mode? */
export function is64Bit(cpu: Processor): boolean {
  return isLongMode(cpu) && (cpu.state.low(S.segmentRights + Segment.Cs * 4) & Rights.Long) !== 0;
}

/** What is its code: 16-, 32- or 64-bit code? */
export function codeSizeBits(cpu: Processor): 16 | 32 | 64 {
  if (is64Bit(cpu)) return 64;
  return (cpu.state.low(S.segmentRights + Segment.Cs * 4) & Rights.Big) !== 0 ? 32 : 16;
}

/** Is this linear address canonical in the current paging mode? */
export function canonical(cpu: Processor, high: number): boolean {
  return isCanonical(high, (cpu.state.low(S.cr4) & Cr4.LA57) !== 0);
}

export function generalProtection(errorCode: number): GuestFault {
  return new GuestFault(Vector.GP, errorCode);
}

/** Is the selector null (index 0 of the GDT, any RPL)? */
export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/**
 * Reads the descriptor a non-null selector names. Throws `vector` (selector) beyond the table's limit.
 * `external` (0 or 1) is ORed into the error code.
 */
export function readDescriptor(cpu: Processor, selector: number, vector: number = Vector.GP, external = 0): Descriptor {
  const state = cpu.state;
  const local = (selector & 4) !== 0;
  const offset = selector & 0xfff8;
  const limit = (local ? state.low(S.ldtrLimit) : state.low(S.gdtrLimit)) >>> 0;
  if (offset + 7 > limit || (local && (state.low(S.ldtrRights) & Rights.Unusable) !== 0))
    throw new GuestFault(vector, (selector & 0xfffc) | external);
  const tableLow = local ? state.low(S.ldtrBase) : state.low(S.gdtrBase);
  const tableHigh = local ? state.high(S.ldtrBase) : state.high(S.gdtrBase);
  const addressLow = (tableLow + offset) | 0;
  const addressHigh = (tableHigh + (addressLow >>> 0 < tableLow >>> 0 ? 1 : 0)) | 0;
  const low = cpu.load(addressLow, addressHigh, 8, true);
  const high = cpu.dataHigh;
  const rawLimit = (low & 0xffff) | (high & 0xf_0000);
  const rights = (high >>> 8) & 0xf0ff;
  return {
    selector: selector & 0xffff,
    low,
    high,
    rights,
    baseLow: (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000),
    limit: (rights & Rights.Granular) !== 0 ? (rawLimit << 12) | 0xfff : rawLimit,
    addressLow,
    addressHigh,
  };
}

/** The upper half of the base of a 16-byte system descriptor; #GP (selector) if the half is not in the table. */
function readBaseHigh(cpu: Processor, descriptor: Descriptor): number {
  const offset = descriptor.selector & 0xfff8;
  if (offset + 15 > cpu.state.low(S.gdtrLimit) >>> 0) throw generalProtection(descriptor.selector & 0xfffc);
  const low = (descriptor.addressLow + 8) | 0;
  const high = (descriptor.addressHigh + (low >>> 0 < 8 ? 1 : 0)) | 0;
  const baseHigh = cpu.load(low, high, 8, true);
  // The type field of the upper half must read as no descriptor at all.
  if ((cpu.dataHigh & 0x1f00) !== 0 || !canonical(cpu, baseHigh)) throw generalProtection(descriptor.selector & 0xfffc);
  return baseHigh;
}

/** Sets bits in a descriptor's type byte in memory. */
function markType(cpu: Processor, descriptor: Descriptor, bits: number): void {
  const low = (descriptor.addressLow + 5) | 0;
  const high = (descriptor.addressHigh + (low >>> 0 < 5 ? 1 : 0)) | 0;
  cpu.store(low, high, 1, ((descriptor.high >>> 8) & 0xff) | bits, 0, true);
}

/** Sets the accessed bit of a code or data descriptor that does not have it. */
export function markAccessed(cpu: Processor, descriptor: Descriptor): void {
  if ((descriptor.rights & Rights.Accessed) === 0) markType(cpu, descriptor, Rights.Accessed);
}

/** Sets a segment register with all its hidden parts. In 64-bit mode the bases of ES, CS, SS and DS count as 0. */
export function setSegment(
  cpu: Processor,
  segment: number,
  selector: number,
  baseLow: number,
  limit: number,
  rights: number,
): void {
  const state = cpu.state;
  state.setLow(S.segmentSelector + segment * 4, selector & 0xffff);
  state.setLow(S.segmentRights + segment * 4, rights);
  state.setLow(S.segmentLimit + segment * 4, limit);
  if (segment < Segment.Fs) {
    state.set(S.descriptorBase + segment * 8, baseLow, 0);
    const flat = segment === Segment.Cs ? isLongMode(cpu) && (rights & Rights.Long) !== 0 : is64Bit(cpu);
    state.set(S.segmentBase + segment * 8, flat ? 0 : baseLow, 0);
  } else {
    state.set(S.segmentBase + segment * 8, baseLow, 0);
  }
}

/** Recomputes the effective bases of ES, CS, SS and DS after the code segment's mode changed. */
export function refreshBases(cpu: Processor): void {
  const flat = is64Bit(cpu);
  for (let segment = 0; segment < Segment.Fs; segment++)
    cpu.state.set(S.segmentBase + segment * 8, flat ? 0 : cpu.state.low(S.descriptorBase + segment * 8), 0);
}

/** Sets a segment register from a descriptor that passed its checks; marks the descriptor accessed first, which may fault. */
export function setFromDescriptor(cpu: Processor, segment: number, selector: number, descriptor: Descriptor): void {
  markAccessed(cpu, descriptor);
  setSegment(cpu, segment, selector, descriptor.baseLow, descriptor.limit, descriptor.rights | Rights.Accessed);
}

/** Loads a null selector: the segment is unusable, its base 0. `privilege` is what SS keeps as its DPL. */
export function setNull(cpu: Processor, segment: number, selector: number, privilege = 0): void {
  setSegment(cpu, segment, selector, 0, 0, Rights.Unusable | (privilege << 5));
}

/** Sets CS and the privilege level. The caller has checked everything; it changes RIP itself and calls `finishTransfer`. */
export function setCodeSegment(cpu: Processor, selector: number, descriptor: Descriptor, cpl: number): void {
  setFromDescriptor(cpu, Segment.Cs, (selector & 0xfffc) | cpl, descriptor);
  cpu.state.setLow(S.cpl, cpl);
}

/** Sets CS or SS to the flat segment that SYSCALL and its relatives imply, without reading a descriptor. */
export function setFlat(cpu: Processor, segment: number, selector: number, rights: number): void {
  setSegment(cpu, segment, selector, 0, FLAT_LIMIT, rights);
}

/** To be called after CS, SS or CPL changed. */
export function finishTransfer(cpu: Processor): void {
  refreshBases(cpu);
  cpu.modeChanged();
}

/** Checks the stack segment for privilege `cpl`; `vector` is what a bad one raises (#GP, or #TS while switching stacks). */
export function checkStackSegment(
  cpu: Processor,
  selector: number,
  cpl: number,
  vector: number = Vector.GP,
  external = 0,
): Descriptor {
  const errorCode = (selector & 0xfffc) | external;
  const descriptor = readDescriptor(cpu, selector, vector, external);
  const { rights } = descriptor;
  const kind = Rights.CodeOrData | Rights.Code | Rights.WritableOrReadable;
  if (
    (selector & 3) !== cpl ||
    descriptorPrivilege(rights) !== cpl ||
    (rights & kind) !== (Rights.CodeOrData | Rights.WritableOrReadable)
  )
    throw new GuestFault(vector, errorCode);
  if ((rights & Rights.Present) === 0) throw new GuestFault(Vector.SS, errorCode);
  return descriptor;
}

/** Loads ES, SS, DS, FS or GS as MOV and POP do. Throws #GP, #SS or #NP with the selector. */
export function loadSegment(cpu: Processor, segment: number, selector: number): void {
  const cpl = cpu.state.low(S.cpl);
  if (segment === Segment.Ss) {
    if (isNull(selector)) {
      if (!is64Bit(cpu) || cpl === 3 || (selector & 3) !== cpl) throw generalProtection(0);
      setNull(cpu, segment, selector, cpl);
    } else {
      setFromDescriptor(cpu, segment, selector, checkStackSegment(cpu, selector, cpl));
    }
    return;
  }
  if (isNull(selector)) {
    setNull(cpu, segment, selector);
    return;
  }
  const descriptor = readDescriptor(cpu, selector);
  const { rights } = descriptor;
  const errorCode = selector & 0xfffc;
  const isCode = (rights & Rights.Code) !== 0;
  if ((rights & Rights.CodeOrData) === 0 || (isCode && (rights & Rights.WritableOrReadable) === 0))
    throw generalProtection(errorCode);
  const conforming = isCode && (rights & Rights.Conforming) !== 0;
  if (!conforming && Math.max(cpl, selector & 3) > descriptorPrivilege(rights)) throw generalProtection(errorCode);
  if ((rights & Rights.Present) === 0) throw new GuestFault(Vector.NP, errorCode);
  setFromDescriptor(cpu, segment, selector, descriptor);
}

/**
 * Checks a code segment as the target of a far jump or call (`RPL` from the selector) at the current privilege.
 * Throws #GP or #NP with the selector; #GP(0) for null.
 */
export function checkCodeTarget(cpu: Processor, descriptor: Descriptor): void {
  const { rights, selector } = descriptor;
  const cpl = cpu.state.low(S.cpl);
  const privilege = descriptorPrivilege(rights);
  const errorCode = selector & 0xfffc;
  const conforming = (rights & Rights.Conforming) !== 0;
  if (conforming ? privilege > cpl : privilege !== cpl || (selector & 3) > cpl) throw generalProtection(errorCode);
  checkCodeMode(cpu, descriptor);
}

/** Checks a code segment as the target of a return to privilege `RPL` (IRET, far RET). */
export function checkCodeReturn(cpu: Processor, descriptor: Descriptor): void {
  const { rights, selector } = descriptor;
  const requested = selector & 3;
  const privilege = descriptorPrivilege(rights);
  const errorCode = selector & 0xfffc;
  if ((rights & (Rights.CodeOrData | Rights.Code)) !== (Rights.CodeOrData | Rights.Code))
    throw generalProtection(errorCode);
  if (requested < cpu.state.low(S.cpl)) throw generalProtection(errorCode);
  if ((rights & Rights.Conforming) !== 0 ? privilege > requested : privilege !== requested)
    throw generalProtection(errorCode);
  checkCodeMode(cpu, descriptor);
}

/** Presence, and no 64-bit segment that is also 32-bit. */
function checkCodeMode(cpu: Processor, descriptor: Descriptor): void {
  const errorCode = descriptor.selector & 0xfffc;
  if (isLongMode(cpu) && (descriptor.rights & (Rights.Long | Rights.Big)) === (Rights.Long | Rights.Big))
    throw generalProtection(errorCode);
  if ((descriptor.rights & Rights.Present) === 0) throw new GuestFault(Vector.NP, errorCode);
}

/** A return to outer privilege leaves no data segment behind that the outer level may not use. */
export function dropInnerDataSegments(cpu: Processor): void {
  const state = cpu.state;
  const cpl = state.low(S.cpl);
  for (const segment of [Segment.Es, Segment.Ds, Segment.Fs, Segment.Gs]) {
    const rights = state.low(S.segmentRights + segment * 4);
    if ((rights & Rights.Unusable) !== 0) continue;
    const conforming = (rights & (Rights.Code | Rights.Conforming)) === (Rights.Code | Rights.Conforming);
    if (!conforming && descriptorPrivilege(rights) < cpl) setNull(cpu, segment, 0);
  }
}

/** LLDT: loads LDTR. Throws #GP or #NP with the selector. */
export function loadLocalTable(cpu: Processor, selector: number): void {
  const state = cpu.state;
  if (isNull(selector)) {
    state.setLow(S.ldtrSelector, selector & 0xffff);
    state.setLow(S.ldtrRights, Rights.Unusable);
    return;
  }
  const errorCode = selector & 0xfffc;
  if ((selector & 4) !== 0) throw generalProtection(errorCode);
  const descriptor = readDescriptor(cpu, selector);
  if ((descriptor.rights & 0x1f) !== 2) throw generalProtection(errorCode);
  if ((descriptor.rights & Rights.Present) === 0) throw new GuestFault(Vector.NP, errorCode);
  const baseHigh = isLongMode(cpu) ? readBaseHigh(cpu, descriptor) : 0;
  state.setLow(S.ldtrSelector, selector & 0xffff);
  state.setLow(S.ldtrRights, descriptor.rights);
  state.setLow(S.ldtrLimit, descriptor.limit);
  state.set(S.ldtrBase, descriptor.baseLow, baseHigh);
}

/** LTR: loads TR with an available TSS and marks it busy. Throws #GP or #NP with the selector. */
export function loadTaskRegister(cpu: Processor, selector: number): void {
  const state = cpu.state;
  const errorCode = selector & 0xfffc;
  if (isNull(selector) || (selector & 4) !== 0) throw generalProtection(errorCode);
  const descriptor = readDescriptor(cpu, selector);
  const type = descriptor.rights & 0x1f;
  if (type !== 9 && (type !== 1 || isLongMode(cpu))) throw generalProtection(errorCode);
  if ((descriptor.rights & Rights.Present) === 0) throw new GuestFault(Vector.NP, errorCode);
  const baseHigh = isLongMode(cpu) ? readBaseHigh(cpu, descriptor) : 0;
  markType(cpu, descriptor, TSS_BUSY);
  state.setLow(S.trSelector, selector & 0xffff);
  state.setLow(S.trRights, descriptor.rights | TSS_BUSY);
  state.setLow(S.trLimit, descriptor.limit);
  state.set(S.trBase, descriptor.baseLow, baseHigh);
}
