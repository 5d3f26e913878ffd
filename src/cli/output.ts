/** Where the command's own words go: stderr, so that stdout is the guest's alone. */

import { ProgressLine } from '../node/index.ts';

export interface OutputOptions {
  readonly quiet?: boolean;
}

export class Output {
  readonly color: boolean;
  readonly progress: ProgressLine;
  readonly #quiet: boolean;

  constructor({ quiet = false }: OutputOptions) {
    this.#quiet = quiet;
    // https://no-color.org: any non-empty value
    this.color = process.stderr.isTTY === true && !process.env.NO_COLOR;
    this.progress = new ProgressLine(quiet ? { write: () => {} } : process.stderr, { color: this.color });
  }

  /** Left out with --quiet. */
  note(text: string): void {
    if (!this.#quiet) this.always(text);
  }

  /** Complaints and reports of death. */
  always(text: string): void {
    this.progress.done();
    process.stderr.write(`${text}\n`);
  }

  heading(text: string): string {
    return this.color ? `\x1b[1m${text}\x1b[0m` : text;
  }
}
