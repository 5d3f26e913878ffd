import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ElfFile, type ElfRelocation, type ElfSymbol, ElfType } from './elf.ts';
import { linkObject } from './link.ts';
import { LoadError } from './plan.ts';

const BASE = 0x20_0000;
const SHF_ALLOC = 2;

function section(content: number[], alignment: number, flags = SHF_ALLOC) {
  return {
    name: '',
    type: 1,
    flags,
    address: 0n,
    alignment,
    sizeBytes: content.length,
    content: Uint8Array.from(content),
    link: 0,
    info: 0,
  };
}

function symbol(name: string, at: Partial<ElfSymbol>): ElfSymbol {
  return { name, value: 0n, sizeBytes: 0, type: 2, binding: 1, section: 0, ...at };
}

/** Sections: 1 text of 24 bytes, 2 data of 8 bytes, 3 notes that are not loaded. Symbols: f in text, d in data, outside, maybe (weak). */
function object(...relocations: Omit<ElfRelocation, 'section'>[]): ElfFile {
  return {
    type: ElfType.Relocatable,
    entry: 0n,
    segments: [],
    sections: [section([], 0, 0), section(Array(24).fill(0x90), 16), section(Array(8).fill(1), 64), section([9], 1, 0)],
    symbols: [
      symbol('', {}),
      symbol('f', { section: 1, value: 4n }),
      symbol('d', { section: 2, type: 1 }),
      symbol('outside', {}),
      symbol('maybe', { binding: 2 }),
    ],
    relocations: relocations.map((relocation) => ({ section: 1, ...relocation })),
  };
}

const link = (file: ElfFile) =>
  linkObject(file, { name: 'x.o', baseGpa: BASE, provided: new Map([['outside', 0x1_0000]]) });
const textOf = (file: ElfFile) => {
  const { content } = link(file).pieces[0]!;
  return new DataView(content.buffer, content.byteOffset, content.length);
};

test('allocated sections are laid out by their alignment, symbols follow them', () => {
  const { pieces, symbols } = link(object());
  assert.deepEqual(
    pieces.map(({ startGpa, content }) => [startGpa, content.length]),
    [
      [BASE, 24],
      [BASE + 64, 8],
    ],
  );
  assert.deepEqual(Object.fromEntries(symbols), { f: BASE + 4, d: BASE + 64 });
});

test('each kind of relocation writes what the ABI says', () => {
  const at = (type: number, symbolIndex: number, addend: bigint, offset = 8) =>
    textOf(object({ type, symbol: symbolIndex, addend, offset }));
  assert.equal(at(1, 2, 3n).getBigUint64(8, true), BigInt(BASE + 64 + 3), 'R_X86_64_64');
  assert.equal(at(2, 1, -4n).getInt32(8, true), 4 - 4 - 8, 'R_X86_64_PC32');
  assert.equal(at(4, 3, -4n).getInt32(8, true), 0x1_0000 - 4 - (BASE + 8), 'R_X86_64_PLT32 to a provided symbol');
  assert.equal(at(10, 2, 0n).getUint32(8, true), BASE + 64, 'R_X86_64_32');
  assert.equal(at(11, 2, 0n).getInt32(8, true), BASE + 64, 'R_X86_64_32S');
  assert.equal(at(24, 1, 0n).getBigInt64(8, true), -4n, 'R_X86_64_PC64');
  assert.equal(at(1, 4, 0n).getBigUint64(8, true), 0n, 'a weak symbol that nobody defines is 0');
});

test('indirect loads get a slot with the address', () => {
  const { pieces } = link(object({ type: 42, symbol: 2, addend: -4n, offset: 8 }));
  const slot = pieces[2]!;
  assert.equal(new DataView(slot.content.buffer).getBigUint64(0, true), BigInt(BASE + 64));
  const text = new DataView(pieces[0]!.content.buffer);
  assert.equal(text.getInt32(8, true), slot.startGpa - 4 - (BASE + 8));
});

test('what cannot be resolved is named in one sentence', () => {
  const file = object({ type: 4, symbol: 3, addend: 0n, offset: 8 });
  const cases: [() => unknown, RegExp][] = [
    [() => linkObject(file, { name: 'x.o', baseGpa: BASE, provided: new Map() }), /x\.o needs the symbol outside/],
    [() => link(object({ type: 99, symbol: 1, addend: 0n, offset: 0 })), /relocation of type 99/],
    [() => link(object({ type: 1, symbol: 1, addend: 0n, offset: 20 })), /damaged: it has a relocation at 0x14/],
    [() => link(object({ type: 1, symbol: 50, addend: 0n, offset: 0 })), /symbol 50, which it does not have/],
    [() => link(object({ type: 10, symbol: 1, addend: -0x40_0000n, offset: 0 })), /does not fit in 32 bits/],
    [() => link({ ...file, type: ElfType.SharedObject }), /neither a relocatable object nor a static executable/],
  ];
  for (const [run, sentence] of cases)
    assert.throws(
      run,
      (error: unknown) => error instanceof LoadError && sentence.test(error.message),
      String(sentence),
    );
});
