import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gpr } from '../../src/abi/index.ts';
import { Clock } from '../../src/time/index.ts';
import {
  after,
  bench,
  eptViolation,
  POWER_OFF,
  plan,
  profile,
  region,
  SHARED_BIT,
  type Step,
  tdvmcall,
} from './scripted-module.ts';

const HLT = tdvmcall(0x0c, 0);
const ACCEPT_2M = 1n | (1n << 32n);
const ACCEPT_4K = 1n;

test('a missing page that is asked for at 2 MiB comes at 2 MiB, tables first', () => {
  const { module, run } = bench();
  module.calls.length = 0;
  run([eptViolation(0x20_0000, ACCEPT_2M), POWER_OFF]);
  assert.deepEqual(
    module.calls.map((call) => call.replace(/ADD/, 'ADD')),
    ['TDH.MEM.SEPT.ADD 3', 'TDH.MEM.SEPT.ADD 2', 'TDH.MEM.PAGE.AUG 200001'],
  );
});

test('... and at 4 KiB where RAM does not fill it, or less was asked for', () => {
  const { module, run } = bench({}, plan([region(0, 0x1000), region(0x3000, 0x40_0000)]));
  module.calls.length = 0;
  run([eptViolation(0x3000, ACCEPT_2M), eptViolation(0x20_5000, ACCEPT_4K), POWER_OFF]);
  assert.deepEqual(module.takeCalls('TDH.MEM.PAGE.AUG'), ['3000', '205000']);
});

test('what the guest may not touch ends the run with a sentence', () => {
  const cases: [Step[], RegExp][] = [
    [[eptViolation(0x4000_0000)], /private address 0x40000000, where it has no memory/],
    [[eptViolation(0x1000, 6n)], /private page 0x1000 before it accepted it/],
    [
      [tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x1000), eptViolation(0x1000)],
      /0x1000 as private after it made it shared/,
    ],
    [[eptViolation(0x1000), eptViolation(0x1000)], /cannot use private page 0x1000 although/],
    [[(registers) => registers.set(Gpr.RAX, 18, 0)], /exit VMCALL, which this host does not serve/],
    [[(registers) => registers.set(Gpr.RAX, 0, 0xc0000100)], /TDH\.VP\.ENTER: TDX_OPERAND_INVALID/],
  ];
  for (const [steps, sentence] of cases) {
    const { end } = bench({ profile: profile('strict') }).run(steps);
    assert.equal(end.cause, 'unhandled-exit');
    assert.match(end.cause === 'unhandled-exit' ? end.sentence : '', sentence);
  }
});

test('a triple fault is an end of its own, with or without a status', () => {
  for (const high of [0, 0x40000001])
    assert.deepEqual(bench().run([(registers) => registers.set(Gpr.RAX, 2, high)]).end, {
      cause: 'triple-fault',
      vcpu: 0,
    });
});

test('a shared access without a mapping is served: RAM is converted, the rest is MMIO', () => {
  const { module, td, run } = bench();
  run([eptViolation(SHARED_BIT + 0x5000), eptViolation(SHARED_BIT + 0xfec0_0000), POWER_OFF]);
  assert.equal(td.sharedMemory.isMapped(0x5000), true);
  assert.equal(module.sharedEpt!.lookup(0xfec0_0000), 'mmio');
});

test('HLT sleeps until the timer, and time jumps there', () => {
  const { clock, td, module, run } = bench();
  td.vcpus[0]!.apic.write(0x80f, 0x1ffn);
  td.vcpus[0]!.apic.write(0x832, 0x400ecn);
  const { end } = run([tdvmcall(0x20, 0x6e0, 5_000_000), HLT, POWER_OFF]);
  assert.equal(end.cause, 'fatal-error');
  assert.equal(clock.nowTicks, 5_000_000);
  assert.deepEqual(module.posted, [[td.vcpus[0]!.tdvprHpa, 0xec]]);
});

test('HLT with an interrupt pending in the virtual APIC does not sleep', () => {
  const { module, run } = bench();
  module.pendingInterrupt = true;
  assert.equal(run([HLT, POWER_OFF]).end.cause, 'fatal-error');
});

test('HLT with an interrupt posted just before does not sleep', () => {
  const { td, run } = bench();
  const halt: Step = (registers) => {
    HLT(registers);
    td.post(td.vcpus[0]!, 0x40);
  };
  assert.equal(run([halt, POWER_OFF]).end.cause, 'fatal-error');
});

