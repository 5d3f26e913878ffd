/** Busy locks and interrupted leaves: what a guest and its host get when somebody is in the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, Gpr, OperandId, TdgLeaf, TdhLeaf } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { SeededContention } from '../../src/machine/seeded-contention.ts';
import type { Contention } from '../../src/seam/index.ts';
import { acceptedPage, call, guest, statusOf } from './guest-calls.ts';
import { Bench } from './scripted-td.ts';

class Scripted implements Contention {
  busy = 0;
  interrupts = 0;
  lockIsBusy = () => this.busy > 0 && this.busy-- > 0;
  interruptIsPending = () => this.interrupts > 0 && this.interrupts-- > 0;
}

function built() {
  const contention = new Scripted();
  const bench = new Bench(1, { contention });
  bench.build();
  acceptedPage(bench);
  return { bench, contention };
}

test('a busy lock is OPERAND_BUSY with what is locked; the next try succeeds', () => {
  const { bench, contention } = built();
  bench.augment(0x2000);
  const calls = [
    [TdgLeaf.MR_RTMR_EXTEND, { RCX: 0x1000, RDX: 1 }, OperandId.RTMR],
    [TdgLeaf.MR_REPORT, { RCX: 0x1000, RDX: 0x1800, R8: 0 }, OperandId.RTMR],
    [TdgLeaf.MEM_PAGE_ATTR_RD, { RCX: 0x1000 }, OperandId.RCX],
    [TdgLeaf.MEM_PAGE_ATTR_WR, { RCX: 0x1000, RDX: 0, R8: 0 }, OperandId.RCX],
    [TdgLeaf.MEM_PAGE_ACCEPT, { RCX: 0x2000 }, OperandId.RCX],
  ] as const;
  for (const [leaf, registers, operand] of calls) {
    contention.busy = 1;
    assert.equal(call(bench, leaf, registers), statusOf(Code.OPERAND_BUSY, operand));
    assert.equal(bench.details, ExitReason.ExternalInterrupt, 'no TD exit');
    assert.equal(call(bench, leaf, registers), 0n);
  }
  contention.busy = 1;
  assert.equal(
    call(bench, TdgLeaf.MR_RTMR_EXTEND, { RCX: 0x1000, RDX: 9 }),
    statusOf(Code.OPERAND_INVALID, OperandId.RDX),
    'operands are checked before the lock is taken',
  );
});

test('a host that keeps a lock for longer than HP_LOCK_TIMEOUT gets the TD exit, the guest its status', () => {
  const { bench, contention } = built();
  bench.ok(TdhLeaf.MNG_RD, { rcx: bench.tdr, rdx: 0x9110_0003_0000_0011n });
  const timeoutTicks = bench.registers.number(Gpr.R8) * 1000;
  assert.equal(timeoutTicks, 1_000_000_000, 'a second');
  const extend = () => call(bench, TdgLeaf.MR_RTMR_EXTEND, { RCX: 0x1000, RDX: 0 });
  const busy = statusOf(Code.OPERAND_BUSY, OperandId.RTMR);
  contention.busy = 2;
  extend();
  bench.clock.advance(timeoutTicks - 1);
  assert.equal(extend(), busy);
  assert.equal(bench.registers.high(Gpr.RAX), Code.SUCCESS);
  assert.equal(extend(), 0n, 'and the host gave it: the count begins anew');
  contention.busy = 2;
  extend();
  bench.clock.advance(timeoutTicks);
  const rip = bench.processors[0]!.rip;
  assert.equal(extend(), busy);
  assert.equal(bench.registers.high(Gpr.RAX), Code.HOST_PRIORITY_BUSY_TIMEOUT);
  assert.equal(bench.details, 0);
  assert.equal(bench.processors[0]!.rip, rip + 4);
  const hint = 1n << 52n;
  const entry = BigInt(bench.tdvprs[0]!);
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: entry | (2n * hint) }), Code.OPERAND_INVALID);
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: entry | hint }), Code.SUCCESS);
  assert.equal(guest(bench, Gpr.RAX), busy | (1n << 60n), 'HOST_RECOVERABILITY_HINT');
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: entry | hint }), Code.OPERAND_INVALID, 'only after a trap');
  assert.equal(extend(), 0n);
});

test('an interrupt ends a long leaf early: the TD exits, and the same TDCALL is made again', () => {
  const { bench, contention } = built();
  bench.augment(0x20_0000, 1);
  const cpu = bench.processors[0]!;
  const calls = [
    [TdgLeaf.MR_REPORT, { RCX: 0x1000, RDX: 0x1800, R8: 0 }],
    [TdgLeaf.MEM_PAGE_ACCEPT, { RCX: 0x20_0001 }],
  ] as const;
  for (const [leaf, registers] of calls) {
    contention.interrupts = 1;
    const { rip } = cpu;
    assert.equal(call(bench, leaf, registers), BigInt(leaf), 'RAX as it was');
    assert.equal(bench.registers.high(Gpr.RAX), Code.SUCCESS);
    assert.equal(bench.details, ExitReason.ExternalInterrupt);
    assert.equal(cpu.rip, rip);
    assert.equal(call(bench, leaf, registers), 0n);
  }
  contention.interrupts = 1;
  bench.augment(0x3000);
  assert.equal(call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: 0x3000 }), 0n, 'one page is not long');
  assert.equal(guest(bench, Gpr.RCX), 0x3000n);
});

test('the same seed is in the way at the same times', () => {
  const draws = (seed: number) => {
    const contention = new SeededContention(seed, { busyPerMille: 300, interruptedPerMille: 100 });
    return Array.from({ length: 1000 }, (_, i) => (i % 2 ? contention.lockIsBusy() : contention.interruptIsPending()));
  };
  assert.deepEqual(draws(5), draws(5));
  assert.notDeepEqual(draws(5), draws(6));
  const busy = draws(5)
    .filter((_, i) => i % 2)
    .filter(Boolean).length;
  assert.ok(busy > 100 && busy < 200, `${busy} of 500`);
  const never = new SeededContention(5, { busyPerMille: 0, interruptedPerMille: 0 });
  assert.ok(!never.lockIsBusy() && !never.interruptIsPending());
});
