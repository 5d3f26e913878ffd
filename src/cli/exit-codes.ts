/** What the command's exit code says. A guest command's own status takes the place of 0. */

export const ExitCode = {
  /** the guest ended well */
  Ended: 0,
  /** the command line makes no sense */
  Usage: 1,
  /** the TD died: panic, ReportFatalError, triple fault, an exit nobody serves */
  Died: 2,
  /** a file cannot be read or cannot be loaded */
  BadInput: 3,
  /** a limit the user set was reached */
  Limit: 4,
  /** two traces are not the same */
  Differs: 5,
  /** what was checked is not as it should be: a quote is refused, a measurement differs */
  Refused: 5,
  /** interrupted, as shells number it: 128 + SIGINT */
  Interrupted: 130,
} as const;

/** Ends the command with one sentence. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(exitCode: number, sentence: string) {
    super(sentence);
    this.exitCode = exitCode;
  }
}
