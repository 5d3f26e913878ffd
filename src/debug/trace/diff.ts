/** Where two traces part: the first crossing that is not the same in both. */

import type { TraceEvent } from './event.ts';
import { traceLine } from './line.ts';

export interface TraceDifference {
  /** crossings that were the same */
  readonly common: number;
  /** the last of them, oldest first */
  readonly before: readonly TraceEvent[];
  /** from the first that differs on; empty where a trace has ended */
  readonly left: readonly TraceEvent[];
  readonly right: readonly TraceEvent[];
  /** what differs in the first: paths like "out.ECX" */
  readonly fields: readonly string[];
}

const CONTEXT = 5;
type Fields = Readonly<Record<string, unknown>>;

/** Leaves of the event that are not the same in both; the running number does not count. */
function differingFields(left: Fields, right: Fields, prefix = ''): string[] {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  if (prefix === '') keys.delete('n');
  return [...keys].flatMap((key) => {
    const [a, b] = [left[key], right[key]];
    if (JSON.stringify(a) === JSON.stringify(b)) return [];
    const isPair = typeof a === 'object' && typeof b === 'object' && !Array.isArray(a);
    return isPair ? differingFields(a as Fields, b as Fields, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

/** undefined: the traces are the same. */
export function diffTraces(left: readonly TraceEvent[], right: readonly TraceEvent[]): TraceDifference | undefined {
  const length = Math.max(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [left[i], right[i]];
    const fields = a === undefined || b === undefined ? [] : differingFields({ ...a }, { ...b });
    if (a !== undefined && b !== undefined && fields.length === 0) continue;
    return {
      common: i,
      before: left.slice(Math.max(0, i - CONTEXT), i),
      left: left.slice(i, i + CONTEXT),
      right: right.slice(i, i + CONTEXT),
      fields,
    };
  }
  return undefined;
}

/** The first line names the crossing; then both contexts. */
export function formatDifference(difference: TraceDifference, leftName: string, rightName: string): string {
  const { common, before, left, right, fields } = difference;
  const [a, b] = [left[0], right[0]];
  const first =
    a === undefined || b === undefined
      ? `${a === undefined ? leftName : rightName} ends after ${common} crossings, the other goes on with ${(a ?? b)!.kind} ${(a ?? b)!.name}.`
      : `Crossing ${common} is the first that differs: ${a.kind} ${a.name}${a.name === b.name && a.kind === b.kind ? '' : ` against ${b.kind} ${b.name}`}, in ${fields.join(', ')}.`;
  const side = (name: string, events: readonly TraceEvent[]): string[] => [
    '',
    `${name}:`,
    ...(events.length === 0 ? ['  (the end)'] : events.map((event) => `  ${traceLine(event)}`)),
  ];
  return [
    first,
    '',
    'The same in both:',
    ...(before.length === 0 ? ['  (nothing)'] : before.map((event) => `  ${traceLine(event)}`)),
    ...side(leftName, left),
    ...side(rightName, right),
  ].join('\n');
}
