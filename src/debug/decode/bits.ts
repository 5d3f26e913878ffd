/** Bit fields as lists of names. */

import { hex } from '../../bits/index.ts';

/** Names of the bits that are set; bits without a name as numbers. */
export function bitList(value: bigint, names: Readonly<Record<string, bigint>>): string[] {
  const found: string[] = [];
  let rest = value;
  for (const [name, mask] of Object.entries(names)) {
    if ((value & mask) === mask) found.push(name);
    else if ((value & mask) !== 0n) found.push(`part of ${name} (${hex(value & mask)})`);
    rest &= ~mask;
  }
  for (let bit = 0; rest !== 0n; bit++, rest >>= 1n) if ((rest & 1n) !== 0n) found.push(`bit ${bit}, reserved`);
  return found;
}

/** "SEPT_VE_DISABLE, PKS" or "none". */
export function bitText(value: bigint, names: Readonly<Record<string, bigint>>): string {
  return bitList(value, names).join(', ') || 'none';
}
