/**
 * Which statuses a leaf can give, read from its source: the codes that its file and the helpers beside it name, and what the checks they
 * share can say.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { OperandId } from '../../src/abi/index.ts';
import type { SeamcallRow } from '../../src/seam/seamcall/row.ts';
import { OpState } from '../../src/seam/structures/td.ts';
import type { TdcallRow } from '../../src/seam/tdcall/row.ts';
import { root } from '../repository.ts';

const REGISTER_NAMES = Object.fromEntries(Object.entries(OperandId).map(([name, id]) => [id, name]));

/** What a register that should name a page of some kind can be. */
const pageFaults = (register: string) => [
  `OPERAND_INVALID ${register}`,
  `OPERAND_ADDR_RANGE_ERROR ${register}`,
  `PAGE_METADATA_INCORRECT ${register}`,
];
const FIRST_FIELD = 'METADATA_FIRST_FIELD_ID_IN_CONTEXT';
const TD_FAULTS = ['TD_FATAL', 'TD_KEYS_NOT_CONFIGURED', 'TDCS_NOT_ALLOCATED'];

/** Shared checks, as leaves call them, and what they say. The register is the first group. */
const CHECKS: readonly (readonly [call: RegExp, statuses: (register: string) => readonly string[]])[] = [
  [/core\.(?:takePage|pageOperand)\(registers, Gpr\.(\w+)/g, pageFaults],
  [/bindable\(core, registers, Gpr\.(\w+)/g, pageFaults],
  [/core\.sharedOperand\(registers, Gpr\.(\w+)/g, (r) => [`OPERAND_INVALID ${r}`, `OPERAND_ADDR_RANGE_ERROR ${r}`]],
  [/core\.pageInfo\(/g, () => ['OPERAND_INVALID RCX']],
  [/core\.septOperand\(/g, () => ['EPT_WALK_FAILED', 'EPT_ENTRY_STATE_INCORRECT']],
  [/core\.blockedAndTracked\(/g, () => ['GPA_RANGE_NOT_BLOCKED', 'TLB_TRACKING_NOT_DONE']],
  [/hasControlStructure\(/g, () => TD_FAULTS],
  [/isInState\(/g, () => ['OP_STATE_INCORRECT']],
  [/\block\(core, OperandId\.(\w+)/g, (operand) => [`OPERAND_BUSY ${operand}`]],
  [/\bread(?:Field|Element)\(/g, () => ['METADATA_FIELD_ID_INCORRECT', 'METADATA_FIELD_NOT_READABLE']],
  [/\bread(?:Field|Element)\([^;]*(?:true|version > 0|versionOf\(registers\) > 0)/g, () => [FIRST_FIELD]],
  [/\breadField\(core, vcpu, [^;]*true\)/g, () => ['OPERAND_INVALID RCX']],
  [/\bwriteField\(core, vcpu,/g, () => ['OPERAND_INVALID RCX']],
  [
    /\bwrite(?:Field|Element)\(/g,
    () => ['METADATA_FIELD_ID_INCORRECT', 'METADATA_FIELD_NOT_WRITABLE', 'METADATA_FIELD_VALUE_NOT_VALID'],
  ],
  [/\bdumpList\(/g, () => ['METADATA_FIELD_ID_INCORRECT', 'METADATA_LIST_OVERFLOW']],
];
/** Helpers whose statuses count as the leaf's. */
const HELPERS = /^\.\/(?!row|index|dispatch|guest-registers|locks|version|metadata-leaf|td-operand)[\w-]+\.ts$/;
/** Codes that are no status of a leaf's own, or whose operand a check above names. */
const NOT_OWN = new Set(['SUCCESS', 'CROSS_TD_TRAP', 'OPERAND_BUSY_HOST_PRIORITY']);

/** A file and the helpers that it imports, with theirs, without imports and comments. */
function textOf(file: string, seen = new Set<string>()): string {
  if (seen.has(file)) return '';
  seen.add(file);
  const source = readFileSync(join(root, file), 'utf8');
  const imported = [...source.matchAll(/from '(\.[^']+)'/g)]
    .map(([, path]) => path!)
    .filter((path) => HELPERS.test(path))
    .map((path) => textOf(normalize(join(dirname(file), path)), seen));
  const own = source.replaceAll(/^import [^;]+;$|\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [own, ...imported].join('\n');
}

function namedIn(text: string): Set<string> {
  const statuses = new Set<string>();
  const withOperand = /(?:Completion)?Code\.(OPERAND_\w+|PAGE_METADATA_INCORRECT), (?:OperandId|Gpr)\.(\w+)/g;
  for (const [, code, operand] of text.matchAll(withOperand)) statuses.add(`${code} ${operand}`);
  for (const [, code] of text.replaceAll(withOperand, '').matchAll(/(?:Completion)?Code\.([A-Z]\w+)/g))
    if (!NOT_OWN.has(code!)) statuses.add(code!);
  for (const [call, say] of CHECKS)
    for (const [, register = ''] of text.matchAll(call)) for (const status of say(register)) statuses.add(status);
  return statuses;
}

const fileOf = (folder: string, name: string) => `src/seam/${folder}/${name.toLowerCase().replaceAll('.', '-')}.ts`;

/** "OPERAND_INVALID RCX", "TD_FATAL", ... */
export function tdcallStatuses(row: TdcallRow): ReadonlySet<string> {
  return namedIn(textOf(fileOf('tdcall', row.name)));
}

export function seamcallStatuses(row: SeamcallRow): ReadonlySet<string> {
  const statuses = namedIn(textOf(fileOf('seamcall', row.name)));
  const add = (...more: readonly string[]) => {
    for (const status of more) statuses.add(status);
  };
  if (row.scope === 'system') {
    if (row.beforeReady !== true) add('SYS_NOT_READY');
    return statuses;
  }
  add('SYS_NOT_READY', ...pageFaults(REGISTER_NAMES[row.scope === 'vcpu' ? row.tdvpr : row.tdr]!));
  if (row.scope !== 'key') add(...TD_FAULTS);
  // there is no vCPU before the TD is initialised, so that no leaf can meet one then
  const states = Object.values(OpState).filter((state) => row.scope === 'td' || state !== OpState.UNINITIALIZED);
  if ((row.scope === 'td' || row.scope === 'vcpu') && states.some((state) => !row.states.includes(state)))
    add('OP_STATE_INCORRECT');
  if (row.scope !== 'vcpu') return statuses;
  if (row.incomplete !== true) add('TDCX_NUM_INCORRECT');
  if (row.whenFatal === true) statuses.delete('TD_FATAL');
  // a vCPU cannot be created before the TD has its pages
  statuses.delete('TDCS_NOT_ALLOCATED');
  return statuses;
}
