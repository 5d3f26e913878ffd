import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { findKallsyms } from './kallsyms.ts';

const SYMBOLS = 3000;
const BASE = 0xffff_ffff_8900_0000n;

/** Names as scripts/kallsyms.c writes them, with one token a letter and a few of several letters. */
function table(): { bytes: Uint8Array; names: string[] } {
  const names = Array.from(
    { length: SYMBOLS },
    (_, i) => `${i % 3 === 0 ? 'D' : 't'}function_${i}${'x'.repeat(i === 77 ? 140 : 0)}`,
  );
  const tokens = Array.from({ length: 256 }, (_, i) => (i > 0x20 && i < 0x7f ? String.fromCharCode(i) : `~${i}`));
  tokens[0x80] = 'function_';
  const encoded = names.map((name) => {
    const [type, rest] = [name[0]!, name.slice(1 + 'function_'.length)];
    return [type.charCodeAt(0), 0x80, ...[...rest].map((letter) => letter.charCodeAt(0))];
  });
  const out: number[] = [0x31, 0, 0x33, 0, ...new Array(60).fill(0)];
  const align = (to: number) => {
    while (out.length % to !== 0) out.push(0);
  };
  const u32 = (value: number) => out.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255);
  align(8);
  u32(SYMBOLS);
  align(8);
  const start = out.length;
  const markers: number[] = [];
  for (const [i, name] of encoded.entries()) {
    if (i % 256 === 0) markers.push(out.length - start);
    if (name.length < 128) out.push(name.length);
    else out.push((name.length & 0x7f) | 0x80, name.length >> 7);
    out.push(...name);
  }
  align(8);
  for (const marker of markers) u32(marker);
  align(8);
  const offsets: number[] = [];
  const tokenStart = out.length;
  for (const token of tokens) {
    offsets.push(out.length - tokenStart);
    out.push(...[...token].map((letter) => letter.charCodeAt(0)), 0);
  }
  align(8);
  for (const offset of offsets) out.push(offset & 255, offset >> 8);
  align(8);
  for (let i = 0; i < SYMBOLS; i++) u32(0x1000 + i * 16);
  align(8);
  for (let byte = 0n; byte < 8n; byte++) out.push(Number((BASE >> (8n * byte)) & 255n));
  return { bytes: Uint8Array.from([...out, ...new Array(64).fill(0)]), names };
}

test('functions are found in an image, with their addresses, long names too', () => {
  const { bytes, names } = table();
  const found = findKallsyms(bytes)!;
  assert.equal(found.functionCount, names.filter((name) => name[0] === 't').length);
  assert.equal(found.functionAt(BASE + 0x100fn), undefined);
  assert.equal(found.functionAt(BASE + 0x1010n), 'function_1+0x0');
  assert.equal(found.functionAt(BASE + 0x1000n + 77n * 16n + 3n), `${names[77]!.slice(1)}+0x3`);
  assert.equal(found.addressOf(names[77]!.slice(1)), BASE + 0x1000n + 77n * 16n);
  // the symbol before an address is data: the last function before it counts
  assert.equal(found.functionAt(BASE + 0x1035n), 'function_2+0x15');
  assert.equal(found.addressOf('function_3'), BASE + 0x1030n);
  assert.equal(found.addressOf('function_'), undefined);
  assert.equal(found.functionAt(BASE + 0x20_0000n), undefined);
});

test('nothing in an image makes the search throw', () => {
  const { bytes } = table();
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 40 });
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), fc.nat(bytes.length), (changes, from, length) => {
      const image = bytes.slice();
      for (const [at, value] of changes) image[at] = value;
      findKallsyms(image);
      findKallsyms(image.subarray(from, from + length));
    }),
    { numRuns: 200 },
  );
});

test('an image without a table, or with a damaged one, gives nothing', () => {
  assert.equal(findKallsyms(new Uint8Array(100_000)), undefined);
  const { bytes } = table();
  assert.equal(findKallsyms(bytes.subarray(0, 20_000)), undefined);
});
