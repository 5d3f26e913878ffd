/**
 * Marks that our init script leaves in the console stream: operating system commands (ECMA-48, "OSC - OPERATING SYSTEM
 * COMMAND") of a name no terminal knows, so that one which reaches a terminal is not shown there.
 */

export const MARK_START = '\x1b]';
export const MARK_END = '\x07';
const NAME = 'seamulator;';
const START_BYTES = [...`${MARK_START}${NAME}`].map((character) => character.charCodeAt(0));
const END_BYTE = MARK_END.charCodeAt(0);
const LONGEST_MARK = 64;

/** `begin`: the command starts; `end`: it ended with the status in `value`; `ready`: a shell is there. */
export type MarkKind = 'begin' | 'end' | 'ready';

export function consoleMark(kind: MarkKind, value = ''): string {
  return `${MARK_START}${NAME}${kind}${value === '' ? '' : `;${value}`}${MARK_END}`;
}

export interface ConsoleReader {
  /** Console bytes without the marks, in the order they came. */
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onMark: (kind: string, value: string) => void;
}

/** Takes the marks out of a console stream that arrives in pieces of any size. */
export class ConsoleMarkFilter {
  readonly #reader: ConsoleReader;
  /** bytes that may turn out to be a mark */
  #held: number[] = [];

  constructor(reader: ConsoleReader) {
    this.#reader = reader;
  }

  write(bytes: Uint8Array): void {
    let plain: number[] = [];
    const flush = (): void => {
      if (plain.length > 0) this.#reader.onBytes(Uint8Array.from(plain));
      plain = [];
    };
    for (const byte of bytes) {
      this.#held.push(byte);
      if (this.#isMark(byte)) {
        flush();
        const text = String.fromCharCode(...this.#held.slice(START_BYTES.length, -1));
        const [kind = '', value = ''] = text.split(';');
        this.#held = [];
        this.#reader.onMark(kind, value);
      } else if (!this.#couldBecomeMark()) {
        // the held bytes are plain; the last of them may start a mark of its own
        const restart = this.#held.length > 1 && byte === START_BYTES[0] ? [this.#held.pop()!] : [];
        plain.push(...this.#held);
        this.#held = restart;
      }
    }
    flush();
  }

  /** The stream has ended: what is held is plain. */
  end(): void {
    if (this.#held.length > 0) this.#reader.onBytes(Uint8Array.from(this.#held));
    this.#held = [];
  }

  #isMark(byte: number): boolean {
    return byte === END_BYTE && this.#held.length > START_BYTES.length && this.#couldBecomeMark();
  }

  #couldBecomeMark(): boolean {
    const compared = Math.min(this.#held.length, START_BYTES.length);
    for (let i = 0; i < compared; i++) if (this.#held[i] !== START_BYTES[i]) return false;
    return this.#held.length <= LONGEST_MARK;
  }
}
