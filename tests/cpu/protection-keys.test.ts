/** Protection keys: CR4.PKE, RDPKRU, WRPKRU; CR4.PKS, IA32_PKRS; and translations that follow them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { type Assembler, mem64, r } from '../../src/isa/index.ts';
import { enterLongMode, fillIdt, handlers, SystemBench } from './system-bench.ts';

const PKE = 1 << 22;
const PKS = 1 << 24;
const PKRS = 0x6e1;
const CR0_WP = 1 << 16;
const TABLES = 0x4_0000;
const PAGE = 0x5_0000;
const LINEAR = 0x80_0000_0000n;
const PRESENT_WRITABLE_USER = 7;
const KEY = 5;
const ACCESS_DISABLE = 1 << (2 * KEY);
const WRITE_DISABLE = 2 << (2 * KEY);
const OTHER_KEYS = ~(3 | (3 << (2 * KEY)));
const UNDEFINED_OPCODE = 6;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;

const rdpkru = (a: Assembler): void => a.bytes(0x0f, 0x01, 0xee);
const wrpkru = (a: Assembler, value: number): void => {
  a.mov(r.eax, value >>> 0);
  a.mov(r.ecx, 0);
  a.mov(r.edx, 0);
  a.bytes(0x0f, 0x01, 0xef);
};
const setPke = (a: Assembler): void => {
  a.mov(r.rax, r.cr4);
  a.or(r.eax, PKE);
  a.mov(r.cr4, r.rax);
};

/** Runs the body in 64-bit mode at CPL 0, with a user page of key 5 at LINEAR (in RSI); every faulting instruction has 3 bytes. */
function run(body: (a: Assembler) => void): SystemBench {
  const bench = new SystemBench();
  const { controls } = bench.cpu;
  controls.cr4Supported |= PKE | PKS;
  controls.nativeMsrReads = controls.nativeMsrWrites = new Set([...controls.nativeMsrReads, PKRS]);
  bench.write64(0x1_0008, TABLES + PRESENT_WRITABLE_USER);
  bench.write64(TABLES, TABLES + 0x1000 + PRESENT_WRITABLE_USER);
  bench.write64(TABLES + 0x1000, TABLES + 0x2000 + PRESENT_WRITABLE_USER);
  bench.write64(TABLES + 0x2000, BigInt(PAGE + PRESENT_WRITABLE_USER) | (BigInt(KEY) << 59n));
  bench.write64(PAGE, 77);
  const labels = bench.load((a) => {
    enterLongMode(a);
    a.mov(r.rax, r.cr0);
    a.or(r.eax, CR0_WP);
    a.mov(r.cr0, r.rax);
    a.mov(r.r14, 3);
    a.movabs(r.rsi, LINEAR);
    body(a);
    a.hlt();
    handlers(a);
  });
  fillIdt(bench, labels);
  assert.equal(bench.run().reason, ExitReason.Hlt);
  return bench;
}

const faults = (bench: SystemBench) => bench.events.map(({ vector, errorCode }) => [vector, errorCode]);
const read = (a: Assembler): void => a.mov(r.rbx, mem64(r.rsi));
const write = (a: Assembler): void => a.mov(mem64(r.rsi), r.rbx);

test('WRPKRU takes rights away and gives them back at once, whatever has been accessed before', () => {
  const bench = run((a) => {
    setPke(a);
    read(a);
    write(a);
    wrpkru(a, ACCESS_DISABLE | OTHER_KEYS);
    read(a);
    write(a);
    wrpkru(a, WRITE_DISABLE | OTHER_KEYS);
    read(a);
    write(a);
    wrpkru(a, OTHER_KEYS);
    read(a);
    write(a);
    a.mov(r.rax, r.cr0);
    a.xor(r.eax, CR0_WP);
    a.mov(r.cr0, r.rax);
    wrpkru(a, WRITE_DISABLE);
    write(a);
  });
  assert.deepEqual(faults(bench), [
    [PAGE_FAULT, 0x21],
    [PAGE_FAULT, 0x23],
    [PAGE_FAULT, 0x23],
  ]);
  for (const { cr2 } of bench.events) assert.equal(BigInt(cr2), LINEAR);
});

test('without CR4.PKE keys do nothing, RDPKRU and WRPKRU are not there; setting it counts at once', () => {
  const bench = run((a) => {
    rdpkru(a);
    wrpkru(a, 0);
    read(a);
    setPke(a);
    wrpkru(a, ACCESS_DISABLE);
    a.mov(r.rax, r.cr4);
    a.xor(r.eax, PKE);
    a.mov(r.cr4, r.rax);
    read(a);
    a.xor(r.eax, PKE);
    a.mov(r.cr4, r.rax);
    read(a);
  });
  assert.deepEqual(faults(bench), [
    [UNDEFINED_OPCODE, 0],
    [UNDEFINED_OPCODE, 0],
    [PAGE_FAULT, 0x21],
  ]);
});

test('RDPKRU and WRPKRU: registers that must be 0, and what is read back', () => {
  const bench = run((a) => {
    setPke(a);
    wrpkru(a, 0x5555_5554);
    a.mov(r.rdx, -1);
    a.mov(r.rax, -1);
    rdpkru(a);
    a.mov(r.r8, r.rax);
    a.mov(r.r9, r.rdx);
    a.mov(r.ecx, 1);
    rdpkru(a);
    a.bytes(0x0f, 0x01, 0xef);
    a.mov(r.ecx, 0);
    a.mov(r.edx, 1);
    a.bytes(0x0f, 0x01, 0xef);
  });
  assert.equal(bench.state.big(S.gpr + 8 * 8), 0x5555_5554n);
  assert.equal(bench.state.big(S.gpr + 9 * 8), 0n);
  assert.deepEqual(
    faults(bench),
    Array.from({ length: 3 }, () => [GENERAL_PROTECTION, 0]),
  );
});

test('IA32_PKRS: keys of supervisor pages, also where translations are global', () => {
  const bench = run((a) => {
    a.mov(r.ebp, TABLES + 0x2000);
    a.movabs(r.rax, BigInt(PAGE + 0x103) | (BigInt(KEY) << 59n));
    a.mov(mem64(r.rbp), r.rax);
    a.mov(r.rax, r.cr4);
    a.or(r.eax, PKS | (1 << 7));
    a.mov(r.cr4, r.rax);
    const wrpkrs = (value: number, high = 0) => {
      a.mov(r.ecx, PKRS);
      a.mov(r.eax, value >>> 0);
      a.mov(r.edx, high);
      a.wrmsr();
    };
    read(a);
    write(a);
    wrpkrs(ACCESS_DISABLE);
    read(a);
    wrpkrs(WRITE_DISABLE);
    read(a);
    write(a);
    wrpkrs(0);
    write(a);
    wrpkrs(WRITE_DISABLE);
    a.mov(r.ecx, PKRS);
    a.rdmsr();
    a.mov(r.r8, r.rax);
    a.mov(r.r14, 2);
    wrpkrs(0, 1);
  });
  assert.deepEqual(faults(bench), [
    [PAGE_FAULT, 0x21],
    [PAGE_FAULT, 0x23],
    [GENERAL_PROTECTION, 0],
  ]);
  assert.equal(bench.state.big(S.gpr + 8 * 8), BigInt(WRITE_DISABLE));
});
