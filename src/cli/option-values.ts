/** Values of options, from text; each complaint is one sentence. */

import { InvalidArgumentError } from 'commander';
import { MAXIMUM_VCPUS } from '../loader/index.ts';

const sizes: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const counts: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9 };

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const value = Number(digits) * units[unit.toUpperCase()]!;
  return digits !== '' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** "512M", "1G": bytes, a whole number of MiB. */
export function memorySize(text: string): number {
  const bytes = scaled(text, sizes);
  if (bytes === undefined || bytes % sizes.M! !== 0) {
    throw new InvalidArgumentError('Give a whole number of MiB or GiB, like 512M or 1G.');
  }
  return bytes;
}

/** "2000000", "5G": how many. */
export function count(text: string): number {
  const value = scaled(text, counts);
  if (value === undefined) throw new InvalidArgumentError('Give a whole number above 0, like 2000000 or 5G.');
  return value;
}

/** "1", "42": an integer from 0 to 2^53 - 1. */
export function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Give a whole number from 0 to 9007199254740991.');
  return value;
}

/** How many vCPUs: an integer from 1 to MAXIMUM_VCPUS. */
export function vcpuCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > MAXIMUM_VCPUS)
    throw new InvalidArgumentError(`Give a whole number from 1 to ${MAXIMUM_VCPUS}.`);
  return value;
}

/** A decimal or 0x number of 64 bits; a minus sign means two's complement. */
export function word64(text: string): bigint {
  if (!/^-?(0x[0-9a-f]+|\d+)$/i.test(text)) throw new InvalidArgumentError('Give a number, like 7 or 0x8000.');
  const negative = text.startsWith('-');
  const value = BigInt(negative ? text.slice(1) : text);
  if (value > (negative ? 2n ** 63n : 2n ** 64n - 1n))
    throw new InvalidArgumentError('The number needs more than 64 bits.');
  return BigInt.asUintN(64, negative ? -value : value);
}
