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

/** Half an index of tokens, so that one of the places at such a distance has as much of one behind it. */
const INDEX_STRIDE_BYTES = TOKENS;
const INDEX_ENTRIES_LOOKED_AT = 16;

/** Offset in [from, to) of what may be the inside of an index of tokens, by a look at every 256th byte; -1: there is none. */
export function findTokenIndex(view: DataView, from: number, to: number): number {
  for (let at = from; at + INDEX_STRIDE_BYTES <= to; at += INDEX_STRIDE_BYTES) {
    let last = view.getUint16(at, true);
    let seen = 1;
    for (; seen < INDEX_ENTRIES_LOOKED_AT; seen++) {
      const next = view.getUint16(at + 2 * seen, true);
      if (next <= last || next > last + LONGEST_TOKEN_BYTES || next >= LONGEST_TABLE_BYTES) break;
      last = next;
    }
    if (seen === INDEX_ENTRIES_LOOKED_AT) return at;
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
  /** of a signed 32-bit number for each symbol, in the image */
  readonly start: number;
}

/** Addresses: `total` signed offsets and behind them, aligned to 8, the base, which is a kernel address. */
function findAddresses({ view, bytes }: Image, from: number, total: number): Addresses | undefined {
  const size = 4 * total;
  for (let start = align(from, 4); start < from + 64 && start + size + 16 < bytes.length; start += 4)
    for (const end of [align(start + size, 8), align(start + size, 4)]) {
      const base = view.getBigUint64(end, true);
      if (base >= KERNEL_BASE) return { base, start };
    }
  return undefined;
}

/** The lowest number of [low, high) from which on something holds; `high` if it holds nowhere. */
function lowest(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The table of one kernel, ascending by address. Names are put together when they are asked for: there are 150 000 of them. */
export class Kallsyms {
  readonly #image: Image;
  readonly #tokens: readonly string[];
  /** by token: a name that begins with it is a function's */
  readonly #beginsFunction: readonly boolean[];
  /** offsets of the names in the image */
  readonly #names: Uint32Array;
  readonly #addresses: Addresses;
  /** with CONFIG_KALLSYMS_ABSOLUTE_PERCPU values come first that are no addresses: the number of the first that is one */
  readonly #first: number;

  constructor(image: Image, tokens: readonly string[], names: Uint32Array, addresses: Addresses) {
    this.#image = image;
    this.#tokens = tokens;
    this.#beginsFunction = tokens.map((token) => TEXT_TYPES.includes(token.charCodeAt(0)));
    this.#names = names;
    this.#addresses = addresses;
    const firstNegative = lowest(0, names.length, (symbol) => this.#offset(symbol) < 0);
    this.#first = firstNegative === names.length ? 0 : firstNegative;
  }

  /** How many functions there are. */
  get functionCount(): number {
    return this.#names.reduce((count, _, symbol) => count + (this.#isFunction(symbol) ? 1 : 0), 0);
  }

  /** "name+0x12" of the function that begins last before an address. */
  readonly functionAt: SymbolLookup = (address) => {
    const distance = Number(address - this.#addresses.base);
    const behind = lowest(this.#first, this.#names.length, (symbol) => this.#distance(symbol) > distance);
    for (let symbol = behind - 1; symbol >= this.#first; symbol--) {
      const offset = distance - this.#distance(symbol);
      if (offset >= LONGEST_FUNCTION_BYTES) return undefined;
      if (this.#isFunction(symbol)) return `${this.#name(symbol)}+${hex(offset)}`;
    }
    return undefined;
  };

  /** Address of a symbol of any kind. */
  addressOf(name: string): bigint | undefined {
    const mayBegin = this.#tokens.map((token) => name.startsWith(token.slice(1)));
    for (let symbol = 0; symbol < this.#names.length; symbol++)
      if (mayBegin[this.#firstToken(symbol)] && this.#isNamed(symbol, name))
        return this.#addresses.base + BigInt(this.#distance(symbol));
    return undefined;
  }

  #offset(symbol: number): number {
    return this.#image.view.getInt32(this.#addresses.start + 4 * symbol, true);
  }

  /** From the base on. */
  #distance(symbol: number): number {
    const offset = this.#offset(symbol);
    return offset < 0 ? -1 - offset : offset;
  }

  #isFunction(symbol: number): boolean {
    return this.#beginsFunction[this.#firstToken(symbol)]!;
  }

  #firstToken(symbol: number): number {
    const at = this.#names[symbol]!;
    return this.#image.bytes[at + lengthBytes(this.#image, at)]!;
  }

  /** The first letter is the type. */
  #name(symbol: number): string {
    const at = this.#names[symbol]!;
    const from = at + lengthBytes(this.#image, at);
    const end = from + tokensAt(this.#image, at);
    let text = '';
    for (let i = from; i < end; i++) text += this.#tokens[this.#image.bytes[i]!]!;
    return text.slice(1);
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

/**
 * The table in `bytes`, a part of the kernel's mapped image that has all of it; undefined: there is none that could be read.
 * @param from its tokens are not before
 */
export function findKallsyms(bytes: Uint8Array, from = 0): Kallsyms | undefined {
  const image = imageOf(bytes);
  for (let at = findDigits(image, from); at >= 0; at = findDigits(image, at + 1)) {
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
