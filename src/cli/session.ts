/** Runs a TD with its console: on a terminal for a person, or straight through. */

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { RunControl } from '../debug/index.ts';
import type { Td, TdEnd } from '../machine/index.ts';
import { openTerminal, type TerminalCommand, terminalHelp } from '../node/index.ts';
import type { Clock } from '../time/index.ts';
import type { GuestConsole } from './guest-console.ts';
import { give, type RecordedInput, type RunInput } from './inputs.ts';
import type { Output } from './output.ts';
import { noSnapshot, type WantedSnapshot } from './snapshot-options.ts';

/** Instructions between two looks at the keyboard: some tens of milliseconds, and the same in every run. */
const sliceInstructions = 10_000_000;
const nanosecondsPerMillisecond = 1e6;
/** The longest real wait, so that clock and keyboard stay in step. */
const longestWaitMilliseconds = 1000;

export interface SessionOptions {
  readonly td: Td;
  readonly clock: Clock;
  readonly console: GuestConsole;
  readonly output: Output;
  readonly maxInstructions: number;
  /** a person is at the terminal: keys go to the guest, and idle time is real */
  readonly interactive: boolean;
  /** says when the TD may run */
  readonly debugger: RunControl | undefined;
  /** told after each slice how many instructions there were so far; draws, in place of the progress line */
  readonly onSlice: ((instructions: number) => void) | undefined;
  /** what came from outside in a run that is lived again */
  readonly replay: readonly RecordedInput[];
  /** told of everything that comes from outside */
  readonly record: (input: RecordedInput) => void;
  readonly snapshot: WantedSnapshot | undefined;
  /** what is to be said of a guest that has not crossed its border for long */
  readonly quietSentence: () => string | undefined;
  /** the crossings so far, for the terminal's Ctrl-A C */
  readonly crossingsSoFar: (instructions: number, wallMilliseconds: number) => string;
}

export interface SessionEnd {
  readonly end: TdEnd;
  readonly instructions: number;
  readonly wallMilliseconds: number;
  /** the person left, or interrupted the run */
  readonly leftBy: 'terminal' | 'signal' | undefined;
}

export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { td, clock, console, output, maxInstructions, interactive } = options;
  const started = performance.now();
  let instructions = 0;
  let leftBy: SessionEnd['leftBy'];
  let wake = (): void => {};
  let quiet: string | undefined;
  const toReplay = [...options.replay];
  let { snapshot } = options;
  let whyNoSnapshot: string | undefined;

  const comesIn = (input: RunInput): void => {
    options.record({ ...input, at: instructions });
    const letIn = (): void => give(input, td, clock);
    if (options.debugger === undefined) letIn();
    else options.debugger.input(letIn);
  };

  const onCommand = (command: TerminalCommand): void => {
    if (command === 'help') output.always(`\n${terminalHelp.join('\n')}`);
    if (command === 'crossings') {
      output.always(`\n${options.crossingsSoFar(instructions, performance.now() - started)}`);
    }
    if (command === 'leave') {
      leftBy = 'terminal';
      options.debugger?.release();
    }
    wake();
  };
  const onKeys = (keys: Uint8Array): void => {
    comesIn({ keys: [...keys] });
    wake();
  };
  const onSignal = (): void => {
    leftBy = 'signal';
    options.debugger?.release();
  };
  const closeTerminal = interactive ? openTerminal(process.stdin, onKeys, onCommand) : () => {};
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);

  const result = (end: TdEnd): SessionEnd => {
    if (snapshot !== undefined) output.always(noSnapshot(instructions, whyNoSnapshot));
    return { end, instructions, wallMilliseconds: performance.now() - started, leftBy };
  };

  try {
    for (;;) {
      // a recording of another run may name an instruction at which this one cannot be cut
      while (toReplay.length > 0 && toReplay[0]!.at <= instructions) {
        comesIn(toReplay.shift()!);
        td.run({ instructions: 0 }); // as between two waits of the run that was recorded
      }
      const nextInput = (toReplay[0]?.at ?? Number.POSITIVE_INFINITY) - instructions;
      const toSnapshot = typeof snapshot?.at === 'number' ? snapshot.at - instructions : Number.POSITIVE_INFINITY;
      const isNear = toSnapshot > 0 ? toSnapshot : Number.POSITIVE_INFINITY;
      const left = Math.min(sliceInstructions, maxInstructions - instructions, nextInput, isNear);
      const atShell = interactive && console.isReady && toReplay.length === 0;
      await options.debugger?.mayRun();
      const run = td.run({ instructions: left, idle: atShell ? 'return' : 'skip' });
      instructions += run.instructions;
      console.flush();
      options.onSlice?.(instructions);
      if (!interactive && !console.hasSpoken && options.onSlice === undefined)
        showProgress(output, instructions, performance.now() - started);
      const sentence = options.quietSentence();
      if (sentence !== undefined && quiet === undefined) output.note(sentence);
      quiet = sentence;
      await setImmediate();
      if (leftBy !== undefined) return result({ cause: 'stopped' });
      if (options.debugger?.ran(run.end)) continue;
      const isDue = snapshot?.at === 'marker' ? console.isReady : instructions >= (snapshot?.at ?? Infinity);
      if (snapshot !== undefined && isDue) {
        whyNoSnapshot = await snapshot.take(instructions, console.isReady);
        if (whyNoSnapshot === undefined) {
          output.note(`The run is kept after ${instructions} instructions.`);
          const isAll = snapshot.at === 'marker' && !interactive;
          snapshot = undefined;
          if (isAll) return result({ cause: 'stopped' });
        }
      }
      if (
        run.end.cause === 'idle' &&
        (atShell || (interactive && run.end.nextAlarmTicks === Number.POSITIVE_INFINITY))
      ) {
        const ticks = await waitForReal(clock, run.end.nextAlarmTicks, (wakeUp) => {
          wake = wakeUp;
        });
        comesIn({ wait: ticks });
      } else if (run.end.cause !== 'instruction-limit' || instructions >= maxInstructions) {
        if (await options.debugger?.ended(run.end)) continue;
        return result(run.end);
      }
    }
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    closeTerminal();
    console.end();
    output.progress.done();
  }
}

/** Sleeps until the guest's next alarm or a key; ticks that passed. */
async function waitForReal(clock: Clock, nextAlarmTicks: number, onWake: (wake: () => void) => void): Promise<number> {
  const untilAlarm = (nextAlarmTicks - clock.nowTicks) / nanosecondsPerMillisecond;
  const wakeUp = new AbortController();
  onWake(() => wakeUp.abort());
  const before = performance.now();
  await sleep(Math.min(untilAlarm, longestWaitMilliseconds), undefined, { signal: wakeUp.signal }).catch(() => {});
  const passed = Math.min(performance.now() - before, untilAlarm);
  return Math.ceil(passed * nanosecondsPerMillisecond);
}

function showProgress(output: Output, instructions: number, milliseconds: number): void {
  if (milliseconds < 500) return;
  const mips = instructions / milliseconds / 1000;
  output.progress.live(`Booting: ${(instructions / 1e9).toFixed(2)} G instructions, ${mips.toFixed(0)} MIPS`);
}
