/** What comes into a run from outside, with the instruction at which it came: a run with the same inputs is the same run. */

import type { Td } from '../machine/index.ts';
import { FileError, readUserFile, writeWhole } from '../node/index.ts';
import type { Clock } from '../time/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

export type RunInput =
  /** bytes at the serial console */
  | { readonly keys: readonly number[] }
  /** real time that passed while every vCPU waited, in ticks */
  | { readonly wait: number };

export type RecordedInput = RunInput & {
  /** instructions that the run had behind it */
  readonly at: number;
};

/** Lets an input in. */
export function give(input: RunInput, td: Td, clock: Clock): void {
  if ('keys' in input) td.type(Uint8Array.from(input.keys));
  else clock.advance(input.wait);
}

const isInput = (value: unknown): value is RecordedInput => {
  if (typeof value !== 'object' || value === null) return false;
  const { at, keys, wait } = value as Record<string, unknown>;
  return Number.isSafeInteger(at) && (Array.isArray(keys) ? keys.every(Number.isInteger) : Number.isSafeInteger(wait));
};

/** One input a line. Throws one sentence. */
export async function readInputs(path: string): Promise<RecordedInput[]> {
  const bytes = await readUserFile(path, 'recording').catch((error: Error) => {
    throw error instanceof FileError ? new CommandError(ExitCode.BadInput, error.message) : error;
  });
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, index) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (!isInput(value))
      throw new CommandError(ExitCode.BadInput, `Line ${index + 1} of ${path} is no recorded input.`);
    return value;
  });
}

export async function writeInputs(path: string, inputs: readonly RecordedInput[]): Promise<void> {
  await writeWhole(path, inputs.map((input) => `${JSON.stringify(input)}\n`).join(''));
}
