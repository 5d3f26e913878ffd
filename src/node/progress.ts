/** Progress on a terminal: one line that is drawn over; elsewhere one line per step. */

/** `fraction` is 0 to 1, or absent where the end is not known. */
export type OnProgress = (step: string, fraction?: number) => void;

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const barWidth = 24;
const millisecondsPerFrame = 100;
const clearLine = '\r\x1b[K';

export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #color: boolean;
  #step = '';
  #lastDrawn = 0;
  #isOpen = false;

  constructor(stream: ProgressStream, options: { readonly color: boolean }) {
    this.#stream = stream;
    this.#color = options.color;
  }

  readonly report: OnProgress = (step, fraction) => {
    const isNew = step !== this.#step;
    this.#step = step;
    if (!this.#stream.isTTY) {
      if (isNew) this.#stream.write(`${step}\n`);
      return;
    }
    const now = Date.now();
    if (this.#isOpen && fraction !== 0 && fraction !== 1 && now - this.#lastDrawn < millisecondsPerFrame) return;
    this.#lastDrawn = now;
    this.#isOpen = true;
    this.#stream.write(`${clearLine}${fraction === undefined ? '' : `${this.#bar(fraction)} `}${step}`);
  };

  /** A line that changes all the time: for terminals only. */
  live(text: string): void {
    if (this.#stream.isTTY) this.report(text);
  }

  /** Leaves nothing behind on a terminal. */
  done(): void {
    if (this.#isOpen) this.#stream.write(clearLine);
    this.#isOpen = false;
    this.#step = '';
  }

  #bar(fraction: number): string {
    const share = Math.min(1, Math.max(0, fraction));
    const filled = Math.round(share * barWidth);
    const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return this.#color ? `\x1b[36m${bar}\x1b[0m${percent}` : `${bar}${percent}`;
  }
}
