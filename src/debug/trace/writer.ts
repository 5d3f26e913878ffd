/** Forms in which a trace is written. */

import type { TraceEvent } from './event.ts';

/** Takes events in their order and text out in pieces. */
export interface TraceWriter {
  event(event: TraceEvent): void;
  /** hands over what has gathered */
  flush(): void;
  end(): void;
}

export type WriteText = (text: string) => void;

/** One JSON object a line: for programs, and for `trace summary` and `trace diff`. */
export class NdjsonWriter implements TraceWriter {
  readonly #write: WriteText;
  #lines: string[] = [];

  constructor(write: WriteText) {
    this.#write = write;
  }

  event(event: TraceEvent): void {
    this.#lines.push(JSON.stringify(event));
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    this.#write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }

  end(): void {
    this.flush();
  }
}