test('HLT with interrupts blocked wakes for an NMI only', () => {
  const { td, module, run } = bench();
  const end = run([tdvmcall(0x0c, 1)]).end;
  assert.deepEqual(end, { cause: 'idle', nextAlarmTicks: Number.POSITIVE_INFINITY });
  td.post(td.vcpus[0]!, 0x40);
  assert.equal(td.vcpus[0]!.halted, true);
  td.postNmi(td.vcpus[0]!);
  assert.equal(td.vcpus[0]!.halted, false);
  assert.equal(module.calls.at(-1)!.split(' ')[0], 'TDH.VP.WR');
});

test('idle can be returned instead of skipped, and the TD goes on when input comes', () => {
  const { td, clock, run } = bench();
  clock.schedule(1000, () => {});
  assert.deepEqual(run([HLT], { idle: 'return' }).end, { cause: 'idle', nextAlarmTicks: 1000 });
  assert.equal(clock.nowTicks, 0);
  td.post(td.vcpus[0]!, 0x40);
  assert.equal(run([POWER_OFF], { idle: 'return' }).end.cause, 'fatal-error');
});

test('the instruction limit counts retired instructions, not idle time', () => {
  const clock = new Clock();
  const { run } = bench({ clock });
  const work =
    (instructions: number): Step =>
    (registers) => {
      clock.advance(Math.min(instructions, clock.headroomTicks()));
      registers.clear();
      registers.setNumber(Gpr.RAX, 1);
    };
  clock.schedule(50_000, () => {});
  const result = run([work(300), HLT, work(1e9)], { instructions: 1000, idle: 'skip' });
  assert.equal(result.end.cause, 'idle');
  assert.equal(result.instructions, 300);
  const limited = bench({ clock: new Clock() });
  const busy: Step = (registers) => {
    limited.clock.advance(limited.clock.headroomTicks());
    registers.clear();
    registers.setNumber(Gpr.RAX, 1);
  };
  assert.deepEqual(limited.run([busy, busy], { instructions: 1000 }), {
    end: { cause: 'instruction-limit' },
    instructions: 1000,
  });
});

test('vCPUs take turns; a halted one is passed over; an IPI wakes it', () => {
  const clock = new Clock();
  const order: number[] = [];
  const { td, module, run } = bench({ clock }, plan([region(0, 0x20_0000)], 2));
  for (const vcpu of td.vcpus) vcpu.apic.write(0x80f, 0x1ffn);
  const as =
    (index: number, step: Step): Step =>
    (registers) => {
      order.push(index);
      step(registers);
    };
  const preempted: Step = (registers) => {
    clock.advance(clock.headroomTicks());
    registers.clear();
    registers.setNumber(Gpr.RAX, 1);
  };
  const { end } = run([
    [as(0, preempted), as(0, preempted), as(0, tdvmcall(0x20, 0x830, (1n << 32n) | 0xfdn)), as(0, HLT)],
    [as(1, preempted), as(1, HLT), as(1, POWER_OFF)],
  ]);
  assert.equal(end.cause, 'fatal-error');
  assert.deepEqual(order, [0, 1, 0, 1, 0, 0, 1], 'an exit that the host serves does not end a turn');
  assert.deepEqual(module.posted, [[td.vcpus[1]!.tdvprHpa, 0xfd]]);
});

test('stopping is resumable, a final end is not', () => {
  const { td, run } = bench();
  const stopping: Step = (registers) => {
    td.stop({ cause: 'stopped' });
    tdvmcall(0x10000, 0)(registers);
  };
  assert.equal(run([stopping]).end.cause, 'stopped');
  const { end } = run([POWER_OFF]);
  assert.equal(end.cause, 'fatal-error');
  assert.equal(run([]).end, end);
});

test('hooks answer in the place of the host, garble registers and lose interrupts', () => {
  const seen: bigint[] = [];
  const { module, td, run } = bench({
    hooks: {
      tdvmcall: (call, serve) => (call.leaf === 0x1f ? (0x1234n as ReturnType<typeof serve>) : serve()),
      beforeEntry: (vcpu) => {
        vcpu.registers.u64[Gpr.R15] = 0xdeadn;
      },
      postInterrupt: (_vcpu, vector) => vector !== 0x41,
    },
  });
  run([
    tdvmcall(0x1f, 0x1b),
    after((registers) => seen.push(registers.u64[Gpr.R10]!, registers.u64[Gpr.R15]!), POWER_OFF),
  ]);
  assert.deepEqual(seen, [0x1234n, 0xdeadn]);
  td.post(td.vcpus[0]!, 0x41);
  td.post(td.vcpus[0]!, 0x42);
  assert.deepEqual(
    module.posted.map(([, vector]) => vector),
    [0x42],
  );
});
