/** Checks one function that holds a TDCALL: it is called once in each trial, and what rules find in any of them is told. */

import { type LinkedObject, LoadError } from '../../loader/index.ts';
import { type FunctionCall, type FunctionOutcome, prepareFunction } from '../../machine/index.ts';
import { observeAll } from '../../probe/index.ts';
import { symbolLookup } from '../symbols.ts';
import { Checker } from './checker.ts';
import type { CheckRule } from './events.ts';
import type { Finding } from './finding.ts';
import { RULES } from './rules/index.ts';
import { MechanismFailure, NO_FAILURE, TRIALS, type Trial } from './trials.ts';

export interface FunctionToCheck extends Omit<FunctionCall, 'hostHooks' | 'observer'> {
  /** default: all */
  readonly rules?: readonly CheckRule[];
  /** default: all */
  readonly trials?: readonly Trial[];
}

export interface TriedFunction {
  readonly trial: Trial;
  readonly outcome: FunctionOutcome;
  readonly findings: readonly Finding[];
}

export interface CheckedFunction {
  /** of all trials: one for each rule and instruction */
  readonly findings: readonly Finding[];
  readonly trials: readonly TriedFunction[];
  readonly object: LinkedObject;
}

/** @throws LoadError when the object, the symbol or an argument cannot be used */
export function checkFunction({ rules = RULES, trials = TRIALS, ...call }: FunctionToCheck): CheckedFunction {
  const tried = trials.map((trial) => tryFunction(call, rules, trial));
  const findings = new Map<string, Finding>();
  for (const finding of tried.flatMap((one) => one.findings)) {
    const { rule, rip, registers } = finding;
    const key = `${rule} ${rip} ${registers?.join() ?? ''}`;
    const known = findings.get(key);
    findings.set(key, known === undefined ? finding : { ...known, times: known.times + finding.times });
  }
  return { findings: [...findings.values()], trials: tried, object: tried[0]!.object };
}

function tryFunction(
  call: FunctionCall,
  rules: readonly CheckRule[],
  trial: Trial,
): TriedFunction & { readonly object: LinkedObject } {
  let pieces: LinkedObject['pieces'] = [];
  const isInObject = (rip: number): boolean =>
    pieces.some(({ startGpa, content }) => rip >= startGpa && rip < startGpa + content.length);
  const failure = trial.mechanismFails ? new MechanismFailure(isInObject) : NO_FAILURE;
  let names: ReturnType<typeof symbolLookup> = () => undefined;
  const checker = new Checker({ rules, symbols: (address) => names(address) });
  const { platform, td, object, maxInstructions, finish } = prepareFunction({
    ...call,
    hostHooks: trial.hostHooks,
    observer: observeAll(checker.observer, failure.observer),
  });
  pieces = object.pieces;
  names = symbolLookup(
    [...object.symbols].map(([name, address]) => ({ name, address: BigInt(address), sizeBytes: 0 })),
  );
  failure.attach(platform.module.processorsOf(td.host.tdrHpa)[0]!);
  const entry = BigInt(object.symbols.get(call.symbol)!);
  checker.attach(platform, td, {
    entries: [entry],
    argumentCount: call.args.length,
    isChecked: (linear) => isInObject(Number(linear)),
  });
  const { outcome } = finish(td.run({ instructions: maxInstructions }).end);
  checker.end();
  return { trial, outcome, findings: checker.findings, object };
}

/** TDCALL */
const TDCALL = [0x66, 0x0f, 0x01, 0xcc];

/**
 * Names of the functions whose code holds a TDCALL, in the order of their addresses.
 * @throws LoadError where there is none
 */
export function functionsWithTdcall({ pieces, symbols }: LinkedObject, name: string): string[] {
  const sorted = [...symbols].filter(([symbol]) => !symbol.startsWith('.L')).sort(([, a], [, b]) => a - b);
  const calls = pieces.flatMap(({ startGpa, content }) =>
    [...content.keys()]
      .filter((at) => TDCALL.every((byte, offset) => content[at + offset] === byte))
      .map((at) => startGpa + at),
  );
  const found = sorted.filter(([, address], i) => {
    const end = sorted.slice(i + 1).find(([, other]) => other > address)?.[1] ?? Number.POSITIVE_INFINITY;
    return calls.some((call) => call >= address && call < end);
  });
  if (found.length === 0)
    throw new LoadError(`${name} has no function with a TDCALL: give the name of one to be called`);
  return found.map(([symbol]) => symbol);
}
