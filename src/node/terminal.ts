/** The user's terminal as the guest's serial line: every key goes to the guest, Ctrl-A is ours. */

import type { ReadStream } from 'node:tty';

const ctrlA = 1;

export type TerminalCommand = 'leave' | 'help' | 'crossings';

const commands: ReadonlyMap<string, TerminalCommand> = new Map([
  ['x', 'leave'],
  ['?', 'help'],
  ['h', 'help'],
  ['c', 'crossings'],
]);

export const terminalHelp = [
  'Ctrl-A X       leave; the TD is switched off',
  'Ctrl-A C       the crossings so far',
  'Ctrl-A Ctrl-A  send Ctrl-A to the guest',
  'Ctrl-A ?       this help',
];

/** Tells keys for the guest from commands for us, in input that arrives in pieces of any size. */
export class KeyReader {
  #afterCtrlA = false;

  read(input: Uint8Array): { readonly keys: Uint8Array; readonly commands: readonly TerminalCommand[] } {
    const keys: number[] = [];
    const found: TerminalCommand[] = [];
    for (const byte of input) {
      if (!this.#afterCtrlA) {
        if (byte === ctrlA) this.#afterCtrlA = true;
        else keys.push(byte);
        continue;
      }
      this.#afterCtrlA = false;
      const command = commands.get(String.fromCharCode(byte).toLowerCase());
      if (command !== undefined) found.push(command);
      else if (byte === ctrlA) keys.push(byte);
    }
    return { keys: Uint8Array.from(keys), commands: found };
  }
}

/** Puts the terminal in raw mode and hands on what is typed; the returned function gives the terminal back. */
export function openTerminal(
  input: ReadStream,
  onKeys: (keys: Uint8Array) => void,
  onCommand: (command: TerminalCommand) => void,
): () => void {
  const reader = new KeyReader();
  const onData = (chunk: Uint8Array): void => {
    const { keys, commands: typed } = reader.read(chunk);
    if (keys.length > 0) onKeys(keys);
    for (const command of typed) onCommand(command);
  };
  const restore = (): void => {
    input.setRawMode(false);
  };
  input.setRawMode(true);
  input.on('data', onData);
  input.resume();
  process.once('exit', restore);
  return () => {
    process.off('exit', restore);
    input.off('data', onData);
    restore();
    input.pause();
  };
}

/** Is there a person at both ends? Output is asked first: for an input that is no terminal Node loads its streams, 8 ms of a start. */
export function hasTerminal(): boolean {
  return process.stdout.isTTY === true && process.stdin.isTTY === true;
}
