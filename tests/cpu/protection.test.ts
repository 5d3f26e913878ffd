/** Segments, ports, control registers and MSRs: what is refused, and with which error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { type Assembler, addressOf, mem, memAt, r } from '../../src/isa/index.ts';
import { enterLongMode, fillIdt, handlers, type LoggedEvent, Place, Selector, SystemBench } from './system-bench.ts';

/** Runs `body` in 64-bit mode; every fault skips `length` bytes. Returns the bench and its events. */
function faults(length: number, body: (a: Assembler) => void, prepare?: (bench: SystemBench) => void): LoggedEvent[] {
  const bench = new SystemBench();
  const labels = bench.load((a) => {
    enterLongMode(a);
    a.mov(r.r14, length);
    body(a);
    a.hlt();
    handlers(a);
  });
  fillIdt(bench, labels);
  prepare?.(bench);
  assert.equal(bench.run().reason, ExitReason.Hlt);
  return bench.events;
}

const errors = (events: readonly LoggedEvent[]): [number, number][] =>
  events.map(({ vector, errorCode }) => [vector, errorCode]);

/** Descriptors that are wrong in one way each, at 0x50 and on. */
const ODD = { absent: 0x50, system: 0x58, readOnly: 0x60, executeOnly: 0x68, beyond: 0x70 };

function oddDescriptors(bench: SystemBench): void {
  bench.write64(Place.gdt + ODD.absent, 0x00cf_1200_0000_ffffn);
  bench.write64(Place.gdt + ODD.system, 0x00cf_8200_0000_ffffn);
  bench.write64(Place.gdt + ODD.readOnly, 0x00cf_9000_0000_ffffn);
  bench.write64(Place.gdt + ODD.executeOnly, 0x00cf_9800_0000_ffffn);
}

test('loads of segment registers', () => {
  const load = (a: Assembler, segment: typeof r.ds, selector: number): void => {
    a.mov(r.eax, selector);
    a.mov(segment, r.eax);
  };
  const events = faults(
    2,
    (a) => {
      a.lgdt(memAt('wide'));
      a.jmp('go');
      a.label('wide');
      a.u16(ODD.beyond - 1);
      a.u64(Place.gdt);
      a.label('go');
      load(a, r.ds, ODD.absent);
      load(a, r.ds, ODD.system);
      load(a, r.ds, ODD.executeOnly);
      load(a, r.ds, ODD.beyond);
      load(a, r.ss, ODD.absent);
      load(a, r.ss, ODD.readOnly);
      load(a, r.ss, Selector.userData);
      load(a, r.ds, Selector.code64 | 3);
      load(a, r.ds, 0);
      load(a, r.ss, 0);
      load(a, r.ss, 3);
      load(a, r.es, ODD.readOnly);
    },
    oddDescriptors,
  );
  assert.deepEqual(errors(events), [
    [11, ODD.absent],
    [13, ODD.system],
    [13, ODD.executeOnly],
    [13, ODD.beyond],
    [12, ODD.absent],
    [13, ODD.readOnly],
    [13, Selector.userData & ~3],
    [13, Selector.code64],
    [13, 0],
  ]);
});

test('control registers refuse combinations that do not exist', () => {
  const write = (a: Assembler, register: typeof r.cr0, low: number | bigint): void => {
    a.movabs(r.rbx, low);
    a.mov(register, r.rbx);
  };
  const events = faults(3, (a) => {
    write(a, r.cr0, 0x8000_0030n);
    write(a, r.cr0, 0xa001_0031n);
    write(a, r.cr0, 0x1_8001_0031n);
    write(a, r.cr0, 0x0001_0031n);
    write(a, r.cr4, 0);
    write(a, r.cr4, 0x0100_0020n);
    write(a, r.cr4, 0x1_0000_0020n);
    write(a, r.cr4, 0x1020);
    write(a, r.cr3, 1n << 48n);
    write(a, r.cr3, 1n << 63n);
    write(a, r.cr4, 0x2_0020);
    write(a, r.cr3, (1n << 63n) | BigInt(Place.pml4));
    write(a, r.cr0, 0x8001_0031n);
  });
  assert.deepEqual(
    errors(events),
    Array.from({ length: 10 }, () => [13, 0]),
  );
});

test('MSRs refuse values, and others exit', () => {
  const events = faults(2, (a) => {
    const wrmsr = (number: number, low: number, high: number): void => {
      a.mov(r.ecx, number);
      a.mov(r.eax, low);
      a.mov(r.edx, high);
      a.wrmsr();
    };
    wrmsr(0xc000_0082, 0, 0x8000);
    wrmsr(0xc000_0082, 0, 0xffff_8000);
    wrmsr(0xc000_0080, 0x801, 0);
    wrmsr(0xc000_0080, 0x2901, 0);
    wrmsr(0xc000_0084, 0, 1);
    wrmsr(0x80a, 0, 0);
    wrmsr(0x808, 0x100, 0);
    wrmsr(0x808, 0x50, 0);
    a.mov(r.r8, r.cr8);
  });
  assert.deepEqual(
    errors(events),
    Array.from({ length: 6 }, () => [13, 0]),
  );
  const bench = new SystemBench();
  bench.load((a) => {
    a.mov(r.ecx, 0x1b);
    a.rdmsr();
  });
  const exit = bench.run();
  assert.deepEqual(
    [exit.reason, exit.instructionLength, bench.state.low(S.rip)],
    [ExitReason.Rdmsr, 2, Place.code + 5],
  );
});

