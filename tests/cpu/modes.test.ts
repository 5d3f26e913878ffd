/** Mode switches, events and privilege changes, run as a small kernel would run them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { type Assembler, addressOf, mem, r } from '../../src/isa/index.ts';
import { enterLongMode, fillIdt, handlers, Place, Selector, SystemBench } from './system-bench.ts';

/** Runs `body` in 64-bit mode with the handlers in place until it halts. */
function kernel(
  body: (a: Assembler) => void,
  ist: readonly number[] = [],
): { bench: SystemBench; labels: ReadonlyMap<string, number> } {
  const bench = new SystemBench();
  const labels = bench.load((a) => {
    enterLongMode(a);
    body(a);
    a.hlt();
    handlers(a);
  });
  fillIdt(bench, labels, ist);
  return { bench, labels };
}

/** IRETQ to user mode at a label. */
function toUser(a: Assembler, label: string, flags = 0x202): void {
  a.push(Selector.userData);
  a.push(Place.userStack);
  a.push(flags);
  a.push(Selector.userCode64);
  a.push(addressOf(label));
  a.iretq();
  a.label(label);
}

test('32-bit protected mode to 64-bit mode', () => {
  const { bench } = kernel((a) => {
    a.movabs(r.rbx, 0x1122_3344_5566_7788n);
    a.mov(r.rcx, r.cs);
    a.mov(r.ecx, 0xc000_0080);
    a.rdmsr();
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  assert.equal(bench.state.big(S.gpr + 3 * 8), 0x1122_3344_5566_7788n);
  assert.equal(bench.state.low(S.gpr), 0xd01);
  assert.equal(bench.state.low(S.segmentSelector + 4), Selector.code64);
  assert.equal(bench.state.low(S.trRights) & 0xf, 0xb, 'the TSS is busy');
});

test('faults and software interrupts at privilege level 0', () => {
  const { bench, labels } = kernel((a) => {
    a.mov(r.r14, 0);
    a.int(3);
    a.label('afterInt3');
    a.mov(r.r14, 2);
    a.label('invalid');
    a.bytes(0x0f, 0x0b);
    a.mov(r.r14, 0);
    a.int(0x80);
    a.mov(r.r14, 3);
    a.movabs(r.rdi, 0x1234_5678_9000n);
    a.label('fault');
    a.mov(mem(r.rdi), r.rax);
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  const [breakpoint, invalid, software, page] = bench.events;
  assert.equal(bench.events.length, 4);
  assert.deepEqual(
    [breakpoint!.vector, breakpoint!.rip, breakpoint!.cs],
    [3, labels.get('afterInt3'), Selector.code64],
  );
  assert.equal(breakpoint!.rsp, Place.kernelStack);
  assert.equal(breakpoint!.rflags & 0x1_0000, 0);
  assert.deepEqual([invalid!.vector, invalid!.rip, invalid!.rflags & 0x1_0000], [6, labels.get('invalid'), 0x1_0000]);
  assert.equal(software!.vector, 0x80);
  assert.deepEqual(
    [page!.vector, page!.errorCode, page!.rip, page!.cr2],
    [14, 2, labels.get('fault'), 0x1234_5678_9000],
  );
});

test('user mode: stack switch, system calls and back, privileged instructions', () => {
  const { bench, labels } = kernel((a) => {
    const wrmsr = (number: number, low: number | ReturnType<typeof addressOf>, high: number): void => {
      a.mov(r.ecx, number);
      a.mov(r.eax, low);
      a.mov(r.edx, high);
      a.wrmsr();
    };
    wrmsr(0xc000_0081, 0, (0x28 << 16) | Selector.code64);
    wrmsr(0xc000_0082, addressOf('entry'), 0);
    wrmsr(0xc000_0084, 0x300, 0);
    wrmsr(0xc000_0101, 0x1111, 0);
    wrmsr(0xc000_0102, 0x2222, 0);
    toUser(a, 'user');
    a.mov(r.r14, 0);
    a.int(0x80);
    a.label('call');
    a.syscall();
    a.label('afterCall');
    a.mov(r.rbp, r.cs);
    a.mov(r.r14, 1);
    a.label('privileged');
    a.cli();
    a.hlt();
    a.mov(r.r14, 0);
    a.mov(r.r13, 1);
    a.syscall();
    a.label('entry');
    a.swapgs();
    a.mov(r.rbx, r.r11);
    a.pushf();
    a.pop(r.rdx);
    a.mov(r.r12, r.rsp);
    a.test(r.r13, r.r13);
    a.jne('stop');
    a.swapgs();
    a.bytes(0x48, 0x0f, 0x07); // sysretq
    a.label('stop');
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  const [software, cli, hlt] = bench.events;
  assert.equal(bench.events.length, 3);
  assert.deepEqual(
    [software!.cs, software!.ss, software!.rsp],
    [Selector.userCode64, Selector.userData, Place.userStack],
  );
  assert.deepEqual([cli!.vector, cli!.errorCode, cli!.rip], [13, 0, labels.get('privileged')]);
  assert.equal(hlt!.vector, 13);
  const { state } = bench;
  assert.equal(state.low(S.gpr + 5 * 8), Selector.userCode64, 'CS after SYSRET');
  assert.equal(state.low(S.gpr + 3 * 8) & 0x200, 0x200, 'R11 keeps IF');
  assert.equal(state.low(S.gpr + 2 * 8) & 0x300, 0, 'the mask cleared IF and TF');
  assert.equal(state.low(S.gpr + 12 * 8), Place.userStack, 'SYSCALL leaves RSP alone');
  assert.equal(state.low(S.segmentBase + 5 * 8), 0x2222);
  assert.equal(state.low(S.cpl), 0);
});

test('a posted interrupt waits for IF and for the STI shadow, and ends with EOI', () => {
  const { bench, labels } = kernel((a) => {
    a.mov(r.r14, 0);
    a.cli();
    a.hlt();
    a.nop();
    a.sti();
    a.nop();
    a.label('window');
    a.nop();
    a.mov(r.ecx, 0x80b);
    a.mov(r.eax, 0);
    a.mov(r.edx, 0);
    a.wrmsr();
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  bench.cpu.apic.post(0x40);
  bench.cpu.skipInstruction(1);
  assert.equal(bench.run().reason, ExitReason.Hlt);
  const [interrupt] = bench.events;
  assert.deepEqual([interrupt!.vector, interrupt!.rip, interrupt!.rflags & 0x200], [0x40, labels.get('window'), 0x200]);
  assert.equal(bench.cpu.apic.servicingVector, 0);
});

test('an interrupt stack of its own, and a double fault on it', () => {
  const { bench } = kernel(
    (a) => {
      a.mov(r.r14, 0);
      a.mov(r.rsp, 0x7fff_0000);
      // the stack is not mapped: delivering #UD faults, and so does the #PF
      a.bytes(0x0f, 0x0b);
    },
    [8],
  );
  // the double-fault handler would return to the same #UD for ever: limit it
  bench.clock.schedule(200, () => {});
  bench.run();
  const [double] = bench.events;
  assert.deepEqual([double!.vector, double!.errorCode, double!.rsp], [8, 0, 0x7fff_0000]);
});

test('no way to deliver anything is a triple fault', () => {
  const bench = new SystemBench();
  bench.load((a) => {
    enterLongMode(a);
    a.bytes(0x0f, 0x0b);
  });
  assert.equal(bench.run().reason, ExitReason.TripleFault);
});

test('single-stepping traps after each instruction', () => {
  const { bench, labels } = kernel((a) => {
    a.mov(r.r14, 0);
    a.mov(r.rbx, 0x102);
    a.push(r.rbx);
    a.popf();
    a.nop();
    a.label('first');
    a.nop();
    a.label('second');
    a.push(2);
    a.popf();
    a.label('end');
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  assert.deepEqual(
    bench.events.map(({ vector }) => vector),
    [1, 1, 1, 1],
  );
  assert.equal(bench.events[0]!.rip, labels.get('first'));
  assert.equal(bench.events[1]!.rip, labels.get('second'));
  assert.equal(bench.events[3]!.rip, labels.get('end'), 'TF acts on the instruction that clears it');
});

test('an EPT violation while an interrupt is delivered reports the interrupt', () => {
  const { bench } = kernel((a) => {
    a.mov(r.r14, 0);
    a.hlt();
    a.nop();
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  bench.cpu.skipInstruction(1);
  bench.map(Place.kernelStack - 0x1000, 0);
  bench.cpu.inject(14, 3, 2);
  const exit = bench.run();
  assert.equal(exit.reason, ExitReason.EptViolation);
  assert.equal(exit.idtVectoringInformation >>> 0, 0x8000_0b0e);
  assert.equal(exit.idtVectoringErrorCode, 2);
  assert.equal(exit.guestPhysical, Place.kernelStack - 8);
  assert.equal(exit.qualificationLow & 0x187, 0x182);
  bench.map(Place.kernelStack - 0x1000, 7);
  bench.cpu.inject(14, 3, 2);
  assert.equal(bench.run().reason, ExitReason.Hlt);
  assert.deepEqual([bench.events[0]!.vector, bench.events[0]!.errorCode], [14, 2]);
});

test('compatibility mode and back by far return', () => {
  const { bench } = kernel((a) => {
    a.push(Selector.code32);
    a.push(addressOf('narrow'));
    a.bytes(0x48, 0xcb); // retfq
    a.mode(32);
    a.label('narrow');
    a.mov(r.eax, -1);
    a.inc(r.eax);
    a.mov(r.ebx, r.cs);
    a.jmpFar(Selector.code64, 'wide');
    a.mode(64);
    a.label('wide');
    a.mov(r.rcx, -1);
  });
  assert.equal(bench.run().reason, ExitReason.Hlt);
  assert.equal(bench.state.big(S.gpr), 0n);
  assert.equal(bench.state.low(S.gpr + 3 * 8), Selector.code32);
  assert.equal(bench.state.big(S.gpr + 8), 0xffff_ffff_ffff_ffffn);
});

test('a control-register write to a host-owned bit exits with VMX qualification', () => {
  const { bench } = kernel((a) => {
    a.mov(r.rdi, r.cr4);
    a.mov(r.rdi, 0x2020);
    a.mov(r.cr4, r.rdi);
  });
  bench.cpu.controls.cr4HostMask = 0x2000;
  const exit = bench.run();
  assert.equal(exit.reason, ExitReason.CrAccess);
  assert.equal(exit.qualificationLow, 4 | (7 << 8));
  assert.equal(exit.instructionLength, 3);
});
