/** XSAVE and its family: x87, SSE, AVX and PKRU state in the standard or the compacted format (SDM Vol. 1, "Managing State Using the XSAVE Feature Set"). */

import type { Instruction } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { initialise, isInitial } from '../fpu/x87-state.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import { Image, LegacyImage, vectorCount } from './fxsave.ts';
import type { OperationTable } from './sem.ts';

const INVALID_OPCODE = 6;
const DEVICE_NOT_AVAILABLE = 7;
const GENERAL_PROTECTION = 13;
const CR0_TS = 1 << 3;
const CR4_OSXSAVE = 1 << 18;
const INITIAL_MXCSR = 0x1f80;

const Component = { X87: 1, Sse: 2, Avx: 4, Pkru: 1 << 9 } as const;
/** the first extended component has the same place in both formats */
const AVX_OFFSET = 576;
const AVX_BYTES = 256;
/** in the standard format, as on processors that have AVX-512 between them */
const PKRU_OFFSET = 2688;
const HEADER_OFFSET = 512;
const HEADER_BYTES = 64;
const LEGACY_BYTES = Image.reserved;
/** XCOMP_BV bit 63, in its high half */
const COMPACTED = 0x8000_0000 | 0;
const RAX = S.gpr;
const RCX = S.gpr + 8;
const RDX = S.gpr + 16;

const legacy = new LegacyImage();
const header = new Int32Array(HEADER_BYTES / 4);
const headerBytes = new Uint8Array(header.buffer);
const upperHalves = new Int32Array(AVX_BYTES / 4);
const upperBytes = new Uint8Array(upperHalves.buffer);
const keys = new Int32Array(2);
const keyBytes = new Uint8Array(keys.buffer);

/** Where PKRU is, in an image that is compacted to `format` or in the standard one. */
const pkruOffset = (compacted: boolean, format: number): number =>
  compacted ? AVX_OFFSET + ((format & Component.Avx) === 0 ? 0 : AVX_BYTES) : PKRU_OFFSET;

/** Components asked for in EDX:EAX that the system has enabled; all that exist are in the low half. */
const requested = (cpu: Processor, supervisor: boolean): number =>
  (cpu.state.low(S.xcr0) | (supervisor ? cpu.state.low(S.xss) : 0)) & cpu.state.low(RAX);

function requireXsave(cpu: Processor): void {
  if ((cpu.state.low(S.cr4) & CR4_OSXSAVE) === 0) throw new GuestFault(INVALID_OPCODE);
}

const refuse = (): never => {
  throw new GuestFault(GENERAL_PROTECTION, 0);
};

/** Checks what every member of the family checks. */
function enter(cpu: Processor, instruction: Instruction, supervisor: boolean): void {
  requireXsave(cpu);
  if (cpu.state.low(S.cr0) & CR0_TS) throw new GuestFault(DEVICE_NOT_AVAILABLE);
  if (supervisor && cpu.state.low(S.cpl) !== 0) refuse();
  addressOf(cpu, instruction);
  if (cpu.addressLow & 63) refuse();
}

function storePart(cpu: Processor, instruction: Instruction, offset: number, bytes: Uint8Array): void {
  addressOf(cpu, instruction, offset);
  cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
}

function loadPart(cpu: Processor, instruction: Instruction, offset: number, bytes: Uint8Array): void {
  addressOf(cpu, instruction, offset);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
}

/** Word index in the i32 view of the upper half of a vector register. */
const upperWord = (cpu: Processor, register: number): number => (cpu.state.base + S.vector + 32 * register + 16) >> 2;

/** Is anything in the lower (0) or upper (4) four words of a vector register not zero? */
function vectorsInUse(cpu: Processor, firstWord: 0 | 4): boolean {
  const words = cpu.memory.i32;
  const first = ((cpu.state.base + S.vector) >> 2) + firstWord;
  for (let register = 0; register < 16; register++)
    for (let word = 0; word < 4; word++) if (words[first + 8 * register + word] !== 0) return true;
  return false;
}

/** Components that are not in their initial configuration (XINUSE). MXCSR is not looked at. */
function inUse(cpu: Processor): number {
  return (
    (isInitial(cpu) ? 0 : Component.X87) |
    (vectorsInUse(cpu, 0) ? Component.Sse : 0) |
    (vectorsInUse(cpu, 4) ? Component.Avx : 0) |
    (cpu.state.low(S.pkru) === 0 ? 0 : Component.Pkru)
  );
}

interface Variant {
  readonly wide: boolean;
  /** leaves out what is in its initial configuration */
  readonly optimized?: boolean;
  readonly compacted?: boolean;
  readonly supervisor?: boolean;
}

