/** Crossings in words. The words come from the tables of `abi`. */

import {
  completionCodeName,
  exitReasonName,
  TdvmcallLeaf,
  tdgLeafName,
  tdhLeafName,
  tdvmcallLeafName,
} from '../abi/index.ts';
import { hex } from '../bits/index.ts';
import { CrossingKind } from '../probe/index.ts';
import type { Crossing } from './crossing-recorder.ts';

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
    details: ({ code, operand, result }) =>
      portOrMsr.has(code) ? `R12 ${hex(operand)}` : `R12 ${hex(operand)}, R14 ${hex(result)}`,
  },
  [CrossingKind.VirtualizationException]: { title: '#VE', name: exitReasonName, details: exceptionDetails },
  [CrossingKind.TdExit]: { title: 'TD exit', name: exitReasonName, details: exceptionDetails },
  [CrossingKind.Handled]: {
    title: 'handled by the module',
    name: exitReasonName,
    details: ({ operand }) => `ECX ${hex(operand)}`,
  },
  [CrossingKind.Exception]: {
    title: 'exception',
    name: (code) => `vector ${code}`,
    details: ({ operand }) => `for ${exitReasonName(operand)}`,
  },
  [CrossingKind.HostCall]: {
    title: 'host call',
    name: tdhLeafName,
    details: ({ operand, result }) => `RCX ${hex(operand)}, ${completionCodeName(result >>> 0)}`,
  },
};

/** "TDG.VP.INFO", "Instruction.IO", "CPUID": the code of a crossing by its specification's name. */
export function crossingName(kind: CrossingKind, code: number): string {
  return words[kind].name(code);
}

/** One line: where, what kind, its name, its operands. */
export function describeCrossing(crossing: Crossing): string {
  const { title, name, details } = words[crossing.kind];
  const where = crossing.rip === 0n ? ''.padEnd(18) : hex(crossing.rip, 16);
  return `${where}  ${title.padEnd(12)} ${name(crossing.code).padEnd(22)} ${details(crossing)}`;
}
