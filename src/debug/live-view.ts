/** Counters of a running TD, as lines of a given width. */

import type { LogicalProcessor } from '../cpu/index.ts';
import { S } from '../cpu/index.ts';
import { SHIM_ROM_GPA } from '../loader/index.ts';
import { CrossingKind } from '../probe/index.ts';
import { crossingName } from './crossing-names.ts';
import type { CrossingRecorder } from './crossing-recorder.ts';
import type { PageCounts } from './page-counts.ts';

export interface LiveFacts {
  readonly crossings: CrossingRecorder;
  readonly pages: PageCounts;
  readonly phase: Phase;
  readonly instructions: number;
  readonly virtualSeconds: number;
  /** of late, not since the beginning */
  readonly mips: number;
}

export type Phase = 'shim' | 'before the kernel' | 'kernel' | 'user space' | 'waits';

const KERNEL_HIGH = 0xffff_8000 | 0;
const USER_CPL = 3;

/** Where a vCPU is now. */
export function phaseOf({ state }: LogicalProcessor, isHalted: boolean): Phase {
  if (isHalted) return 'waits';
  if (state.low(S.cpl) === USER_CPL) return 'user space';
  const high = state.high(S.rip);
  if (high >>> 0 >= KERNEL_HIGH >>> 0) return 'kernel';
  return high === 0 && state.low(S.rip) >>> 0 >= SHIM_ROM_GPA ? 'shim' : 'before the kernel';
}

/** kinds that stand in the first line, and those whose codes have a line of their own */
const summed: readonly [title: string, kind: CrossingKind][] = [
  ['module calls', CrossingKind.ModuleCall],
  ['VMM calls', CrossingKind.VmmCall],
  ['#VE', CrossingKind.VirtualizationException],
  ['TD exits', CrossingKind.TdExit],
  ['host calls', CrossingKind.HostCall],
  ['interrupts', CrossingKind.InterruptTaken],
];

/** Lines of a live view; every one of them is there from the beginning, so that the view keeps its height. */
export const LIVE_VIEW_LINES = 6;

function sum(counts: readonly (readonly [unknown, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}

/** Exactly LIVE_VIEW_LINES lines, none longer than `columns`. */
export function liveView(facts: LiveFacts, columns: number): string[] {
  const { crossings, pages, phase, instructions, virtualSeconds, mips } = facts;
  const named = (kind: CrossingKind) =>
    crossings.counts(kind).map(([code, count]) => `${crossingName(kind, code)} ${count}`);
  const line = (title: string, cells: readonly string[]) => fit(`${title.padEnd(12)} `, cells, columns);
  const title = `-- ${phase} -- ${(instructions / 1e6).toFixed(0)} M instructions -- ${virtualSeconds.toFixed(3)} s -- ${mips.toFixed(0)} MIPS `;
  return [
    title.padEnd(columns, '-').slice(0, columns),
    line(
      'crossings',
      summed.map(([name, kind]) => `${name} ${sum(crossings.counts(kind))}`),
    ),
    line('#VE causes', named(CrossingKind.VirtualizationException)),
    line('module', named(CrossingKind.ModuleCall)),
    line('VMM', named(CrossingKind.VmmCall)),
    line(
      'pages',
      pages.counts().map(([state, count]) => `${state} ${count}`),
    ),
  ];
}

/** As many whole cells as there is room for. */
function fit(start: string, cells: readonly string[], columns: number): string {
  let text = start;
  for (const cell of cells) {
    const next = text === start ? `${text}${cell}` : `${text}, ${cell}`;
    if (next.length > columns) break;
    text = next;
  }
  return text.slice(0, columns);
}
