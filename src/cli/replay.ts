/** A command line that can be pasted into a shell. */

export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function replayLine(args: readonly string[]): string {
  return ['seamulator', ...args].map(shellQuoted).join(' ');
}
