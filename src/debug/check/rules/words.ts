/** Parts of sentences that several rules use. */

import type { Origin } from '../flow/origin.ts';

/** "R12 and R13" */
export function registerList(names: readonly string[]): string {
  const upper = names.map((name) => name.toUpperCase());
  return upper.length < 2 ? (upper[0] ?? '') : `${upper.slice(0, -1).join(', ')} and ${upper.at(-1)}`;
}

/** "R12, as the host left it after MapGPA", "what was read from shared memory at 0x40400000" */
export function originText({ kind, register, crossing, linear }: Origin): string {
  if (kind === 'shared-memory') return `what was read from shared memory at 0x${linear!.toString(16)}`;
  return `${register!.toUpperCase()}, as the host left it after ${crossing?.name}`;
}

export const USE_TEXT = {
  address: 'is part of an address',
  target: 'is where the guest jumps to',
  stack: 'becomes the stack pointer',
  length: 'is the length of a string instruction',
} as const;
