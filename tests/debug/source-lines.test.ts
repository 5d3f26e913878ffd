/** Source lines of code, compared with addr2line of the machine's binutils at every byte of code. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type SourceLookup, sourceLines } from '../../src/debug/index.ts';
import { type ElfFile, parseElf } from '../../src/loader/index.ts';
import { ProgramNotFound, runProgram } from '../../src/node/index.ts';
import { program } from '../linux-source.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-lines-'));
const path = (name: string): string => join(directory, name);
const SHF_ALLOC_EXECUTE = 6;
const SHF_COMPRESSED = 0x800;

const SOURCES = {
  'calls.S': `#include "constants.h"
.text
.globl first
first:
  mov $ONE, %eax
  .byte 0x66, 0x0f, 0x01, 0xcc

  .macro twice
  inc %eax
  inc %eax
  .endm
  twice
#include "sub/middle.S"
  ret
.section .noinstr.text, "ax"
.globl second
second:
  call first
  .skip 300, 0x90
  ret
`,
  'constants.h': '#define ONE 1\n',
  'sub/middle.S': '  dec %eax\n\n  dec %ecx\n',
  'loop.c': `static inline __attribute__((always_inline)) int square(int x) { return x * x; }
int total(int a) {
  for (int i = 0; i < 10; i++)
    a += square(a);
  return a;
}
__attribute__((section(".other.text"))) int choose(int a) {
  if (a > 3)
    return total(a);
  return 7;
}
void _start(void) { choose(9); }
`,
} as const;

let skip: string | undefined;
before(async () => {
  try {
    const { stdout } = await runProgram('gcc', ['-dumpmachine']);
    if (!stdout.startsWith('x86_64')) skip = `the gcc of this machine is for ${stdout.trim()}, not for x86-64`;
    await runProgram('addr2line', ['--version']);
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    skip = error.message;
    return;
  }
  await program('mkdir', ['-p', path('sub')]);
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(path(name), text);
});
after(() => rmSync(directory, { recursive: true }));

async function built(name: string, options: readonly string[]): Promise<ElfFile> {
  const { status, stderr } = await runProgram('gcc', [...options, '-o', path(name)], { directory });
  if (status !== 0) throw new Error(`gcc ended with ${status}: ${stderr}`);
  return parseElf(readFileSync(path(name)), name);
}

/** What addr2line says of addresses: "file:line" each, "" where it knows nothing. */
async function oracle(name: string, addresses: readonly bigint[], section: string[] = []): Promise<string[]> {
  const words = addresses.map((address) => `0x${address.toString(16)}`);
  const { status, stdout, stderr } = await runProgram('addr2line', ['-e', path(name), ...section, ...words]);
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => (/:(\?|0)$/.test(line) ? '' : line.replace(/ \(discriminator \d+\)$/, '')));
}

function said(lookup: SourceLookup, addresses: readonly bigint[]): string[] {
  return addresses.map((address) => {
    const found = lookup(address);
    return found === undefined ? '' : `${found.file}:${found.line}`;
  });
}

const span = (start: bigint, bytes: number): bigint[] => Array.from({ length: bytes }, (_, i) => start + BigInt(i));

/** Sections far from each other. */
const apart = (index: number): bigint => 0x7f00_0000n + BigInt(index) * 0x10_0000n;

/** Every byte of every code section of an object, and some beyond. */
async function compareObject(name: string, elf: ElfFile): Promise<number> {
  let known = 0;
  for (const [index, { flags, name: section, sizeBytes }] of elf.sections.entries()) {
    if ((flags & SHF_ALLOC_EXECUTE) !== SHF_ALLOC_EXECUTE || sizeBytes === 0) continue;
    const places = said(sourceLines(elf, apart), span(apart(index), sizeBytes + 4));
    assert.deepEqual(places, await oracle(name, span(0n, sizeBytes + 4), ['-j', section]), `${section} of ${name}`);
    known += places.filter((place) => place !== '').length;
  }
  return known;
}

