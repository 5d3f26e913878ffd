/** Names of the registers of each call, read from the `operands` of its row, so that a new leaf brings its names along. */

import { Gpr, TdvmcallLeaf } from '../../abi/index.ts';
import { SEAMCALL_ROWS, TDCALL_ROWS } from '../../seam/index.ts';

export interface NamedRegister {
  readonly register: Gpr;
  /** "RCX" */
  readonly registerName: string;
  /** "GPA | level 0 or 1" */
  readonly meaning: string;
}

export interface CallOperands {
  readonly inputs: readonly NamedRegister[];
  readonly outputs: readonly NamedRegister[];
}

const NOTHING: CallOperands = { inputs: [], outputs: [] };

/** `RCX = GPA, RDX = TDR HPA` or `RCX, RDX = entry`: registers before each equals sign, their meaning up to the next ones. */
function namedRegisters(text: string): NamedRegister[] {
  const found: NamedRegister[] = [];
  const names = '((?:R[A-Z0-9]{1,2}(?: bit \\d+)?)(?:, R[A-Z0-9]{1,2})*) = ';
  const parts = text.split(new RegExp(names));
  for (let i = 1; i < parts.length; i += 2) {
    const meaning = parts[i + 1]!.replace(/,?\s*(?:or|version \d+:)?\s*$/, '').trim();
    for (const word of parts[i]!.split(', ')) {
      const registerName = word.split(' ')[0]! as keyof typeof Gpr;
      const register = Gpr[registerName];
      if (register === undefined || found.some((other) => other.register === register)) continue;
      found.push({ register, registerName, meaning });
    }
  }
  return found;
}

/** Reads `in: ...; out: ...`. */
export function parseOperands(operands: string): CallOperands {
  const part = (word: string): NamedRegister[] => {
    const text = operands.split(';').find((each) => each.trim().startsWith(`${word}:`));
    return text === undefined ? [] : namedRegisters(text);
  };
  return { inputs: part('in'), outputs: part('out') };
}

/** Finds the names of a leaf, which are read when they are first asked for. */
function byLeaf(rows: () => readonly (readonly [leaf: number, operands: string])[]): (leaf: number) => CallOperands {
  const read = new Map<number, CallOperands>();
  return (leaf) => {
    const known = read.get(leaf);
    if (known !== undefined) return known;
    const row = rows().find((each) => each[0] === leaf);
    const names = row === undefined ? NOTHING : parseOperands(row[1]);
    read.set(leaf, names);
    return names;
  };
}

export const operandsOfModuleCall = byLeaf(() => TDCALL_ROWS.map(({ leaf, operands }) => [leaf, operands]));
export const operandsOfHostCall = byLeaf(() => SEAMCALL_ROWS.map(({ leaf, operands }) => [leaf, operands]));

/** Source: GHCI 1.5, the section of each sub-function. R10 is the status, R11 the sub-function. */
export const operandsOfVmmCall = byLeaf(() =>
  Object.entries({
    [TdvmcallLeaf.INSTRUCTION_CPUID]:
      'in: R12 = EAX, R13 = ECX; out: R12 = EAX of the answer, R13 = EBX, R14 = ECX, R15 = EDX',
    [TdvmcallLeaf.INSTRUCTION_HLT]: 'in: R12 = interrupts blocked',
    [TdvmcallLeaf.INSTRUCTION_IO]:
      'in: R12 = size, R13 = direction (0 read, 1 write), R14 = port, R15 = data; out: R11 = data read',
    [TdvmcallLeaf.INSTRUCTION_RDMSR]: 'in: R12 = MSR; out: R11 = value',
    [TdvmcallLeaf.INSTRUCTION_WRMSR]: 'in: R12 = MSR, R13 = value',
    [TdvmcallLeaf.REQUEST_MMIO]:
      'in: R12 = size, R13 = direction (0 read, 1 write), R14 = GPA, R15 = data; out: R11 = data read',
    [TdvmcallLeaf.INSTRUCTION_WBINVD]: 'in: R12 = WBINVD or WBNOINVD',
    [TdvmcallLeaf.INSTRUCTION_PCONFIG]: 'in: R12 = leaf',
    [TdvmcallLeaf.GET_TD_VM_CALL_INFO]:
      'in: R12 = leaf; out: R11 = answer 0, R12 = answer 1, R13 = answer 2, R14 = answer 3',
    [TdvmcallLeaf.MAP_GPA]: 'in: R12 = GPA, R13 = length; out: R11 = GPA to go on from',
    [TdvmcallLeaf.GET_QUOTE]: 'in: R12 = GPA of the shared buffer, R13 = length',
    [TdvmcallLeaf.REPORT_FATAL_ERROR]: 'in: R12 = error code, R13 = GPA of the message',
    [TdvmcallLeaf.SETUP_EVENT_NOTIFY_INTERRUPT]: 'in: R12 = vector',
    [TdvmcallLeaf.SERVICE]:
      'in: R12 = GPA of the command, R13 = GPA of the response, R14 = notification vector, R15 = timeout',
  }).map(([leaf, operands]) => [Number(leaf), operands]),
);