const save =
  ({ wide, optimized = false, compacted = false, supervisor = false }: Variant): HostOperation =>
  (cpu, instruction) => {
    enter(cpu, instruction, supervisor);
    const components = requested(cpu, supervisor);
    const count = vectorCount(instruction);
    const part = (from: number, to: number): void => storePart(cpu, instruction, from, legacy.bytes.subarray(from, to));
    let used = inUse(cpu) & components;
    // in the compacted format MXCSR belongs to the SSE component
    if (compacted && cpu.state.low(S.mxcsr) !== INITIAL_MXCSR) used |= components & Component.Sse;
    const saved = optimized ? used : components;
    if (!compacted) loadPart(cpu, instruction, HEADER_OFFSET, headerBytes);
    if (saved & Component.X87) {
      legacy.takeX87(cpu, wide);
      part(0, Image.mxcsr);
      part(Image.registers, Image.xmm);
    }
    if (compacted ? saved & Component.Sse : components & (Component.Sse | Component.Avx)) {
      legacy.takeMxcsr(cpu);
      part(Image.mxcsr, Image.registers);
    }
    if (saved & Component.Sse) {
      legacy.takeXmm(cpu, count);
      part(Image.xmm, Image.xmm + 16 * count);
    }
    if (saved & Component.Avx) {
      for (let i = 0; i < count; i++)
        for (let word = 0; word < 4; word++) upperHalves[4 * i + word] = cpu.memory.i32[upperWord(cpu, i) + word]!;
      storePart(cpu, instruction, AVX_OFFSET, upperBytes.subarray(0, 16 * count));
    }
    if (saved & Component.Pkru) {
      keys[0] = cpu.state.low(S.pkru);
      storePart(cpu, instruction, pkruOffset(compacted, components), keyBytes);
    }
    header[0] = compacted ? used : (header[0]! & ~components) | used;
    if (compacted) {
      header[1] = 0;
      header[2] = components;
      header[3] = COMPACTED;
    }
    storePart(cpu, instruction, HEADER_OFFSET, headerBytes.subarray(0, compacted ? 16 : 8));
  };

/** #GP(0) for a header that neither format allows. */
function checkHeader(cpu: Processor, supervisor: boolean): boolean {
  const enabled = cpu.state.low(S.xcr0) | (supervisor ? cpu.state.low(S.xss) : 0);
  const [present, presentHigh, format, formatHigh] = header as unknown as [number, number, number, number];
  const compacted = formatHigh === COMPACTED;
  if (!compacted && (supervisor || format !== 0 || formatHigh !== 0)) refuse();
  if (presentHigh !== 0 || (compacted ? present & ~format || format & ~enabled : present & ~enabled)) refuse();
  for (let word = 4; word < (compacted ? 16 : 6); word++) if (header[word] !== 0) refuse();
  return compacted;
}

const restore =
  ({ wide, supervisor = false }: Variant): HostOperation =>
  (cpu, instruction) => {
    enter(cpu, instruction, supervisor);
    const components = requested(cpu, supervisor);
    const count = vectorCount(instruction);
    loadPart(cpu, instruction, HEADER_OFFSET, headerBytes);
    const compacted = checkHeader(cpu, supervisor);
    const present = header[0]!;
    const loadsMxcsr = compacted
      ? (components & present & Component.Sse) !== 0
      : (components & (Component.Sse | Component.Avx)) !== 0;
    loadPart(cpu, instruction, 0, legacy.bytes.subarray(0, LEGACY_BYTES));
    if (components & present & Component.Avx)
      loadPart(cpu, instruction, AVX_OFFSET, upperBytes.subarray(0, 16 * count));
    if (components & present & Component.Pkru) loadPart(cpu, instruction, pkruOffset(compacted, header[2]!), keyBytes);
    if (loadsMxcsr) legacy.checkMxcsr();

    if (components & Component.X87) {
      if (present & Component.X87) legacy.giveX87(cpu, wide);
      else clearX87(cpu);
    }
    if (loadsMxcsr) legacy.giveMxcsr(cpu);
    else if (components & Component.Sse) cpu.state.setLow(S.mxcsr, INITIAL_MXCSR);
    if (components & Component.Sse) {
      if ((present & Component.Sse) === 0) legacy.bytes.fill(0, Image.xmm);
      legacy.giveXmm(cpu, count);
    }
    if (components & Component.Pkru) cpu.writePkru((present & Component.Pkru) === 0 ? 0 : keys[0]!);
    if (components & Component.Avx) {
      if ((present & Component.Avx) === 0) upperHalves.fill(0);
      for (let i = 0; i < count; i++)
        for (let word = 0; word < 4; word++) cpu.memory.i32[upperWord(cpu, i) + word] = upperHalves[4 * i + word]!;
    }
  };

function clearX87(cpu: Processor): void {
  initialise(cpu);
  for (let i = 0; i < 8; i++) {
    cpu.state.set(S.fpuRegister + 16 * i, 0, 0);
    cpu.state.setLow(S.fpuRegister + 16 * i + 8, 0);
  }
}

/** XCR0 (ECX = 0), or those of its components that are in use (ECX = 1). */
const xgetbv: HostOperation = (cpu) => {
  requireXsave(cpu);
  const register = cpu.state.low(RCX);
  if (register !== 0 && register !== 1) refuse();
  cpu.state.set(RAX, cpu.state.low(S.xcr0) & (register === 0 ? -1 : inUse(cpu)), 0);
  cpu.state.set(RDX, register === 0 ? cpu.state.high(S.xcr0) : 0, 0);
};

const pair = (
  name: string,
  make: (variant: Variant) => HostOperation,
  variant: Omit<Variant, 'wide'> = {},
): OperationTable => ({
  [name]: { host: make({ ...variant, wide: false }) },
  [`${name}64`]: { host: make({ ...variant, wide: true }) },
});

export const xsaveOperations: OperationTable = {
  ...pair('XSAVE', save),
  ...pair('XSAVEOPT', save, { optimized: true }),
  ...pair('XSAVEC', save, { optimized: true, compacted: true }),
  ...pair('XSAVES', save, { optimized: true, compacted: true, supervisor: true }),
  ...pair('XRSTOR', restore),
  ...pair('XRSTORS', restore, { supervisor: true }),
  XGETBV: { host: xgetbv },
};
