/** What a run was, as data for programs and as a table for people. */

import { CrossingKind } from '../probe/index.ts';
import { crossingName } from './crossing-names.ts';
import type { CrossingRecorder } from './crossing-recorder.ts';

export interface RunFacts {
  readonly crossings: CrossingRecorder;
  /** MRTD in hexadecimal, once the TD is finalized */
  readonly mrtd: string | undefined;
  readonly instructionsRetired: number;
  readonly virtualNanoseconds: number;
  readonly wallMilliseconds: number;
  /** instructions the processor does not have and the guest tried, by name */
  readonly unimplemented: ReadonlyMap<string, number>;
}

/** Counts by name of the specification. */
export type NamedCounts = Readonly<Record<string, number>>;

/** The report of `--json`; its form has a version of its own. */
export interface RunReport {
  readonly version: 1;
  readonly mrtd: string | null;
  readonly instructionsRetired: number;
  readonly virtualSeconds: number;
  readonly wallSeconds: number;
  readonly mips: number;
  readonly moduleCalls: NamedCounts;
  readonly vmmCalls: NamedCounts;
  readonly virtualizationExceptions: NamedCounts;
  readonly tdExits: NamedCounts;
  readonly handledExits: NamedCounts;
  readonly injectedExceptions: NamedCounts;
  readonly hostCalls: NamedCounts;
  readonly unimplementedInstructions: NamedCounts;
}

export function runReport(facts: RunFacts): RunReport {
  const { crossings, wallMilliseconds } = facts;
  const named = (kind: CrossingKind): NamedCounts =>
    Object.fromEntries(crossings.counts(kind).map(([code, count]) => [crossingName(kind, code), count]));
  return {
    version: 1,
    mrtd: facts.mrtd ?? null,
    instructionsRetired: facts.instructionsRetired,
    virtualSeconds: facts.virtualNanoseconds / 1e9,
    wallSeconds: wallMilliseconds / 1000,
    mips: wallMilliseconds > 0 ? facts.instructionsRetired / wallMilliseconds / 1000 : 0,
    moduleCalls: named(CrossingKind.ModuleCall),
    vmmCalls: named(CrossingKind.VmmCall),
    virtualizationExceptions: named(CrossingKind.VirtualizationException),
    tdExits: named(CrossingKind.TdExit),
    handledExits: named(CrossingKind.Handled),
    injectedExceptions: named(CrossingKind.Exception),
    hostCalls: named(CrossingKind.HostCall),
    unimplementedInstructions: Object.fromEntries(facts.unimplemented),
  };
}

const sections: readonly [title: string, key: keyof RunReport][] = [
  ['Module calls (TDCALL)', 'moduleCalls'],
  ['VMM calls (TDCALL, leaf 0)', 'vmmCalls'],
  ['#VE by cause', 'virtualizationExceptions'],
  ['Asynchronous TD exits', 'tdExits'],
  ['Injected exceptions', 'injectedExceptions'],
  ['Host calls (SEAMCALL)', 'hostCalls'],
  ['Not implemented (#UD)', 'unimplementedInstructions'],
];

const grouped = (value: number): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ' ');

/** Sections with names left and counts right, then the run in one line each; empty sections are left out. */
export function formatRunReport(report: RunReport): string {
  const lines: string[] = [];
  for (const [title, key] of sections) {
    const rows = Object.entries(report[key] as NamedCounts);
    if (rows.length === 0) continue;
    const total = rows.reduce((sum, [, count]) => sum + count, 0);
    lines.push(row(title, grouped(total)), ...rows.map(([name, count]) => row(`  ${name}`, grouped(count))), '');
  }
  const wall = report.wallSeconds.toFixed(1);
  lines.push(
    row('Instructions', grouped(report.instructionsRetired)),
    row('Virtual time', `${report.virtualSeconds.toFixed(3)} s`),
    row('Wall time', `${wall} s, ${report.mips.toFixed(0)} MIPS`),
  );
  if (report.mrtd !== null) lines.push(`MRTD  ${report.mrtd}`);
  return lines.join('\n');
}

function row(name: string, value: string): string {
  return `${name.padEnd(36)}${value.padStart(16)}`;
}
