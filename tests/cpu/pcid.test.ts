/** Process-context identifiers: CR4.PCIDE, bit 63 of CR3, INVPCID. Translations may be dropped at any time, but never outlive what drops them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { type Assembler, mem64, r } from '../../src/isa/index.ts';
import { enterLongMode, fillIdt, handlers, Place, SystemBench } from './system-bench.ts';

const NO_FLUSH = 1n << 63n;
const PCIDE = 1 << 17;
/** two address spaces: the same low half, and one page of their own at LINEAR */
const SPACE_A = 0x4_0000;
const SPACE_B = 0x4_1000;
const TABLES_A = 0x4_2000;
const TABLES_B = 0x4_5000;
const PAGE_TABLE_A = TABLES_A + 0x2000;
const PAGES = { a: 0x5_0000, b: 0x5_1000, c: 0x5_2000 } as const;
const DESCRIPTOR = 0x5_3000;
const LINEAR = 0x80_0000_0000n;
const PRESENT_WRITABLE_USER = 7;

function spaces(bench: SystemBench): void {
  for (const [root, tables, page] of [
    [SPACE_A, TABLES_A, PAGES.a],
    [SPACE_B, TABLES_B, PAGES.b],
  ] as const) {
    bench.write64(root, Place.pml4 + 0x1000 + PRESENT_WRITABLE_USER);
    bench.write64(root + 8, tables + PRESENT_WRITABLE_USER);
    bench.write64(tables, tables + 0x1000 + PRESENT_WRITABLE_USER);
    bench.write64(tables + 0x1000, tables + 0x2000 + PRESENT_WRITABLE_USER);
    bench.write64(tables + 0x2000, page + PRESENT_WRITABLE_USER);
  }
  for (const [name, page] of Object.entries(PAGES)) bench.write64(page, name.charCodeAt(0));
}

/** INVPCID RAX, [RBX] */
const invpcid = (a: Assembler, type: number, pcid: number | bigint, address: bigint): void => {
  a.mov(r.ebx, DESCRIPTOR);
  a.movabs(r.rax, BigInt(pcid));
  a.mov(mem64(r.rbx), r.rax);
  a.movabs(r.rax, address);
  a.mov(mem64(r.rbx, 8), r.rax);
  a.mov(r.eax, type);
  a.bytes(0x66, 0x0f, 0x38, 0x82, 0x03);
};

const setCr4 = (a: Assembler, bits: number): void => {
  a.mov(r.rax, r.cr4);
  a.or(r.eax, bits);
  a.mov(r.cr4, r.rax);
};

const enter = (a: Assembler, space: number, pcid: number, flags = 0n): void => {
  a.movabs(r.rax, BigInt(space + pcid) | flags);
  a.mov(r.cr3, r.rax);
};

/** Runs in 64-bit mode with PCIDs on; each read of LINEAR is noted. */
function seen(body: (a: Assembler, read: () => void) => void): string {
  const bench = new SystemBench();
  spaces(bench);
  const log = 0x6_0000;
  bench.load((a) => {
    enterLongMode(a);
    setCr4(a, PCIDE);
    a.mov(r.ebp, log);
    body(a, () => {
      a.movabs(r.rsi, LINEAR);
      a.mov(r.rax, mem64(r.rsi));
      a.mov(mem64(r.rbp), r.rax);
      a.add(r.rbp, 8);
    });
    a.hlt();
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  const words = (bench.state.low(S.gpr + 5 * 8) - log) / 8;
  return Array.from({ length: words }, (_, i) => String.fromCharCode(Number(bench.read64(log + 8 * i)))).join('');
}

test('each space sees its own page, with and without keeping translations', () => {
  const read = seen((a, look) => {
    enter(a, SPACE_A, 1);
    look();
    enter(a, SPACE_B, 2);
    look();
    enter(a, SPACE_A, 1, NO_FLUSH);
    look();
    enter(a, SPACE_B, 2, NO_FLUSH);
    look();
  });
  assert.equal(read, 'abab');
});

test('INVPCID of each type drops what it names, also of a space that is not the current one', () => {
  for (const type of [0, 1, 2, 3]) {
    const read = seen((a, look) => {
      enter(a, SPACE_A, 1);
      look();
      enter(a, SPACE_B, 2, NO_FLUSH);
      a.mov(r.ebx, PAGE_TABLE_A);
      a.mov(r.eax, PAGES.c + PRESENT_WRITABLE_USER);
      a.mov(mem64(r.rbx), r.rax);
      invpcid(a, type, type < 2 ? 1 : 0, type === 0 ? LINEAR : 0n);
      enter(a, SPACE_A, 1, NO_FLUSH);
      look();
    });
    assert.equal(read, 'ac', `type ${type}`);
  }
});

test('MOV from CR3 does not read bit 63', () => {
  const bench = new SystemBench();
  spaces(bench);
  bench.load((a) => {
    enterLongMode(a);
    setCr4(a, PCIDE);
    enter(a, SPACE_A, 5, NO_FLUSH);
    a.mov(r.r8, r.cr3);
    a.hlt();
  });
  bench.run();
  assert.equal(bench.state.big(S.gpr + 8 * 8), BigInt(SPACE_A + 5));
});

test('INVPCID refuses types, descriptors and addresses that do not exist', () => {
  const bench = new SystemBench();
  const labels = bench.load((a) => {
    enterLongMode(a);
    a.mov(r.r14, 5);
    invpcid(a, 0, 1, 0n); // a PCID other than 0 without PCIDs
    invpcid(a, 1, 1, 0n);
    invpcid(a, 1, 0, 0n);
    setCr4(a, PCIDE);
    invpcid(a, 4, 0, 0n);
    invpcid(a, 1, 0x1000, 0n);
    invpcid(a, 2, 1n << 40n, 0n);
    invpcid(a, 0, 1, 1n << 47n);
    invpcid(a, 1, 1, 1n << 47n); // the address does not count
    a.hlt();
    handlers(a);
  });
  fillIdt(bench, labels);
  bench.run();
  assert.deepEqual(
    bench.events.map(({ vector, errorCode }) => [vector, errorCode]),
    Array.from({ length: 6 }, () => [13, 0]),
  );
});
