/** A trace in a page: what crossed, how often, how long the answers took, what failed. */

import type { TraceEvent } from './event.ts';

export interface SummaryRow {
  readonly kind: string;
  readonly name: string;
  readonly count: number;
  /** virtual time until the answer, of all together and of the slowest: nanoseconds */
  readonly ticksTaken: number;
  readonly longestTicks: number;
}

export interface TraceSummary {
  readonly crossings: number;
  /** of the first and the last crossing: nanoseconds of virtual time */
  readonly firstTicks: number;
  readonly lastTicks: number;
  readonly vcpus: number;
  /** the most frequent first, within their kind */
  readonly rows: readonly SummaryRow[];
  /** "CPUID: TDG.VP.VEINFO.GET, Instruction.CPUID" to how often a #VE went that way */
  readonly exceptionsLedTo: Readonly<Record<string, number>>;
  /** "MapGPA RETRY": answers that were not success, and how often */
  readonly failures: Readonly<Record<string, number>>;
  readonly mapGpa: readonly string[];
  /** the code that crossed most often */
  readonly places: Readonly<Record<string, number>>;
}

const PLACES = 10;
const SUCCESS = /^(TDX_)?SUCCESS\b/;

function countInto(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function ranked(counts: Map<string, number>, most = counts.size): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, most));
}

export function summarizeTrace(events: readonly TraceEvent[]): TraceSummary {
  const rows = new Map<string, { -readonly [Key in keyof SummaryRow]: SummaryRow[Key] }>();
  const [ledTo, failures, places] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const mapGpa: string[] = [];
  const vcpus = new Set<number>();
  for (const { kind, name, ticksTaken = 0, ledTo: path, status, details, symbol, rip, vcpu } of events) {
    const key = `${kind}\n${name}`;
    const row = rows.get(key) ?? { kind, name, count: 0, ticksTaken: 0, longestTicks: 0 };
    row.count++;
    row.ticksTaken += ticksTaken;
    row.longestTicks = Math.max(row.longestTicks, ticksTaken);
    rows.set(key, row);
    if (path !== undefined) countInto(ledTo, `${name}: ${path.join(', ') || 'nothing'}`);
    if (status !== undefined && !SUCCESS.test(status)) countInto(failures, `${name}: ${status}`);
    if (name === 'MapGPA') mapGpa.push(`${details}: ${status ?? 'no answer'}`);
    if (rip !== undefined) countInto(places, symbol ?? rip);
    if (vcpu !== undefined) vcpus.add(vcpu);
  }
  return {
    crossings: events.length,
    firstTicks: events[0]?.ticks ?? 0,
    lastTicks: events.at(-1)?.ticks ?? 0,
    vcpus: vcpus.size,
    rows: [...rows.values()].sort((a, b) => (a.kind === b.kind ? b.count - a.count : a.kind < b.kind ? -1 : 1)),
    exceptionsLedTo: ranked(ledTo),
    failures: ranked(failures),
    mapGpa,
    places: ranked(places, PLACES),
  };
}

function microseconds(ticks: number): string {
  return ticks === 0 ? '' : `${(ticks / 1000).toFixed(3)}`;
}

export function formatSummary(summary: TraceSummary): string {
  const { crossings, firstTicks, lastTicks, vcpus, rows } = summary;
  const seconds = (ticks: number) => `${(ticks / 1e9).toFixed(6)} s`;
  const head = `${crossings} crossings, ${vcpus} vCPU${vcpus === 1 ? '' : 's'}, ${seconds(firstTicks)} to ${seconds(lastTicks)}`;
  const columns = (name: string, count: string, total: string, longest: string): string =>
    `${name.padEnd(44)}${count.padStart(10)}${total.padStart(16)}${longest.padStart(16)}`.trimEnd();
  const table: string[] = [columns('', 'count', 'total in us', 'longest in us')];
  let kind = '';
  for (const row of rows) {
    if (row.kind !== kind) table.push(row.kind);
    kind = row.kind;
    table.push(
      columns(`  ${row.name}`, String(row.count), microseconds(row.ticksTaken), microseconds(row.longestTicks)),
    );
  }
  const section = (title: string, counts: Readonly<Record<string, number>>): string[] => {
    const entries = Object.entries(counts);
    if (entries.length === 0) return [];
    return ['', title, ...entries.map(([name, count]) => `${String(count).padStart(10)}  ${name}`)];
  };
  return [
    head,
    '',
    ...table,
    ...section('What each #VE led to', summary.exceptionsLedTo),
    ...section('Answers that were not success', summary.failures),
    ...(summary.mapGpa.length === 0 ? [] : ['', 'MapGPA', ...summary.mapGpa.map((line) => `  ${line}`)]),
    ...section('Where the guest was', summary.places),
  ].join('\n');
}