async function compareExecutable(name: string, elf: ElfFile): Promise<void> {
  for (const { flags, address, sizeBytes } of elf.sections) {
    if ((flags & SHF_ALLOC_EXECUTE) !== SHF_ALLOC_EXECUTE) continue;
    const all = span(address, sizeBytes);
    assert.deepEqual(said(sourceLines(elf), all), await oracle(name, all), name);
  }
}

describe('source lines', () => {
  for (const format of ['-gdwarf-2', '-gdwarf-3', '-gdwarf-4', '-gdwarf-5'])
    test(`of objects and executables made with ${format} are those of addr2line`, async (context) => {
      if (skip !== undefined) return context.skip(skip);
      const assembled = await built('calls.o', ['-c', format, 'calls.S']);
      assert.ok((await compareObject('calls.o', assembled)) > 300);
      const compiled = await built('loop.o', ['-c', '-O2', format, path('loop.c')]);
      assert.ok((await compareObject('loop.o', compiled)) > 30);
      const linking = [
        '-static',
        '-nostdlib',
        '-Wl,-Ttext=0xffffffff81000000',
        '-mcmodel=kernel',
        '-fno-pie',
        '-no-pie',
      ];
      const linked = await built('whole', ['-O1', format, ...linking, 'calls.S', 'loop.c']);
      await compareExecutable('whole', linked);
    });

  // addr2line of Debian 12 knows no line there
  test('offsets of 64 bits say the same', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    for (const format of ['-gdwarf-4', '-gdwarf-5']) {
      const [usual, wide] = await Promise.all(
        [[], ['-gdwarf64']].map((more, i) => built(`wide${i}.o`, ['-c', '-O2', format, ...more, 'loop.c'])),
      );
      const all = span(0n, 40);
      const lines = said(sourceLines(wide!), all);
      assert.ok(lines.some((line) => line !== ''));
      assert.deepEqual(lines, said(sourceLines(usual!), all));
    }
  });

  test('a column is that of the statement', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    const elf = await built('columns.o', ['-c', '-O0', '-g', 'loop.c']);
    const text = elf.sections.findIndex(({ name }) => name === '.text');
    const place = sourceLines(elf, apart)(apart(text));
    assert.deepEqual(place, { file: path('loop.c'), line: 2, column: 18 });
  });

  test('there are none without debug information, or where it is compressed', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    const bare = await built('bare.o', ['-c', 'loop.c']);
    assert.equal(sourceLines(bare, () => 0n)(0n), undefined);
    const compressed = await built('compressed.o', ['-c', '-g', '-gz=zlib', 'loop.c']);
    assert.ok(compressed.sections.some(({ flags }) => (flags & SHF_COMPRESSED) !== 0));
    assert.equal(sourceLines(compressed, () => 0n)(0n), undefined);
  });

  test('damaged debug information gives lines or none, and no error', async (context) => {
    if (skip !== undefined) return context.skip(skip);
    for (const format of ['-gdwarf-4', '-gdwarf-5']) {
      const elf = await built('whole.o', ['-c', '-O1', format, 'loop.c']);
      const property = fc.property(fc.nat(), fc.nat(255), fc.nat(), (position, value, cut) => {
        const sections = elf.sections.map((section) => {
          if (!section.name.startsWith('.debug_') || section.content.length === 0) return section;
          const cutBytes = cut % 3 === 0 ? cut % 50 : 0;
          const content = Uint8Array.from(section.content.subarray(0, section.content.length - cutBytes));
          content[position % content.length] = value;
          return { ...section, content };
        });
        const lookup = sourceLines({ ...elf, sections }, () => 0n);
        for (let address = 0n; address < 64n; address += 7n) lookup(address);
      });
      fc.assert(property, { numRuns: 400 });
    }
  });
});
