/** What a kernel says on its console when it dies. Source: Linux, kernel/panic.c and arch/x86/kernel/dumpstack.c. */

export interface ConsoleWords {
  /** what follows "Kernel panic - not syncing:" */
  readonly panic: string | null;
  /** first line of an oops: "BUG: unable to handle page fault for address: ..." */
  readonly oops: string | null;
  /** RIP in the kernel as it printed it, with its symbol: "native_halt+0x1/0x2" */
  readonly place: string | null;
  /** functions of the call trace, innermost first; without those it is not sure of */
  readonly callTrace: readonly string[];
}

const OOPS =
  /(?:^|\n|\] )((?:BUG: |Oops: |kernel BUG at |general protection fault|Unable to handle |unchecked MSR access error|VE fault|#VE )[^\r\n]*)/;
const TRACE_LINE = /^(?:\[[ 0-9.]+\])?\s+([\w.]+\+0x[0-9a-f]+\/0x[0-9a-f]+)/;

/** @param text the end of the console */
export function consoleWords(text: string): ConsoleWords {
  const lines = text.split(/\r*\n/);
  const start = lines.findIndex((line) => line.includes('Call Trace:'));
  return {
    panic: /Kernel panic - not syncing: ([^\r\n]*)/.exec(text)?.[1] ?? null,
    oops: OOPS.exec(text)?.[1] ?? null,
    place: /\bRIP: 0010:([^\r\n]*)/.exec(text)?.[1]?.trim() ?? null,
    callTrace: start < 0 ? [] : lines.slice(start).flatMap((line) => TRACE_LINE.exec(line)?.[1] ?? []),
  };
}
