/** Runs a plan with tracers on it. */

import type { TraceEvent } from '../../src/debug/index.ts';
import {
  NdjsonWriter,
  readTrace,
  TraceEventFormatWriter,
  type TraceFilter,
  Tracer,
  tracedPlatform,
} from '../../src/debug/index.ts';
import type { LoadPlan } from '../../src/loader/index.ts';
import {
  type PlatformOptions,
  type RunEnd,
  type RunLimits,
  type Td,
  type TdOptions,
  TdxPlatform,
} from '../../src/machine/index.ts';
import { type CrossingObserver, NULL_OBSERVER, observeAll } from '../../src/probe/index.ts';

export interface TracedRun extends RunEnd {
  readonly ndjson: string;
  readonly json: string;
  readonly events: readonly TraceEvent[];
  readonly platform: TdxPlatform;
  readonly td: Td;
}

export function tracedRun(
  plan: LoadPlan,
  options: {
    readonly platform?: Partial<PlatformOptions>;
    readonly td?: TdOptions;
    readonly limits?: RunLimits;
    readonly filter?: TraceFilter;
    /** looks on too */
    readonly observer?: CrossingObserver;
    /** told of the TD before its first instruction */
    readonly built?: (platform: TdxPlatform, td: Td) => void;
  } = {},
): TracedRun {
  let [ndjson, json] = ['', ''];
  const { filter = {}, observer = NULL_OBSERVER } = options;
  const tracers = [
    new Tracer({ writer: new NdjsonWriter((text) => (ndjson += text)), filter }),
    new Tracer({ writer: new TraceEventFormatWriter((text) => (json += text)), filter }),
  ];
  const memoryBytes = Math.max(...plan.memoryMap.map(({ startGpa, lengthBytes }) => startGpa + lengthBytes));
  const platform = new TdxPlatform({ memoryBytes, observer: observeAll(...tracers, observer), ...options.platform });
  const td = platform.buildTd(plan, options.td);
  for (const tracer of tracers) tracer.attach(tracedPlatform(platform, td));
  options.built?.(platform, td);
  const run = td.run(options.limits);
  for (const tracer of tracers) tracer.end();
  return { ...run, platform, td, ndjson, json, events: readTrace(ndjson, 'the trace') };
}
