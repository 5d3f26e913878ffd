/** The string comparisons of SSE4.2 (SDM Vol. 2B, "Imm8 Control Byte Operation for PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM"). */

import type { Instruction } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import type { HostOperation, Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const ARITHMETIC_FLAGS = 0x8d5;
const CF = 1;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

/** The aggregation by imm8[3:2]. */
const Aggregation = { EqualAny: 0, Ranges: 1, EqualEach: 2, EqualOrdered: 3 } as const;

/** Element values of one operand, and how many of them count. */
interface Text {
  readonly elements: readonly number[];
  readonly length: number;
}

function elementsOf(bytes: Uint8Array, wide: boolean, signed: boolean): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  if (wide)
    return Array.from({ length: 8 }, (_, i) => (signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true)));
  return Array.from({ length: 16 }, (_, i) => (signed ? view.getInt8(i) : view.getUint8(i)));
}

function implicitLength(elements: readonly number[]): number {
  const end = elements.indexOf(0);
  return end < 0 ? elements.length : end;
}

/** |EAX| or |EDX| (RAX, RDX with REX.W), at most the number of elements. */
function explicitLength(cpu: Processor, register: number, operandSize: number, count: number): number {
  const row = S.gpr + 8 * register;
  const value = operandSize === 64 ? cpu.state.big(row) : BigInt(cpu.state.low(row));
  const signed = BigInt.asIntN(64, value);
  const size = signed < 0n ? -signed : signed;
  return size > BigInt(count) ? count : Number(size);
}

/** Bit j: what the aggregation says about element j of the second text. Invalid elements never match, but for the rules of each mode. */
function matches(first: Text, second: Text, aggregation: number): number {
  const count = first.elements.length;
  const a = first.elements;
  const b = second.elements;
  let bits = 0;
  for (let j = 0; j < count; j++) {
    const inSecond = j < second.length;
    let found = false;
    switch (aggregation) {
      case Aggregation.EqualAny:
        for (let i = 0; i < first.length && !found; i++) found = inSecond && a[i] === b[j];
        break;
      case Aggregation.Ranges:
        for (let i = 0; i + 1 < first.length && !found; i += 2)
          found = inSecond && b[j]! >= a[i]! && b[j]! <= a[i + 1]!;
        break;
      case Aggregation.EqualEach: {
        const inFirst = j < first.length;
        found = inFirst === inSecond && (!inFirst || a[j] === b[j]);
        break;
      }
      default:
        // the first text found at j; it may run over the register's end, but not over the end of a shorter text
        found = true;
        for (let i = 0; i < first.length && i + j < count && found; i++)
          found = i + j < second.length && a[i] === b[i + j];
    }
    if (found) bits |= 1 << j;
  }
  return bits;
}

interface Outcome {
  readonly bits: number;
  readonly count: number;
  readonly wide: boolean;
}

/** Compares, sets the flags, and returns IntRes2. */
function compareStrings(cpu: Processor, instruction: Instruction, explicit: boolean): Outcome {
  const control = instruction.immediateLow;
  const wide = (control & 1) !== 0;
  const signed = (control & 2) !== 0;
  const [target, source] = instruction.operands;
  const bytes = new Uint8Array(16);
  if (source.kind === OperandKind.Memory) {
    addressOf(cpu, instruction);
    cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  } else bytes.set(registerBytes(cpu, source.register));
  const x = elementsOf(registerBytes(cpu, target.register), wide, signed);
  const y = elementsOf(bytes, wide, signed);
  const count = x.length;
  const lengthOf = (elements: readonly number[], register: number): number =>
    explicit ? explicitLength(cpu, register, instruction.operandSize, count) : implicitLength(elements);
  const first: Text = { elements: x, length: lengthOf(x, RAX) };
  const second: Text = { elements: y, length: lengthOf(y, RDX) };

  const all = (1 << count) - 1;
  const found = matches(first, second, (control >> 2) & 3);
  const polarity = (control >> 4) & 3;
  const inverted = polarity === 1 ? all : polarity === 3 ? (1 << second.length) - 1 : 0;
  const bits = (found ^ inverted) & all;
  const flags =
    (bits !== 0 ? CF : 0) | (second.length < count ? ZF : 0) | (first.length < count ? SF : 0) | (bits & 1 ? OF : 0);
  cpu.writeRflags((cpu.readRflags() & ~ARITHMETIC_FLAGS) | flags);
  return { bits, count, wide };
}

function registerBytes(cpu: Processor, register: number): Uint8Array {
  const at = cpu.state.base + S.vector + 32 * register;
  return cpu.memory.u8.slice(at, at + 16);
}

const MOST_SIGNIFICANT = 0x40;
const EXPANDED = 0x40;

/** The number of the first or last matching element to ECX; the element count if there is none. */
const toIndex =
  (explicit: boolean): HostOperation =>
  (cpu, instruction) => {
    const { bits, count } = compareStrings(cpu, instruction, explicit);
    const last = (instruction.immediateLow & MOST_SIGNIFICANT) !== 0;
    const index = last ? 31 - Math.clz32(bits) : 31 - Math.clz32(bits & -bits);
    cpu.state.set(S.gpr + 8 * RCX, bits === 0 ? count : index, 0);
  };

/** The matches to XMM0, as bits or as elements of ones. */
const toMask =
  (explicit: boolean): HostOperation =>
  (cpu, instruction) => {
    const { bits, count, wide } = compareStrings(cpu, instruction, explicit);
    const mask = new Uint8Array(16);
    if ((instruction.immediateLow & EXPANDED) === 0) {
      mask[0] = bits;
      mask[1] = bits >> 8;
    } else {
      const elementBytes = wide ? 2 : 1;
      for (let i = 0; i < count; i++) if (bits & (1 << i)) mask.fill(0xff, i * elementBytes, (i + 1) * elementBytes);
    }
    const target = cpu.state.base + S.vector;
    cpu.memory.u8.set(mask, target);
    if (instruction.form.vex) cpu.memory.u8.fill(0, target + 16, target + 32);
  };

export const sseStringOperations: OperationTable = {
  PCMPESTRI: { host: toIndex(true) },
  PCMPESTRM: { host: toMask(true) },
  PCMPISTRI: { host: toIndex(false) },
  PCMPISTRM: { host: toMask(false) },
};
