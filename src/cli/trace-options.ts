/** --trace and --trace-filter: which file, in which form, and what goes into it. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import {
  decodeName,
  decodeNumber,
  NdjsonWriter,
  type SymbolLookup,
  TraceEventFormatWriter,
  type TraceFilter,
  Tracer,
  type TraceWriter,
  tracedPlatform,
} from '../debug/index.ts';
import type { Td, TdxPlatform } from '../machine/index.ts';
import type { CrossingObserver } from '../probe/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

export interface TraceOptions {
  readonly trace?: string;
  readonly traceFilter?: TraceFilter;
}

/** A trace that is being written. */
export interface OpenTrace {
  readonly observer: CrossingObserver;
  readonly attach: (platform: TdxPlatform, td: Td) => void;
  /** Writes what is left and closes the file. */
  readonly end: () => void;
}

const ticksPerSecond = 1e9;

function range(text: string, parse: (bound: string) => number): [number, number] {
  const bounds = text.split('..').map((bound) => parse(bound.trim()));
  const [from = Number.NaN, to = from + 1] = bounds;
  if (bounds.length > 2 || Number.isNaN(from) || Number.isNaN(to) || to <= from)
    throw new InvalidArgumentError(`"${text}" is no range: give FROM..TO.`);
  return [from, to];
}

const list = (value: string): string[] => value.split(',').map((each) => each.trim());

/** The name in the specification of a name or a number, in one of these kinds of `decode`. */
function known(text: string, what: string, kinds: readonly string[]): string {
  for (const kind of kinds) {
    const [found] = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? decodeNumber(BigInt(text), kind) : decodeName(text, kind);
    if (found !== undefined) return found.name;
  }
  throw new InvalidArgumentError(`There is no ${what} ${text}.`);
}

/** What can be asked for: one row a key. */
const filterKeys: Readonly<Record<string, (value: string) => TraceFilter>> = {
  leaf: (value) => ({ leaves: list(value).map((each) => known(each, 'leaf', ['tdcall', 'seamcall'])) }),
  'sub-function': (value) => ({
    subFunctions: list(value).map((each) => known(each, 'sub-function', ['sub-function'])),
  }),
  vcpu: (value) => ({
    vcpus: list(value).map((each) => {
      if (!/^\d+$/.test(each)) throw new InvalidArgumentError(`"${each}" is no number of a vCPU.`);
      return Number(each);
    }),
  }),
  gpa: (value) => {
    const [startGpa, endGpa] = range(value, (bound) => Number(bound));
    return { gpa: { startGpa, endGpa } };
  },
  time: (value) => {
    const [from, to] = range(value, (bound) => Number(bound.replace(/s$/, '')));
    return { time: { fromTicks: from * ticksPerSecond, toTicks: to * ticksPerSecond } };
  },
};

/** "sub-function=MapGPA,Instruction.IO" on top of what was asked for before. */
export function traceFilter(text: string, before: TraceFilter = {}): TraceFilter {
  const [key = '', value = ''] = text.split(/=(.*)/s);
  const parse = filterKeys[key];
  if (parse === undefined || value === '')
    throw new InvalidArgumentError(`Give KEY=VALUE with one of ${Object.keys(filterKeys).join(', ')}.`);
  return { ...before, ...parse(value) };
}

export function traceOption(): Option {
  return new Option(
    '--trace <file>',
    'write every crossing: .json opens in Perfetto and Chrome, .ndjson has one crossing a line',
  );
}

export function traceFilterOption(): Option {
  return new Option(
    '--trace-filter <key=value>',
    'trace less: leaf=NAME,.. sub-function=NAME,.. vcpu=N,.. gpa=FROM..TO time=FROM..TO (seconds); may be given again',
  ).argParser(traceFilter);
}

/** Opens the file; undefined where no trace is asked for. */
export function openTrace(
  { trace, traceFilter: filter = {} }: TraceOptions,
  symbols: SymbolLookup,
  about: string,
): OpenTrace | undefined {
  if (trace === undefined) return undefined;
  if (!/\.(json|ndjson)$/.test(trace))
    throw new CommandError(ExitCode.Usage, `The trace ${trace} has no form: name it .json or .ndjson.`);
  let file: number;
  try {
    file = openSync(trace, 'w');
  } catch (error) {
    throw new CommandError(ExitCode.BadInput, `Cannot write the trace ${trace}: ${(error as Error).message}.`);
  }
  const write = (text: string): void => {
    try {
      writeSync(file, text);
    } catch (error) {
      throw new CommandError(ExitCode.BadInput, `Cannot write the trace ${trace}: ${(error as Error).message}.`);
    }
  };
  const writer: TraceWriter = trace.endsWith('.ndjson')
    ? new NdjsonWriter(write)
    : new TraceEventFormatWriter(write, { command: about });
  const tracer = new Tracer({ writer, filter, symbols });
  return {
    observer: tracer,
    attach: (platform, td) => tracer.attach(tracedPlatform(platform, td)),
    end: () => {
      tracer.end();
      closeSync(file);
    },
  };
}
