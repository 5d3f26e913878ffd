/** The kinds of number that can be decoded: a row each. The names come from the tables that everything else uses. */

import {
  asCompletionStatus,
  asTdvmcallStatus,
  CompletionCode,
  ConfigFlag,
  completionCodeName,
  completionCodeOf,
  completionDetailsOf,
  completionStatus,
  describeCompletionStatus,
  EXIT_REASON_NAMES,
  Gpr,
  TDVMCALL_LEAF_NAMES,
  TdAttribute,
  TdgLeaf,
  TdhLeaf,
  TdvmcallStatus,
  tdgLeafName,
  tdhLeafName,
  tdvmcallStatusName,
  Xfam,
} from '../../abi/index.ts';
import { hex } from '../../bits/index.ts';
import { operandsOfHostCall, operandsOfModuleCall, operandsOfVmmCall } from '../trace/operand-names.ts';
import { bitList, bitText } from './bits.ts';
import type { Decoded } from './decoded.ts';
import { decodeFieldId } from './field-id.ts';
import { describeQualification } from './qualification.ts';

export interface NumberKind {
  /** what `--as` calls it */
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** Name and parts; undefined where the number cannot be one of this kind. */
  readonly decode: (value: bigint) => Pick<Decoded, 'name' | 'parts'> | undefined;
  /** the number may well be meant so; without it: whenever it can be decoded */
  readonly isLikely?: (value: bigint) => boolean;
  /** names of this kind and their numbers, so that a name can be looked up */
  readonly names?: () => Iterable<readonly [name: string, value: bigint]>;
}

/** CLASS, bits 47:40 of a completion status. Source: TDX Module 1.5 ABI Definition, "Function Completion Status". */
const completionClasses: readonly (string | undefined)[] = [
  'general',
  'operand',
  'resource busy',
  'page metadata',
  'dependent resources',
  'module state',
  'TD state',
  'vCPU state',
  'key management',
  'platform',
  'physical memory',
  'guest TD memory',
  'metadata',
  'service TD',
  'migration',
  undefined,
  'report',
  'partitioning',
];

const ERROR = 1n << 63n;
const knownCodes = new Set<number>(Object.values(CompletionCode));
const yesNo = (value: bigint, bit: bigint): string => (((value >> bit) & 1n) === 1n ? 'yes' : 'no');

function operandLines(operands: ReturnType<typeof operandsOfModuleCall>): Record<string, string> {
  const list = (each: (typeof operands)['inputs']) =>
    each.map(({ registerName, meaning }) => `${registerName} = ${meaning}`).join('; ');
  return {
    ...(operands.inputs.length === 0 ? {} : { in: list(operands.inputs) }),
    ...(operands.outputs.length === 0 ? {} : { out: list(operands.outputs) }),
  };
}

function leafKind(
  id: string,
  title: string,
  source: string,
  leaves: Readonly<Record<string, number>>,
  nameOf: (leaf: number) => string,
  operandsOf: typeof operandsOfModuleCall,
): NumberKind {
  const known = new Set(Object.values(leaves));
  return {
    id,
    title,
    source,
    decode: (value) => {
      const leaf = Number(value & 0xffffn);
      const version = (value >> 16n) & 0xffn;
      if (value >> 24n !== 0n || !known.has(leaf)) return undefined;
      return {
        name: nameOf(leaf),
        parts: { leaf: String(leaf), version: String(version), ...operandLines(operandsOf(leaf)) },
      };
    },
    // a leaf with a version looks like a sub-function of TDG.VP.VMCALL
    isLikely: (value) => value >> 16n === 0n || !TDVMCALL_LEAF_NAMES.has(Number(value)),
    names: () => Object.values(leaves).map((leaf) => [nameOf(leaf), BigInt(leaf)] as const),
  };
}

function bitKind(id: string, title: string, source: string, bits: Readonly<Record<string, bigint>>): NumberKind {
  return {
    id,
    title,
    source,
    decode: (value) => ({
      name: bitText(value, bits),
      parts: Object.fromEntries(
        bitList(value, bits).map((name) => [name, bits[name] === undefined ? 'must be 0' : hex(bits[name])]),
      ),
    }),
    names: () => Object.entries(bits),
  };
}

const GPR_NAMES = Object.keys(Gpr);
const NEVER_EXPOSED = new Set(['RAX', 'RCX', 'RSP']);

const ABI = (section: string) => `TDX Module 1.5 ABI Definition, "${section}"`;

