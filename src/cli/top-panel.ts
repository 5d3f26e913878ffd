/**
 * A panel in the last lines of the terminal: everything else scrolls above it.
 * Source: ECMA-48 and the VT100's control sequences (DECSTBM sets the lines that scroll, DECSC and DECRC keep the cursor).
 */

export interface PanelStream {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

const SAVE = '\x1b7';
const RESTORE = '\x1b8';
const CLEAR_LINE = '\x1b[2K';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';
const at = (row: number): string => `\x1b[${row};1H`;
const scroll = (first: number, last: number): string => `\x1b[${first};${last}r`;

export class TopPanel {
  readonly #stream: PanelStream;
  readonly #lines: number;
  readonly #color: boolean;
  #rows = 0;

  /** @param lines height; the terminal should have more rows than that */
  constructor(stream: PanelStream, lines: number, color: boolean) {
    this.#stream = stream;
    this.#lines = lines;
    this.#color = color;
    // room for the panel, without losing what is on the screen
    stream.write('\n'.repeat(lines));
    this.#reserve();
  }

  get columns(): number {
    return this.#stream.columns;
  }

  draw(lines: readonly string[]): void {
    if (this.#stream.rows !== this.#rows) this.#reserve();
    const first = this.#rows - this.#lines + 1;
    const [on, off] = this.#color ? [DIM, PLAIN] : ['', ''];
    const rows = lines.slice(0, this.#lines).map((line, i) => `${at(first + i)}${CLEAR_LINE}${on}${line}${off}`);
    this.#stream.write(`${SAVE}${rows.join('')}${RESTORE}`);
  }

  /** The whole terminal scrolls again; the panel stays where it was drawn last. */
  close(): void {
    this.#stream.write(`${scroll(1, this.#rows)}${at(this.#rows)}\n`);
  }

  #reserve(): void {
    this.#rows = this.#stream.rows;
    const last = this.#rows - this.#lines;
    this.#stream.write(`${scroll(1, last)}${at(last)}`);
  }
}
