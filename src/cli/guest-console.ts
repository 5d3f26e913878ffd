/** What the guest prints, sorted: boot messages, the output of the command, the command's status. */

import { ConsoleMarkFilter } from '../node/index.ts';

export interface ConsoleTargets {
  /** Console text outside of a command; left out, nobody wants to see it. */
  readonly onBoot?: (bytes: Uint8Array) => void;
  /** Console text between the start and the end of the command. */
  readonly onCommand: (bytes: Uint8Array) => void;
}

/** How much of the end of the console is kept, for the report of a death. */
const keptCharacters = 16_384;

export class GuestConsole {
  readonly #filter: ConsoleMarkFilter;
  readonly #latin1 = new TextDecoder('latin1');
  #pending: number[] = [];
  #tail = '';
  #inCommand = false;
  #status: number | undefined;
  #isReady: boolean;
  #hasSpoken = false;

  /** @param isReady a shell waits already */
  constructor(targets: ConsoleTargets, isReady = false) {
    this.#isReady = isReady;
    this.#filter = new ConsoleMarkFilter({
      onBytes: (bytes) => {
        this.#tail = (this.#tail + this.#latin1.decode(bytes)).slice(-keptCharacters);
        const target = this.#inCommand ? targets.onCommand : targets.onBoot;
        if (target === undefined) return;
        this.#hasSpoken = true;
        target(bytes);
      },
      onMark: (kind, value) => {
        if (kind === 'begin') this.#inCommand = true;
        if (kind === 'ready') this.#isReady = true;
        if (kind === 'end') {
          this.#inCommand = false;
          this.#status = Number(value) & 0xff;
        }
      },
    });
  }

  /** One byte from the serial port; it is passed on by `flush`. */
  readonly transmit = (byte: number): void => {
    this.#pending.push(byte);
  };

  flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = Uint8Array.from(this.#pending);
    this.#pending = [];
    this.#filter.write(bytes);
  }

  end(): void {
    this.flush();
    this.#filter.end();
  }

  /** Exit status of the command, once it has ended. */
  get commandStatus(): number | undefined {
    return this.#status;
  }

  /** Something for the user has been printed. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** A shell waits for its user. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The end of what the guest printed, at most `count` lines. */
  lastLines(count: number): string[] {
    return this.#tail.trimEnd().split(/\r*\n/).slice(-count);
  }

  /** The end of what the guest printed. */
  get text(): string {
    return this.#tail;
  }
}
