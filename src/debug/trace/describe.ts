/** From the numbers of a crossing to its words. */

import {
  asCompletionStatus,
  asTdvmcallStatus,
  describeCompletionStatus,
  type Gpaw,
  Gpr,
  isSharedGpa,
  levelBytes,
  stripSharedBit,
  TdvmcallLeaf,
  tdvmcallStatusName,
} from '../../abi/index.ts';
import { hex, join64 } from '../../bits/index.ts';
import { ExitReason } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { crossingName, crossingTitle, septStateName } from '../crossing-names.ts';
import { describeMsr, describeQualification } from '../decode/qualification.ts';
import type { NamedValues, TraceEvent } from './event.ts';
import {
  type CallOperands,
  type NamedRegister,
  operandsOfHostCall,
  operandsOfModuleCall,
  operandsOfVmmCall,
} from './operand-names.ts';
import type { CrossingRecord } from './record.ts';
import { valueWords } from './value-words.ts';

const PAGE_BYTES = 4096;
const ERROR_BIT = 0x8000_0000 | 0;
const TWO_32 = 0x1_0000_0000;

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A 64-bit register as "0x..." without making a bigint of it. */
function hexOf(registers: Int32Array, register: number): string {
  const low = registers[2 * register]! >>> 0;
  const high = registers[2 * register + 1]! >>> 0;
  return high === 0 ? `0x${low.toString(16)}` : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

function numberOf(registers: Int32Array, register: number): number {
  return (registers[2 * register + 1]! >>> 0) * TWO_32 + (registers[2 * register]! >>> 0);
}

function named(registers: Int32Array, names: readonly NamedRegister[]): NamedValues {
  const values: Record<string, string> = {};
  for (const { register, registerName, meaning } of names)
    values[`${registerName}: ${meaning}`] = hexOf(registers, register);
  return values;
}

function low32(registers: Int32Array, register: number): string {
  return `0x${(registers[2 * register]! >>> 0).toString(16)}`;
}

/** What a call whose RCX is `GPA | level` is about. */
function pageOf(names: readonly NamedRegister[], rcx: number): Partial<TraceEvent> {
  const first = names.find(({ register }) => register === Gpr.RCX);
  if (first?.meaning.includes('GPA') !== true) return {};
  if (!first.meaning.includes('level')) return { gpa: hex(rcx), gpaBytes: 1 };
  const level = rcx % 8;
  return { gpa: hex(rcx - (rcx % PAGE_BYTES)), gpaBytes: level > 4 ? PAGE_BYTES : levelBytes(level) };
}

/** Where nobody noted the registers at the entry, those that hold results now are left out; RCX is known anyhow. */
function given(record: CrossingRecord, { inputs, outputs }: CallOperands): { values: NamedValues; rcx: number } {
  if (record.hasEntry) return { values: named(record.before, inputs), rcx: numberOf(record.before, Gpr.RCX) };
  const isOutput = ({ register }: NamedRegister) => outputs.some((other) => other.register === register);
  const kept = inputs.filter((one) => one.register === Gpr.RCX || !isOutput(one));
  const values: Record<string, string> = { ...named(record.after, kept) };
  const rcx = kept.find(({ register }) => register === Gpr.RCX);
  if (rcx === undefined || !isOutput(rcx)) return { values, rcx: numberOf(record.after, Gpr.RCX) };
  values[`RCX: ${rcx.meaning}`] = hex(record.operand);
  return { values, rcx: record.operand };
}

function call(record: CrossingRecord, operands: CallOperands): Partial<TraceEvent> {
  const { inputs, outputs } = operands;
  const status = describeCompletionStatus(asCompletionStatus(join64(record.after[0]!, record.after[1]!)));
  const failed = (record.result & ERROR_BIT) !== 0;
  const { values, rcx } = given(record, operands);
  const words = [
    ...(record.hasEntry ? [valueWords(record.before, inputs)] : []),
    ...(failed ? [] : [valueWords(record.after, outputs)]),
  ].filter((text) => text !== '');
  return {
    ...(inputs.length === 0 ? {} : { in: values }),
    ...(failed || outputs.length === 0 ? {} : { out: named(record.after, outputs) }),
    status,
    ...(words.length === 0 ? {} : { details: words.join(', ') }),
    ...pageOf(inputs, rcx),
  };
}

function vmmCall({ code, after }: CrossingRecord, gpaw: Gpaw): Partial<TraceEvent> {
  const given: Record<string, string> = {
    'RCX: exposed registers': hexOf(after, Gpr.RCX),
    ...named(after, operandsOfVmmCall(code).inputs),
  };
  const first = numberOf(after, Gpr.R12);
  if (code === TdvmcallLeaf.MAP_GPA) {
    const bytes = numberOf(after, Gpr.R13);
    const start = stripSharedBit(first, gpaw);
    const wish = isSharedGpa(first, gpaw) ? 'shared' : 'private';
    return {
      in: given,
      details: `${hex(start)} to ${hex(start + bytes)} shall be ${wish}`,
      gpa: hex(start),
      gpaBytes: bytes,
    };
  }
  if (code === TdvmcallLeaf.REQUEST_MMIO)
    return { in: given, gpa: hex(stripSharedBit(numberOf(after, Gpr.R14), gpaw)), gpaBytes: first };
  const words = valueWords(after, operandsOfVmmCall(code).inputs);
  return { in: given, ...(words === '' ? {} : { details: words }) };
}

/** Cause of a #VE or an exit that the module handled. */
function cause({ code, operand, result, after }: CrossingRecord, gpaw: Gpaw): Partial<TraceEvent> {
  switch (code) {
    case ExitReason.Cpuid:
      return { in: { 'EAX: leaf': hex(operand) } };
    case ExitReason.Rdmsr:
      return { in: { 'ECX: MSR': hex(operand) }, details: describeMsr(operand) };
    case ExitReason.Wrmsr: {
      const value = { 'EDX: value 63:32': low32(after, Gpr.RDX), 'EAX: value 31:0': low32(after, Gpr.RAX) };
      return { in: { 'ECX: MSR': hex(operand), ...value }, details: describeMsr(operand) };
    }
    default: {
      const isShared = code === ExitReason.EptViolation && isSharedGpa(result, gpaw);
      const words = `${describeQualification(code, operand)}${isShared ? ', shared' : ''}`;
      return {
        ...(words === '' ? {} : { details: words }),
        ...(result === 0 && code !== ExitReason.EptViolation
          ? {}
          : { gpa: hex(stripSharedBit(result, gpaw)), gpaBytes: 1 }),
      };
    }
  }
}

/** What the module answered to an exit that it handled: registers as it left them. */
function handled(record: CrossingRecord, gpaw: Gpaw): Partial<TraceEvent> {
  const { code, after } = record;
  if (code === ExitReason.Cpuid) {
    const out = {
      EAX: low32(after, Gpr.RAX),
      EBX: low32(after, Gpr.RBX),
      ECX: low32(after, Gpr.RCX),
      EDX: low32(after, Gpr.RDX),
    };
    return { in: { 'EAX: leaf': hex(record.operand) }, out };
  }
  if (code === ExitReason.Rdmsr)
    return { ...cause(record, gpaw), out: { EDX: low32(after, Gpr.RDX), EAX: low32(after, Gpr.RAX) } };
  return cause(record, gpaw);
}

function specific(record: CrossingRecord, gpaw: Gpaw): Partial<TraceEvent> {
  const { kind, code, operand, result } = record;
  switch (kind) {
    case CrossingKind.ModuleCall:
      return call(record, operandsOfModuleCall(code));
    case CrossingKind.HostCall:
      return call(record, operandsOfHostCall(code));
    case CrossingKind.VmmCall:
      return vmmCall(record, gpaw);
    case CrossingKind.VirtualizationException:
    case CrossingKind.TdExit:
      return cause(record, gpaw);
    case CrossingKind.Handled:
      return handled(record, gpaw);
    case CrossingKind.Exception:
      return { details: `for ${crossingName(CrossingKind.TdExit, operand)}` };
    case CrossingKind.PrivatePage: {
      const level = operand % 256;
      const before = septStateName(Math.floor(operand / 256));
      return { details: `was ${before}, level ${level}`, gpa: hex(result), gpaBytes: levelBytes(level) };
    }
    case CrossingKind.SharedPage:
      return { gpa: hex(result), gpaBytes: PAGE_BYTES };
    default:
      return {};
  }
}

/** The event of a record that is one by itself: neither an answer nor the entry of a call. */
export function describeRecord(
  record: CrossingRecord,
  n: number,
  gpaw: Gpaw,
  symbolOf: (ripLow: number, ripHigh: number) => string | undefined,
): Mutable<TraceEvent> {
  const { kind, vcpu, ripLow, ripHigh } = record;
  const symbol = ripLow === 0 && ripHigh === 0 ? undefined : symbolOf(ripLow, ripHigh);
  return {
    n,
    ticks: record.ticks,
    ...(vcpu < 0 ? {} : { instructions: record.retired, vcpu }),
    ...(ripLow === 0 && ripHigh === 0 ? {} : { rip: hex(join64(ripLow, ripHigh)) }),
    ...(symbol === undefined ? {} : { symbol }),
    kind: crossingTitle(kind),
    name: crossingName(kind, record.code),
    ...specific(record, gpaw),
  };
}

/** Completes a VMM call with its answer. */
export function addAnswer(event: Mutable<TraceEvent>, code: number, answer: CrossingRecord): void {
  event.status = tdvmcallStatusName(asTdvmcallStatus(join64(answer.code, answer.operand)));
  const { outputs } = operandsOfVmmCall(code);
  if (outputs.length > 0) event.out = named(answer.after, outputs);
  event.ticksTaken = answer.ticks - event.ticks;
}
