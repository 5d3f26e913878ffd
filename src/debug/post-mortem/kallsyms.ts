/**
 * The symbol table that a Linux kernel carries in its own memory: found without knowing where the kernel is, and without a vmlinux.
 * Source: Linux, scripts/kallsyms.c and kernel/kallsyms.c: names are strings of tokens, tokens are 256 zero-terminated texts, the
 * index of the tokens is 256 16-bit offsets, addresses are 32-bit offsets from one base.
 */

import type { CodeSymbol } from '../symbols.ts';

const TOKENS = 256;
const DIGITS = '0123456789';
const LONGEST_TABLE_BYTES = 4096;
const LONGEST_TOKEN_BYTES = 128;
const NAMES_PER_MARKER = 256;
const MOST_SYMBOLS = 2_000_000;
const FEWEST_SYMBOLS = 1000;
const KERNEL_BASE = 0xffff_ffff_8000_0000n;
const TEXT_TYPES = new Set(['T', 't', 'W', 'w']);

interface Image {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function align(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

/** Offset of the ten digit tokens "0\0" to "9\0", which stand for themselves; -1 if there are none. */
function findDigits({ bytes }: Image, from: number): number {
  const first = DIGITS.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let digit = 0;
    while (digit < 10 && bytes[at + 2 * digit] === first + digit && bytes[at + 2 * digit + 1] === 0) digit++;
    if (digit === 10) return at;
  }
  return -1;
}

interface TokenTable {
  readonly tokens: readonly string[];
  /** offset of its first byte, and of what follows the index */
  readonly start: number;
  readonly end: number;
}

/** The table whose token number 0x30 is at `digits`: its index follows it and agrees with it. */
function tokenTable({ bytes, view }: Image, digits: number): TokenTable | undefined {
  const before: number[] = [digits];
  for (let at = digits - 1; before.length <= DIGITS.charCodeAt(0); ) {
    if (digits - at > LONGEST_TABLE_BYTES || at < 1) return undefined;
    at--;
    while (at >= 0 && bytes[at] !== 0) at--;
    before.push(at + 1);
  }
  const start = before.at(-1)!;
  const tokens: string[] = [];
  const offsets: number[] = [];
  let at = start;
  while (tokens.length < TOKENS && at - start < LONGEST_TABLE_BYTES) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || end - at > LONGEST_TOKEN_BYTES) return undefined;
    offsets.push(at - start);
    tokens.push(String.fromCharCode(...bytes.subarray(at, end)));
    at = end + 1;
  }
  for (const alignment of [2, 4, 8]) {
    const index = align(at, alignment);
    if (index + 2 * TOKENS > bytes.length) return undefined;
    const agrees = offsets.every((offset, i) => view.getUint16(index + 2 * i, true) === offset);
    if (tokens.length === TOKENS && agrees) return { tokens, start, end: index + 2 * TOKENS };
  }
  return undefined;
}

/** The markers end where the tokens begin: offsets of every 256th name, ascending, from 0. */
function findMarkers({ view }: Image, tokenStart: number): { start: number; count: number } | undefined {
  for (let end = tokenStart - (tokenStart % 4); end > tokenStart - 64 && end >= 8; end -= 4) {
    let at = end - 4;
    let next = view.getUint32(at, true);
    if (next === 0) continue;
    while (at >= 4) {
      const value = view.getUint32(at - 4, true);
      if (value >= next || next - value > 64 * 1024) break;
      at -= 4;
      next = value;
      if (value === 0) return { start: at, count: (end - at) / 4 };
    }
  }
  return undefined;
}

function lengthAt({ bytes }: Image, at: number): { length: number; bytes: number } {
  const first = bytes[at]!;
  return (first & 0x80) === 0
    ? { length: first, bytes: 1 }
    : { length: (first & 0x7f) | (bytes[at + 1]! << 7), bytes: 2 };
}

/** Offset of the names and their number: names end before the markers, and marker n is the offset of name 256 n. */
function findNames(
  image: Image,
  markers: { start: number; count: number },
): { start: number; offsets: readonly number[] } | undefined {
  const { view } = image;
  const lastMarker = view.getUint32(markers.start + 4 * (markers.count - 1), true);
  const secondMarker = view.getUint32(markers.start + 4, true);
  const nearest = markers.start - lastMarker - 1;
  for (let start = nearest - (nearest % 4); start > nearest - 64 * 1024 && start > 8; start -= 4) {
    const count = view.getUint32(start - 4, true);
    const countWide = view.getUint32(start - 8, true);
    const total = Math.ceil(count / NAMES_PER_MARKER) === markers.count ? count : countWide;
    if (Math.ceil(total / NAMES_PER_MARKER) !== markers.count || total > MOST_SYMBOLS || total < FEWEST_SYMBOLS)
      continue;
    const offsets: number[] = [];
    let at = start;
    for (let i = 0; i < total && at < markers.start; i++) {
      if (i === NAMES_PER_MARKER && at - start !== secondMarker) break;
      offsets.push(at);
      const { length, bytes } = lengthAt(image, at);
      at += bytes + length;
    }
    if (offsets.length === total && at <= markers.start) return { start, offsets };
  }
  return undefined;
}

/** Addresses: `total` signed offsets and behind them, aligned to 8, the base, which is a kernel address. */
function findAddresses({ view, bytes }: Image, from: number, total: number): bigint[] | undefined {
  const size = 4 * total;
  for (let start = align(from, 4); start < from + 64 && start + size + 16 < bytes.length; start += 4) {
    for (const base of [align(start + size, 8), align(start + size, 4)]) {
      const relative = view.getBigUint64(base, true);
      if (relative < KERNEL_BASE) continue;
      return Array.from({ length: total }, (_, i) => {
        const offset = view.getInt32(start + 4 * i, true);
        // with CONFIG_KALLSYMS_ABSOLUTE_PERCPU what is not negative is an absolute value
        return offset < 0 ? relative - 1n - BigInt(offset) : relative + BigInt(offset);
      });
    }
  }
  return undefined;
}

/** Functions of the kernel in `bytes` (its mapped image); undefined: there is no table that could be read. */
export function findKallsyms(bytes: Uint8Array): CodeSymbol[] | undefined {
  const image: Image = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  for (let at = findDigits(image, 0); at >= 0; at = findDigits(image, at + 1)) {
    const table = tokenTable(image, at);
    if (table === undefined) continue;
    const markers = findMarkers(image, table.start);
    const names = markers === undefined ? undefined : findNames(image, markers);
    if (names === undefined) continue;
    const addresses = findAddresses(image, table.end, names.offsets.length);
    if (addresses === undefined) continue;
    return names.offsets.flatMap((offset, i) => {
      const { length, bytes: skip } = lengthAt(image, offset);
      let text = '';
      for (const token of bytes.subarray(offset + skip, offset + skip + length)) text += table.tokens[token];
      return TEXT_TYPES.has(text[0]!) ? [{ name: text.slice(1), address: addresses[i]!, sizeBytes: 0 }] : [];
    });
  }
  return undefined;
}