export const NUMBER_KINDS: readonly NumberKind[] = [
  {
    id: 'completion-status',
    title: 'completion status',
    source: ABI('Function Completion Status'),
    decode: (value) => {
      const status = asCompletionStatus(value);
      const code = completionCodeOf(status);
      if (!knownCodes.has(code) && (((value >> 48n) & 0xfffn) !== 0n || ((value >> 32n) & 0xffffn) === 0n))
        return undefined;
      const classCode = Number((value >> 40n) & 0xffn);
      const name = completionClasses[classCode];
      if (name === undefined) return undefined;
      const full = describeCompletionStatus(status);
      const details = hex(completionDetailsOf(status));
      return {
        name: completionCodeName(code),
        parts: {
          ERROR: yesNo(value, 63n),
          NON_RECOVERABLE: yesNo(value, 62n),
          FATAL: yesNo(value, 61n),
          HOST_RECOVERABILITY_HINT: yesNo(value, 60n),
          CLASS: `${classCode}, ${name}`,
          DETAILS_L1: hex((value >> 32n) & 0xffn),
          DETAILS_L2: full === completionCodeName(code) ? details : `${details}: ${full}`,
        },
      };
    },
    // a small number is something else, unless it is nothing at all
    isLikely: (value) => value === 0n || value >> 32n !== 0n,
    names: () =>
      Object.values(CompletionCode).map((code) => [completionCodeName(code), BigInt(completionStatus(code))] as const),
  },
  {
    id: 'tdvmcall-status',
    title: 'TDVMCALL status (R10)',
    source: 'GHCI 1.5, "TDG.VP.VMCALL Status Codes"',
    decode: (value) => {
      const status = asTdvmcallStatus(value);
      if (!Object.values(TdvmcallStatus).includes(status)) return undefined;
      return { name: tdvmcallStatusName(status), parts: { error: (value & ERROR) === 0n ? 'no' : 'yes' } };
    },
    names: () => Object.entries(TdvmcallStatus),
  },
  leafKind(
    'tdcall',
    'TDCALL leaf (RAX)',
    ABI('TDCALL Instruction Leaf Numbers'),
    TdgLeaf,
    tdgLeafName,
    operandsOfModuleCall,
  ),
  leafKind(
    'seamcall',
    'SEAMCALL leaf (RAX)',
    ABI('SEAMCALL Instruction Leaf Numbers'),
    TdhLeaf,
    tdhLeafName,
    operandsOfHostCall,
  ),
  {
    id: 'sub-function',
    title: 'sub-function of TDG.VP.VMCALL (R11)',
    source: 'GHCI 1.5, "TDCALL Instruction Leaf 0: TDG.VP.VMCALL"',
    decode: (value) => {
      const name = TDVMCALL_LEAF_NAMES.get(Number(value));
      return name === undefined ? undefined : { name, parts: operandLines(operandsOfVmmCall(Number(value))) };
    },
    names: () => [...TDVMCALL_LEAF_NAMES].map(([leaf, name]) => [name, BigInt(leaf)] as const),
  },
  {
    id: 'exit-reason',
    title: 'exit reason',
    source: 'SDM vol. 3, appendix C "VMX Basic Exit Reasons"',
    decode: (value) => {
      const name = EXIT_REASON_NAMES.get(Number(value));
      return name === undefined ? undefined : { name, parts: {} };
    },
    names: () => [...EXIT_REASON_NAMES].map(([reason, name]) => [name, BigInt(reason)] as const),
  },
  {
    id: 'field-id',
    title: 'metadata field id',
    source: ABI('MD_FIELD_ID'),
    decode: (value) => decodeFieldId(value),
  },
  bitKind('attributes', 'ATTRIBUTES', ABI('ATTRIBUTES'), TdAttribute),
  bitKind('xfam', 'XFAM', ABI('XFAM'), Xfam),
  bitKind('config-flags', 'CONFIG_FLAGS', ABI('CONFIG_FLAGS'), ConfigFlag),
  {
    id: 'mask',
    title: 'RCX of TDG.VP.VMCALL',
    source: ABI('TDG.VP.VMCALL Leaf'),
    decode: (value) => {
      if (value >> 32n !== 0n) return undefined;
      const set = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((value >> BigInt(bit)) & 1n) === 1n);
      const named = set.map((bit) => (bit < 16 ? GPR_NAMES[bit]! : `XMM${bit - 16}`));
      const wrong = named.filter((name) => NEVER_EXPOSED.has(name));
      return {
        name: named.join(', ') || 'nothing crosses',
        parts: {
          ...(wrong.length === 0 ? {} : { illegal: `${wrong.join(', ')} never cross: TDX_OPERAND_INVALID (RCX)` }),
          hidden: `${GPR_NAMES.filter((name) => !named.includes(name)).join(', ')} stay with the guest`,
        },
      };
    },
  },
];

/** An exit qualification, which means something only with its reason. */
export function decodeQualification(reason: number, qualification: bigint): Decoded {
  const text = describeQualification(reason, Number(qualification & 0xffff_ffffn));
  return {
    kind: `exit qualification of ${EXIT_REASON_NAMES.get(reason) ?? hex(reason)}`,
    value: hex(qualification),
    name: text === '' ? 'nothing' : text,
    parts: {},
    source: 'SDM vol. 3, "Basic VM-Exit Information"',
  };
}
