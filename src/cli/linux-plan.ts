/** The plan of a Linux TD out of what a person chose: for those who boot it, and those who only measure it. */
import { LoadError, type LoadPlan, planLinuxBoot } from '../loader/index.ts';
import { BOARD, buildShimRom } from '../machine/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import type { GuestFiles } from './guest-sources.ts';

/** Without reboot=a a reboot goes through firmware that is not there. The self-tests of the kernel's ciphers cost more instructions than the rest of the boot. */
export const COMMAND_LINE_BASE = 'console=ttyS0 panic=-1 reboot=a cryptomgr.notests';

/** `isQuiet`: boot messages that nobody sees are not printed, since each letter is two calls to the host. */
export function linuxCommandLine(append: string, isQuiet: boolean): string {
  return [COMMAND_LINE_BASE, isQuiet ? 'quiet' : '', append].filter((part) => part !== '').join(' ');
}

export interface TdSize {
  /** bytes */
  readonly memory: number;
  readonly vcpus: number;
}

/** Throws CommandError with one sentence for what cannot be loaded. */
export function linuxPlan({ kernel, initrd }: GuestFiles, commandLine: string, { memory, vcpus }: TdSize): LoadPlan {
  return orSentence(() =>
    planLinuxBoot({ kernel, initrd, commandLine, memoryBytes: memory, vcpus, board: BOARD, shim: buildShimRom() }),
  );
}

export function orSentence<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof LoadError) throw new CommandError(ExitCode.BadInput, `${error.message}.`);
    throw error;
  }
}
