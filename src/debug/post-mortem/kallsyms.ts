/**
 * The symbol table that a Linux kernel carries in its own memory: found without knowing where the kernel is, and without a vmlinux.
 * Source: Linux, scripts/kallsyms.c and kernel/kallsyms.c: names are strings of tokens, tokens are 256 zero-terminated texts, the
 * index of the tokens is 256 16-bit offsets, addresses are 32-bit offsets from one base.
 */

import { hex } from '../../bits/index.ts';
import { LONGEST_FUNCTION_BYTES, type SymbolLookup } from '../symbols.ts';

const TOKENS = 256;
const DIGITS = '0123456789';
/** of the tokens */
export const LONGEST_TABLE_BYTES = 4096;
const LONGEST_TOKEN_BYTES = 128;
const NAMES_PER_MARKER = 256;
const MOST_SYMBOLS = 2_000_000;
const FEWEST_SYMBOLS = 1000;
const KERNEL_BASE = 0xffff_ffff_8000_0000n;
const TEXT_TYPES = ['T', 't', 'W', 'w'].map((type) => type.charCodeAt(0));

interface Image {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function imageOf(bytes: Uint8Array): Image {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function align(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

/** The row of ten digits is longer than this by a word, so that one of the words at such a distance lies in it. */
const DIGITS_STRIDE_BYTES = 16;
const DIGITS_BYTES = 2 * DIGITS.length;

/** Two neighbours of the row "0\0" to "9\0", with the zero behind or before each. */
function hasTwoDigits(word: number): boolean {
  if (word === 0) return false;
  const digits = (word & 0xff00_ff00) === 0 ? word : (word & 0x00ff_00ff) === 0 ? word >>> 8 : 0;
  const first = digits & 0xff;
  return digits >>> 16 === first + 1 && first >= DIGITS.charCodeAt(0) && first < DIGITS.charCodeAt(9);
}

/** Offset in [from, to) of a word that may be of the row of digits, by a look at every fourth word; -1: there is none. */
export function findWordOfDigits(view: DataView, from: number, to: number): number {
  for (let at = from; at + 4 <= to; at += DIGITS_STRIDE_BYTES) if (hasTwoDigits(view.getInt32(at, true))) return at;
  return -1;
}

/** Offset of the ten digit tokens "0\0" to "9\0", which stand for themselves; -1 if there are none. */
function findDigits({ bytes, view }: Image, from: number): number {
  const first = DIGITS.charCodeAt(0);
  for (let word = from; ; word += DIGITS_STRIDE_BYTES) {
    word = findWordOfDigits(view, word, bytes.length);
    if (word < 0) return -1;
    for (let at = Math.max(from, word - DIGITS_BYTES + 4); at <= word; at++) {
      let digit = 0;
      while (digit < 10 && bytes[at + 2 * digit] === first + digit && bytes[at + 2 * digit + 1] === 0) digit++;
      if (digit === 10) return at;
    }
  }
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

/** Whether a table's tokens and their index are in these bytes, which are few. */
export function holdsTokens(bytes: Uint8Array): boolean {
  const image = imageOf(bytes);
  for (let at = findDigits(image, 0); at >= 0; at = findDigits(image, at + 1))
    if (tokenTable(image, at) !== undefined) return true;
  return false;
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

/** Bytes that say how many tokens a name has, and how many it has. */
function lengthBytes({ bytes }: Image, at: number): number {
  return (bytes[at]! & 0x80) === 0 ? 1 : 2;
}

function tokensAt({ bytes }: Image, at: number): number {
  const first = bytes[at]!;
  return (first & 0x80) === 0 ? first : (first & 0x7f) | (bytes[at + 1]! << 7);
}

/** Offsets of the names: they end before the markers, and marker n is the offset of name 256 n. */
function findNames(image: Image, markers: { start: number; count: number }): Uint32Array | undefined {
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
    const offsets = new Uint32Array(total);
    let at = start;
    let found = 0;
    for (; found < total && at < markers.start; found++) {
      if (found === NAMES_PER_MARKER && at - start !== secondMarker) break;
      offsets[found] = at;
      at += lengthBytes(image, at) + tokensAt(image, at);
    }
    if (found === total && at <= markers.start) return offsets;
  }
  return undefined;
}

interface Addresses {
  readonly base: bigint;
  /** from `base` on, by the number of the symbol */
  readonly distances: Uint32Array;
}

/** Addresses: `total` signed offsets and behind them, aligned to 8, the base, which is a kernel address. */
function findAddresses({ view, bytes }: Image, from: number, total: number): Addresses | undefined {
  const size = 4 * total;
  for (let start = align(from, 4); start < from + 64 && start + size + 16 < bytes.length; start += 4) {
    for (const end of [align(start + size, 8), align(start + size, 4)]) {
      const base = view.getBigUint64(end, true);
      if (base < KERNEL_BASE) continue;
      const distances = new Uint32Array(total);
      for (let i = 0; i < total; i++) {
        const offset = view.getInt32(start + 4 * i, true);
        // with CONFIG_KALLSYMS_ABSOLUTE_PERCPU what is not negative is an absolute value
        distances[i] = offset < 0 ? -1 - offset : offset;
      }
      return { base, distances };
    }
  }
  return undefined;
}

/** The table of one kernel. Names are put together when they are asked for: there are 150 000 of them. */
export class Kallsyms {
  readonly #image: Image;
  readonly #tokens: readonly string[];
  /** offsets of the names in the image */
  readonly #names: Uint32Array;
  readonly #addresses: Addresses;
  /** numbers of the symbols that are functions, ascending by address */
  readonly #functions: Uint32Array;

  constructor(image: Image, tokens: readonly string[], names: Uint32Array, addresses: Addresses) {
    this.#image = image;
    this.#tokens = tokens;
    this.#names = names;
    this.#addresses = addresses;
    const beginsFunction = tokens.map((token) => TEXT_TYPES.includes(token.charCodeAt(0)));
    const { distances } = addresses;
    const functions = new Uint32Array(names.length);
    let count = 0;
    let isAscending = true;
    for (let i = 0; i < names.length; i++) {
      if (!beginsFunction[image.bytes[names[i]! + lengthBytes(image, names[i]!)]!]) continue;
      if (count > 0 && distances[i]! < distances[functions[count - 1]!]!) isAscending = false;
      functions[count++] = i;
    }
    this.#functions = functions.subarray(0, count);
    if (!isAscending) this.#functions.sort((a, b) => distances[a]! - distances[b]! || a - b);
  }

  /** How many functions there are. */
  get functionCount(): number {
    return this.#functions.length;
  }

  /** "name+0x12" of the function that begins last before an address. */
  readonly functionAt: SymbolLookup = (address) => {
    const { base, distances } = this.#addresses;
    const distance = Number(address - base);
    let low = 0;
    let high = this.#functions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (distances[this.#functions[middle]!]! <= distance) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const symbol = this.#functions[low - 1]!;
    const offset = distance - distances[symbol]!;
    return offset >= LONGEST_FUNCTION_BYTES ? undefined : `${this.#name(symbol)}+${hex(offset)}`;
  };

  /** Address of a symbol of any kind. */
  addressOf(name: string): bigint | undefined {
    const symbol = this.#names.findIndex((_, i) => this.#isNamed(i, name));
    return symbol < 0 ? undefined : this.#addresses.base + BigInt(this.#addresses.distances[symbol]!);
  }

  /** The first letter is the type. */
  #name(symbol: number): string {
    const at = this.#names[symbol]!;
    const from = at + lengthBytes(this.#image, at);
    const tokens = this.#image.bytes.subarray(from, from + tokensAt(this.#image, at));
    return Array.from(tokens, (token) => this.#tokens[token]!)
      .join('')
      .slice(1);
  }

  #isNamed(symbol: number, name: string): boolean {
    const at = this.#names[symbol]!;
    const from = at + lengthBytes(this.#image, at);
    const end = from + tokensAt(this.#image, at);
    // its first letter is the type
    let read = -1;
    for (let i = from; i < end; i++) {
      const token = this.#tokens[this.#image.bytes[i]!]!;
      if (!name.startsWith(read < 0 ? token.slice(1) : token, Math.max(0, read))) return false;
      read += token.length;
    }
    return read === name.length;
  }
}

/** The table in `bytes`, a part of the kernel's mapped image that has all of it; undefined: there is none that could be read. */
export function findKallsyms(bytes: Uint8Array): Kallsyms | undefined {
  const image = imageOf(bytes);
  for (let at = findDigits(image, 0); at >= 0; at = findDigits(image, at + 1)) {
    const table = tokenTable(image, at);
    if (table === undefined) continue;
    const markers = findMarkers(image, table.start);
    const names = markers === undefined ? undefined : findNames(image, markers);
    if (names === undefined) continue;
    const addresses = findAddresses(image, table.end, names.length);
    if (addresses !== undefined) return new Kallsyms(image, table.tokens, names, addresses);
  }
  return undefined;
}
