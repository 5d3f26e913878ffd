/** --snapshot-at and --snapshot: when a run is kept, and where. */

import { InvalidArgumentError, Option } from 'commander';
import { SnapshotError, type Stateful } from '../bits/index.ts';
import type { SnapshotAbout, TdxPlatform } from '../machine/index.ts';
import { writeSnapshot } from '../node/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import { count } from './option-values.ts';

/** The console's mark that a shell is there, or so many instructions. */
export type SnapshotMoment = 'marker' | number;

export interface SnapshotOptions {
  readonly snapshotAt?: SnapshotMoment | undefined;
  readonly snapshot?: string | undefined;
}

export function snapshotMoment(text: string): SnapshotMoment {
  if (text === 'marker') return text;
  try {
    return count(text);
  } catch {
    throw new InvalidArgumentError('Give "marker" or a number of instructions, like 900M.');
  }
}

export function snapshotAtOption(): Option {
  return new Option(
    '--snapshot-at <moment>',
    'keep the whole platform: when the shell is there ("marker"), or after so many instructions, like 900M',
  ).argParser(snapshotMoment);
}

export function snapshotOption(): Option {
  return new Option('--snapshot <file>', 'where --snapshot-at keeps it; "seamulator resume FILE" goes on from there');
}

/** A snapshot that a run shall make. */
export interface WantedSnapshot {
  readonly at: SnapshotMoment;
  /** Makes it. Returns why it cannot be at this moment, though perhaps a little later; undefined: it is made. */
  readonly take: (instructions: number, atShell: boolean) => Promise<string | undefined>;
}

/** What is said when a run is over and its snapshot was never made. @param why the last reason that it could not be */
export function noSnapshot(instructions: number, why = 'the run was over before'): string {
  return `No snapshot was made in ${instructions} instructions: ${why}.`;
}

/**
 * What the options ask for; undefined: nothing.
 * @param about everything that is known before the run
 * @param seen what is kept besides the platform
 */
export function wantedSnapshot(
  { snapshotAt, snapshot }: SnapshotOptions,
  platform: TdxPlatform,
  about: Omit<SnapshotAbout, 'instructions' | 'atShell'>,
  seen?: Stateful,
): WantedSnapshot | undefined {
  if (snapshotAt === undefined && snapshot === undefined) return undefined;
  if (snapshotAt === undefined || snapshot === undefined)
    throw new CommandError(ExitCode.Usage, '--snapshot-at says when and --snapshot says where: give both.');
  return {
    at: snapshotAt,
    async take(instructions, atShell) {
      try {
        await writeSnapshot(snapshot, platform, { ...about, instructions, atShell }, seen);
        return undefined;
      } catch (error) {
        if (error instanceof SnapshotError) return error.message;
        throw new CommandError(
          ExitCode.BadInput,
          `Cannot write the snapshot ${snapshot}: ${(error as Error).message}.`,
        );
      }
    },
  };
}
