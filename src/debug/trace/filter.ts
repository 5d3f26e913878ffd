/** Which crossings a trace keeps. What is not said is not asked. */

import type { TraceEvent } from './event.ts';

export interface TraceFilter {
  /** leaves of TDCALL and SEAMCALL: "TDG.MEM.PAGE.ACCEPT" */
  readonly leaves?: readonly string[];
  /** sub-functions of TDG.VP.VMCALL: "MapGPA" */
  readonly subFunctions?: readonly string[];
  readonly vcpus?: readonly number[];
  /** only what is about an address in [startGpa, endGpa) */
  readonly gpa?: { readonly startGpa: number; readonly endGpa: number };
  /** virtual time in nanoseconds, [from, to) */
  readonly time?: { readonly fromTicks: number; readonly toTicks: number };
}

/** A test for `filter`; undefined where everything is kept. */
export function filterTest(filter: TraceFilter): ((event: TraceEvent) => boolean) | undefined {
  const { leaves, subFunctions, vcpus, gpa, time } = filter;
  const lower = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase()));
  const tests: ((event: TraceEvent) => boolean)[] = [];
  if (leaves !== undefined || subFunctions !== undefined) {
    const wantedLeaves = lower(leaves ?? []);
    const wantedCalls = lower(subFunctions ?? []);
    tests.push(({ kind, name }) => (kind === 'VMM call' ? wantedCalls : wantedLeaves).has(name.toLowerCase()));
  }
  if (vcpus !== undefined) tests.push(({ vcpu }) => vcpu !== undefined && vcpus.includes(vcpu));
  if (gpa !== undefined)
    tests.push((event) => {
      const start = Number(event.gpa ?? Number.NaN);
      return start < gpa.endGpa && start + (event.gpaBytes ?? 1) > gpa.startGpa;
    });
  if (time !== undefined) tests.push(({ ticks }) => ticks >= time.fromTicks && ticks < time.toTicks);
  return tests.length === 0 ? undefined : (event) => tests.every((test) => test(event));
}