test('ports: IOPL, then the bitmap of the task, then the exit', () => {
  const bench = new SystemBench();
  const labels = bench.load((a) => {
    enterLongMode(a);
    a.mov(r.r14, 1);
    a.push(Selector.userData);
    a.push(Place.userStack);
    a.push(0x202);
    a.push(Selector.userCode64);
    a.push(addressOf('user'));
    a.iretq();
    a.label('user');
    a.mov(r.edx, 0x21);
    a.in(r.al, r.dx);
    a.mov(r.edx, 0x20);
    a.out(r.dx, r.eax);
    a.in(r.al, r.dx);
    handlers(a);
  });
  fillIdt(bench, labels);
  // a longer TSS with a bitmap at 0x68: port 0x20 free, 0x21 not
  bench.write64(Place.gdt + Selector.tss, (BigInt(Place.tss) << 16n) | 0x0000_8900_0000_00ffn);
  bench.write64(Place.tss + 0x60, 0x0068n << 48n);
  bench.write64(Place.tss + 0x68, 0xffff_ff02_ffff_ffffn);
  const exit = bench.run();
  assert.equal(exit.reason, ExitReason.IoInstruction);
  assert.equal(exit.qualificationLow, (0x20 << 16) | 8);
  assert.deepEqual(errors(bench.events), [
    [13, 0],
    [13, 0],
  ]);
  assert.equal(bench.state.low(S.cpl), 3);
});

test('32-bit protected mode: interrupts from user mode and back', () => {
  const bench = new SystemBench();
  const idt32 = Place.idt + 0x800;
  const labels = bench.load((a) => {
    a.lgdt(memAt('gdt'));
    a.lidt(memAt('idt'));
    a.mov(r.esp, Place.kernelStack);
    a.mov(r.eax, Selector.tss);
    a.ltr(r.eax);
    a.push(Selector.userData);
    a.push(Place.userStack);
    a.push(0x202);
    a.push(Selector.userCode32);
    a.push(addressOf('user'));
    a.bytes(0xcf); // iretd
    a.label('user');
    a.int(0x80);
    a.mov(r.ebp, r.ds);
    a.label('privileged');
    a.hlt();
    a.label('call');
    a.mov(r.ebx, mem(r.esp, 12));
    a.mov(r.ecx, mem(r.esp, 16));
    a.bytes(0xcf);
    a.label('protection');
    a.mov(r.edx, mem(r.esp, 0));
    a.mov(r.esi, mem(r.esp, 4));
    a.hlt();
    a.align(8);
    a.label('gdt');
    a.u16(0x4f);
    a.u32(Place.gdt);
    a.label('idt');
    a.u16(0x7ff);
    a.u32(idt32);
  });
  bench.write64(Place.tss + 4, BigInt(Place.kernelStack) | (BigInt(Selector.data) << 32n));
  const gate = (vector: number, label: string, privilege: number): void => {
    const at = BigInt(labels.get(label)!);
    bench.write64(idt32 + vector * 8, at | (BigInt(Selector.code32) << 16n) | (BigInt(0x8e | (privilege << 5)) << 40n));
  };
  gate(0x80, 'call', 3);
  gate(13, 'protection', 0);
  assert.equal(bench.run().reason, ExitReason.Hlt);
  const { state } = bench;
  assert.equal(state.low(S.gpr + 3 * 8), Place.userStack);
  assert.equal(state.low(S.gpr + 8), Selector.userData);
  assert.equal(state.low(S.gpr + 5 * 8), 0, 'DS of the inner level was dropped on the way out');
  assert.equal(state.low(S.gpr + 2 * 8), 0, 'error code');
  assert.equal(state.low(S.gpr + 6 * 8), labels.get('privileged'));
  assert.equal(state.low(S.cpl), 0);
  assert.equal(state.low(S.gpr + 4 * 8), Place.kernelStack - 24);
  assert.equal(state.low(S.segmentSelector + 8), Selector.data);
});

test('UMIP, and instructions of the supervisor in user mode', () => {
  const bench = new SystemBench();
  const attempts: ((a: Assembler) => void)[] = [
    (a) => a.bytes(0x0f, 0x01, 0x07), // sgdt [rdi]
    (a) => a.bytes(0x0f, 0x00, 0xc8), // str eax
    (a) => a.bytes(0x0f, 0x01, 0xe0), // smsw eax
    (a) => a.bytes(0x0f, 0x01, 0x17), // lgdt [rdi]
    (a) => a.bytes(0x0f, 0x22, 0xc0), // mov cr0, rax
    (a) => a.bytes(0x0f, 0x01, 0xf8), // swapgs
    (a) => a.bytes(0x0f, 0x01, 0x3f), // invlpg [rdi]
    (a) => a.bytes(0x0f, 0x01, 0xcb), // stac: #UD
  ];
  const labels = bench.load((a) => {
    enterLongMode(a);
    a.mov(r.rax, 0x820);
    a.mov(r.cr4, r.rax);
    a.mov(r.r14, 3);
    a.mov(r.rdi, Place.userStack - 64);
    a.push(Selector.userData);
    a.push(Place.userStack);
    a.push(0x202);
    a.push(Selector.userCode64);
    a.push(addressOf('user'));
    a.iretq();
    a.label('user');
    for (const attempt of attempts) attempt(a);
    a.cpuid();
    handlers(a);
  });
  fillIdt(bench, labels);
  assert.equal(bench.run().reason, ExitReason.Cpuid);
  assert.deepEqual(errors(bench.events), [...Array.from({ length: 7 }, () => [13, 0]), [6, 0]]);
});
