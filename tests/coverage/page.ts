/** docs/coverage.md, made from the rows: what of the module and of its host is there, what is missing, and which tests call it. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  MODULE_1_5,
  TDVMCALL_LEAF_NAMES,
  TdgLeaf,
  TdhLeaf,
  TdvmcallLeaf,
  tdgLeafName,
  tdhLeafName,
} from '../../src/abi/index.ts';
import { SEAMCALL_ROWS, TDCALL_ROWS } from '../../src/seam/index.ts';
import { SEPT_STATES } from '../../src/seam/sept/states.ts';
import { CPUID_ROWS } from '../../src/seam/virt/cpuid-rows.ts';
import { MSR_ROWS } from '../../src/seam/virt/msr-rows.ts';
import { TDVMCALL_ROWS } from '../../src/vmm/tdvmcall/index.ts';
import { filesUnder, root } from '../repository.ts';
import { LATER_SEAMCALLS, LATER_TDCALLS, MODULE_CPUID_ENTRIES, MODULE_MSRS } from './module-tables.ts';

export const COVERAGE_PAGE = 'docs/coverage.md';

const SEPT_STATES_OF_THE_ABI = 16;

/** A row as the page sees it: `missing` says what of it is not there. */
interface Row {
  readonly leaf: number;
  readonly missing?: string;
}

/** One kind of call: its leaves by number, our rows, and the name under which tests call a leaf. */
interface Kind {
  readonly title: string;
  readonly leaves: readonly (readonly [leaf: number, name: string, inTests: string])[];
  readonly rows: readonly Row[];
}

const leavesOf = (constants: Readonly<Record<string, number>>, prefix: string, nameOf: (leaf: number) => string) =>
  Object.entries(constants).map(([key, leaf]) => [leaf, nameOf(leaf), `${prefix}.${key}`] as const);

const KINDS: readonly Kind[] = [
  {
    title: 'TDG: what a guest calls (TDCALL)',
    leaves: leavesOf(TdgLeaf, 'TdgLeaf', tdgLeafName),
    rows: TDCALL_ROWS,
  },
  {
    title: 'TDH: what a host calls (SEAMCALL)',
    leaves: leavesOf(TdhLeaf, 'TdhLeaf', tdhLeafName),
    rows: SEAMCALL_ROWS,
  },
  {
    title: 'TDVMCALL: what a guest asks of its host',
    leaves: leavesOf(TdvmcallLeaf, 'TdvmcallLeaf', (leaf) => TDVMCALL_LEAF_NAMES.get(leaf)!),
    rows: TDVMCALL_ROWS,
  },
];

/** Test files by name, with their text. */
export function testSources(): ReadonlyMap<string, string> {
  const files = ['src', 'tests', 'guests'].flatMap((folder) => filesUnder(folder, '.test.ts'));
  return new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** Does a test call the leaf? By its constant, or by the name that the specification gives it. */
export function names(source: string, inTests: string, name: string): boolean {
  return new RegExp(`\\b${inTests.replace('.', '\\.')}\\b|${name.replaceAll('.', '\\.')}(?![.\\w])`).test(source);
}

const ofAll = (rows: number, all: number) => `${rows} of ${all}`;

const haveAll = (kind: Kind) =>
  ofAll(kind.leaves.filter(([leaf]) => kind.rows.some((row) => row.leaf === leaf)).length, kind.leaves.length);

function statusOf(row: Row | undefined): string {
  if (row === undefined) return 'not there';
  return row.missing === undefined ? 'done' : `partly: ${row.missing}`;
}

function section(kind: Kind, sources: ReadonlyMap<string, string>): string {
  const lines = kind.leaves.map(([leaf, name, inTests]) => {
    const files = [...sources]
      .filter(([, text]) => names(text, inTests, name))
      .map(([path]) => basename(path, '.test.ts'));
    return `| ${leaf} | ${name} | ${statusOf(kind.rows.find((row) => row.leaf === leaf))} | ${[...new Set(files)].sort().join(', ')} |`;
  });
  return [`## ${kind.title}`, '', '| # | Leaf | | Tests |', '|--:|---|---|---|', ...lines].join('\n');
}

/** The MSRs of the module's table whose every register has a row. */
function msrsCovered(): number {
  const has = (msr: number) => MSR_ROWS.some(({ first, last }) => first <= msr && msr <= last);
  return MODULE_MSRS.filter(([first, last]) => {
    for (let msr = first; msr <= last; msr++) if (!has(msr)) return false;
    return true;
  }).length;
}

function cpuidCovered(): number {
  return new Set(
    CPUID_ROWS.filter(({ modules, index }) => modules.includes(MODULE_1_5) && index >= 0).map(({ index }) => index),
  ).size;
}

export function coveragePage(): string {
  const sources = testSources();
  const later = [...LATER_TDCALLS, ...LATER_SEAMCALLS].map(([leaf, name]) => `${name} (${leaf})`).join(', ');
  return `# Coverage

Made by \`npm run coverage\` from the rows of the source; a test holds this page against them. What there is to cover is the list of
module 1.5 and of GHCI 1.5. "Done" means: as far as the sources that its row names say, apart from what
[fidelity.md](fidelity.md) lists. The tests named call the leaf by its name or number.

| | |
|---|--:|
| TDG leaves of module 1.5 | ${haveAll(KINDS[0]!)} |
| TDH leaves of module 1.5 | ${haveAll(KINDS[1]!)} |
| TDVMCALL sub-functions of GHCI 1.5 | ${haveAll(KINDS[2]!)} |
| CPUID: entries of module 1.5's table | ${ofAll(cpuidCovered(), MODULE_CPUID_ENTRIES)} |
| MSRs: entries of module 1.5's table | ${ofAll(msrsCovered(), MODULE_MSRS.length)} |
| Secure EPT states | ${ofAll(SEPT_STATES.length, SEPT_STATES_OF_THE_ABI)} |

Leaves of later modules that public sources name, none of them there: ${later}; TDH leaves 128 to 166 (TDX Connect).

${KINDS.map((kind) => section(kind, sources)).join('\n\n')}
`;
}

/** Leaves with their names, for the test that the page claims no test that does not exist. */
export const COVERED_LEAVES = KINDS.flatMap(({ leaves }) => leaves);
