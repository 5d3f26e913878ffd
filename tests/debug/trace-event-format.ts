/**
 * What the Trace Event Format asks of a file, as a check: the form of the whole, and for each phase the fields that a viewer needs.
 * Source: "Trace Event Format", sections "JSON Object Format" and "Event Descriptions".
 */

type Field = 'string' | 'number' | 'object';

/** fields beside `ph`, `name` and `pid`, which every event has */
const phases: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  X: { ts: 'number', dur: 'number', tid: 'number', cat: 'string', args: 'object' },
  i: { ts: 'number', tid: 'number', s: 'string', cat: 'string', args: 'object' },
  C: { ts: 'number', args: 'object' },
  M: { args: 'object' },
};
const metadata = new Set(['process_name', 'thread_name', 'thread_sort_index']);
const DEEPEST = 8;
const scopes = new Set(['g', 'p', 't']);

/** Complaints; none for a file that a viewer can open. */
export function traceEventFormatViolations(text: string): string[] {
  const file = JSON.parse(text) as Record<string, unknown>;
  const found: string[] = [];
  const complain = (index: number, what: string) => found.push(`event ${index}: ${what}`);
  if (file.displayTimeUnit !== 'ns' && file.displayTimeUnit !== 'ms')
    found.push('displayTimeUnit is neither ms nor ns');
  if (!Array.isArray(file.traceEvents)) return [...found, 'no array of traceEvents'];
  for (const [index, event] of (file.traceEvents as Record<string, unknown>[]).entries()) {
    const fields = phases[String(event.ph)];
    if (fields === undefined) {
      complain(index, `phase ${String(event.ph)}`);
      continue;
    }
    for (const [name, type] of Object.entries({ name: 'string', pid: 'number', ...fields }))
      if (typeof event[name] !== type) complain(index, `${name} is ${typeof event[name]}, not ${type}`);
    for (const name of ['ts', 'dur'])
      if (event[name] !== undefined && !((event[name] as number) >= 0)) complain(index, `${name} below 0`);
    if (event.ph === 'M' && !metadata.has(String(event.name))) complain(index, `metadata ${String(event.name)}`);
    if (event.ph === 'i' && !scopes.has(String(event.s))) complain(index, `scope ${String(event.s)}`);
    if (event.ph === 'C' && Object.values(event.args as object).some((value) => typeof value !== 'number'))
      complain(index, 'a counter that is no number');
  }
  return [...found, ...nestingViolations(file.traceEvents as Slice[])];
}

interface Slice {
  readonly ph: string;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
}

/** Slices of a track must lie beside or within each other, and a viewer draws only so many of them deep. */
function nestingViolations(events: readonly Slice[]): string[] {
  const found: string[] = [];
  const ofTrack = (tid: number) => events.filter((event) => event.ph === 'X' && event.tid === tid);
  for (const tid of new Set(events.map((event) => event.tid))) {
    const slices = ofTrack(tid);
    const open: number[] = [];
    const order = slices.toSorted((a, b) => a.ts - b.ts || b.dur - a.dur);
    for (const { name, ts, dur } of order) {
      while (open.length > 0 && open.at(-1)! <= ts + 1e-6) open.pop();
      if (open.length > 0 && ts + dur > open.at(-1)! + 1e-6)
        found.push(`track ${tid}: ${name} at ${ts} reaches out of its slice`);
      open.push(ts + dur);
      if (open.length > DEEPEST) found.push(`track ${tid}: ${name} at ${ts} is ${open.length} slices deep`);
    }
  }
  return found;
}
