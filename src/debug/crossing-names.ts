/** Crossings in words. The words come from the tables of `abi`, `isa` and `seam`. */

import {
  asTdvmcallStatus,
  completionCodeName,
  exitReasonName,
  TdExitReason,
  TdvmcallLeaf,
  tdgLeafName,
  tdhLeafName,
  tdvmcallLeafName,
  tdvmcallStatusName,
} from '../abi/index.ts';
import { hex, join64 } from '../bits/index.ts';
import { vectorName } from '../isa/index.ts';
import { CrossingKind } from '../probe/index.ts';
import { SEPT_STATES } from '../seam/index.ts';
import type { Crossing } from './crossing.ts';

interface Words {
  /** who answered, or what came */
  readonly title: string;
  readonly name: (code: number) => string;
  readonly details: (crossing: Crossing) => string;
}

const vendorCall = 0x8000_0000;
const portOrMsr = new Set<number>([
  TdvmcallLeaf.INSTRUCTION_CPUID,
  TdvmcallLeaf.INSTRUCTION_RDMSR,
  TdvmcallLeaf.INSTRUCTION_WRMSR,
]);

function exceptionDetails({ operand, result }: Crossing): string {
  return result === 0 ? `qualification ${hex(operand)}` : `qualification ${hex(operand)}, GPA ${hex(result)}`;
}

/** CPUID and MSR exits say what was asked for, and nothing else. */
const asksFor: ReadonlyMap<number, string> = new Map([
  [10, 'leaf'],
  [31, 'MSR'],
  [32, 'MSR'],
]);

function causeDetails(crossing: Crossing): string {
  const what = asksFor.get(crossing.code);
  return what === undefined ? exceptionDetails(crossing) : `${what} ${hex(crossing.operand)}`;
}

/** Name of a Secure EPT state as the ABI has it. */
export function septStateName(state: number): string {
  return SEPT_STATES[state]?.name ?? hex(state);
}

function interruptName(vector: number): string {
  return `vector ${hex(vector)}`;
}

const callEntry = (title: string, name: (code: number) => string): Words => ({
  title,
  name,
  details: ({ operand }) => `RCX ${hex(operand)}`,
});

const words: Readonly<Record<CrossingKind, Words>> = {
  [CrossingKind.ModuleCall]: {
    title: 'module call',
    name: tdgLeafName,
    details: ({ operand, result }) => `RCX ${hex(operand)}, ${completionCodeName(result >>> 0)}`,
  },
  [CrossingKind.VmmCall]: {
    title: 'VMM call',
    name: (code) =>
      code >>> 0 >= vendorCall ? `vendor call ${hex((code >>> 0) - vendorCall)}` : tdvmcallLeafName(code),
    details: ({ code, operand, result, answer }) => {
      const given = portOrMsr.has(code) ? `R12 ${hex(operand)}` : `R12 ${hex(operand)}, R14 ${hex(result)}`;
      return answer === undefined ? given : `${given}: ${tdvmcallStatusName(asTdvmcallStatus(answer))}`;
    },
  },
  [CrossingKind.VirtualizationException]: { title: '#VE', name: exitReasonName, details: causeDetails },
  [CrossingKind.TdExit]: {
    title: 'TD exit',
    name: exitReasonName,
    details: (crossing) => (crossing.code === TdExitReason.EXTERNAL_INTERRUPT ? '' : exceptionDetails(crossing)),
  },
  [CrossingKind.Handled]: {
    title: 'handled by the module',
    name: exitReasonName,
    details: ({ code, operand }) => `${asksFor.get(code) ?? 'operand'} ${hex(operand)}`,
  },
  [CrossingKind.Exception]: {
    title: 'exception',
    name: vectorName,
    details: ({ operand }) => `for ${exitReasonName(operand)}`,
  },
  [CrossingKind.HostCall]: {
    title: 'host call',
    name: tdhLeafName,
    details: ({ operand, result }) => `RCX ${hex(operand)}, ${completionCodeName(result >>> 0)}`,
  },
  [CrossingKind.VmmAnswer]: {
    title: 'VMM answer',
    name: (code) => tdvmcallStatusName(asTdvmcallStatus(join64(code, 0))),
    details: ({ result }) => `R11 ${hex(result)}`,
  },
  [CrossingKind.PrivatePage]: {
    title: 'private page',
    name: septStateName,
    details: ({ operand, result }) =>
      `GPA ${hex(result)}, level ${operand % 256}, was ${septStateName(Math.floor(operand / 256))}`,
  },
  [CrossingKind.SharedPage]: {
    title: 'shared page',
    name: (code) => (code === 1 ? 'MAPPED' : 'UNMAPPED'),
    details: ({ result }) => `GPA ${hex(result)}`,
  },
  [CrossingKind.InterruptPosted]: { title: 'interrupt posted', name: interruptName, details: () => '' },
  [CrossingKind.InterruptTaken]: { title: 'interrupt taken', name: interruptName, details: () => '' },
  [CrossingKind.ModuleCallEntry]: callEntry('module call begins', tdgLeafName),
  [CrossingKind.HostCallEntry]: callEntry('host call begins', tdhLeafName),
};

/** "module call", "#VE", "interrupt taken": what kind a crossing is. */
export function crossingTitle(kind: CrossingKind): string {
  return words[kind].title;
}

/** "TDG.VP.INFO", "Instruction.IO", "CPUID": the code of a crossing by its specification's name. */
export function crossingName(kind: CrossingKind, code: number): string {
  return words[kind].name(code);
}

/** "RCX 0x8000, TDX_SUCCESS": operands and result of a crossing on one line. */
export function crossingDetails(crossing: Crossing): string {
  return words[crossing.kind].details(crossing);
}

/** One line: where, what kind, its name, its operands. */
export function describeCrossing(crossing: Crossing): string {
  const { title, name, details } = words[crossing.kind];
  const where = crossing.rip === 0n ? ''.padEnd(18) : hex(crossing.rip, 16);
  return `${where}  ${title.padEnd(12)} ${name(crossing.code).padEnd(22)} ${details(crossing)}`.trimEnd();
}
