/** Private and shared memory: accepting, blocking, removing, and what a hostile host cannot do with shared mappings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, Gpr, SharedEpt, TdAttribute, TdgLeaf, TdhLeaf } from '../../src/abi/index.ts';
import { ExitReason, SecondLevel, VECTOR_VE } from '../../src/cpu/index.ts';
import { Bench, exits, type ScriptedProcessor, tdcall } from './scripted-td.ts';

const SHARED_BIT = 0x8000_0000_0000;
const RWX = 7;
const status = (cpu: ScriptedProcessor) => cpu.get(Gpr.RAX);
const statusOf = (code: number, details: number) => (BigInt(code) << 32n) | BigInt(details);
const accept = (gpaAndLevel: number) => tdcall({ RAX: TdgLeaf.MEM_PAGE_ACCEPT, RCX: gpaAndLevel });
const rightsAt = (cpu: ScriptedProcessor, gpa: number) => cpu.secondLevel!.lookup(gpa) & 0xf;

test('a page is pending until the guest accepts it; accepting zeroes what somebody has written', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const dirty = bench.page();
  bench.view.fill(dirty, 4096, 0xaa);
  bench.ok(TdhLeaf.MEM_PAGE_AUG, { rcx: 0x3000, rdx: bench.tdr, r8: dirty });
  assert.equal(rightsAt(cpu, 0x3000), 0);
  assert.equal(bench.enter([accept(0x3000)]), Code.SUCCESS);
  assert.equal(status(cpu), 0n);
  assert.equal(cpu.rip, 0x1004);
  assert.equal(rightsAt(cpu, 0x3000), RWX);
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x3000)), dirty);
  assert.ok(bench.memory.u8.subarray(dirty, dirty + 4096).every((byte) => byte === 0));
  assert.deepEqual(
    cpu.replacedPages.filter((page) => page === dirty),
    [dirty],
  );
  bench.enter([accept(0x3000)]);
  assert.equal(status(cpu), statusOf(Code.PAGE_ALREADY_ACCEPTED, 0));
});

test('a fresh host page is accepted without being touched', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.augment(0x3000);
  const before = cpu.replacedPages.length;
  bench.enter([accept(0x3000)]);
  assert.equal(status(cpu), 0n);
  assert.equal(cpu.replacedPages.length, before);
});

test('accepting what is not there leaves for the host and is executed again', () => {
  const bench = new Bench();
  const cpu = bench.build();
  assert.equal(bench.enter([accept(0x3000)]), Code.SUCCESS);
  const { registers } = bench;
  assert.equal(bench.details, ExitReason.EptViolation);
  assert.equal(registers.number(Gpr.R8), 0x3000);
  assert.equal(registers.low(Gpr.RDX), 1, 'type ACCEPT');
  assert.equal(registers.high(Gpr.RDX), 0, 'asked level 0, met at level 0, FREE');
  assert.equal(cpu.rip, 0x1000);
  assert.equal(status(cpu), BigInt(TdgLeaf.MEM_PAGE_ACCEPT));
  bench.enter([accept(0x40_0001)]);
  assert.equal(registers.high(Gpr.RDX), 1 | (1 << 3), 'asked 2 MiB, met a free entry of that level');
});

test('2 MiB pages: accepted at once, mismatch where small pages are, refused beyond 2 MiB', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.augment(0x20_0000, 1);
  bench.enter([accept(0x20_0001)]);
  assert.equal(status(cpu), 0n);
  assert.equal(rightsAt(cpu, 0x3f_f000), RWX);
  bench.enter([accept(0x20_0001)]);
  assert.equal(status(cpu), statusOf(Code.PAGE_ALREADY_ACCEPTED, 1));
  bench.enter([accept(0x20_5000)]);
  assert.equal(status(cpu), statusOf(Code.PAGE_ALREADY_ACCEPTED, 1));
  bench.augment(0x1000);
  bench.enter([accept(1)]);
  assert.equal(status(cpu), statusOf(Code.PAGE_SIZE_MISMATCH, 1));
  for (const illegal of [2, 0x1001, 0x20_0009, SHARED_BIT]) {
    bench.enter([accept(illegal)]);
    assert.equal(status(cpu), statusOf(Code.OPERAND_INVALID, 1), illegal.toString(16));
  }
});

test('a pending 2 MiB page that is asked for in small pieces leaves for the host, which splits it', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.augment(0x20_0000, 1);
  bench.enter([accept(0x20_3000)]);
  assert.equal(bench.details, ExitReason.EptViolation);
  assert.equal(bench.registers.high(Gpr.RDX), 0 | (1 << 3) | (2 << 6) | (1 << 14), 'a pending leaf at level 1');
  const demote = { rcx: 0x20_0001, rdx: bench.tdr, r8: bench.page() };
  assert.equal(bench.call(TdhLeaf.MEM_PAGE_DEMOTE, demote), Code.GPA_RANGE_NOT_BLOCKED);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, { rcx: 0x20_0001, rdx: bench.tdr });
  assert.equal(bench.call(TdhLeaf.MEM_PAGE_DEMOTE, demote), Code.TLB_TRACKING_NOT_DONE);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.ok(TdhLeaf.MEM_PAGE_DEMOTE, demote);
  bench.enter([accept(0x20_3000)]);
  assert.equal(status(cpu), 0n);
  assert.equal(rightsAt(cpu, 0x20_3000), RWX);
  assert.equal(rightsAt(cpu, 0x20_4000), 0);
});

test('a page is removed only blocked and tracked; its content does not come back', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const hpa = bench.augment(0x1000);
  bench.enter([accept(0x1000)]);
  bench.memory.u8[hpa] = 0x55;
  const target = { rcx: 0x1000, rdx: bench.tdr };
  assert.equal(bench.call(TdhLeaf.MEM_PAGE_REMOVE, target), Code.GPA_RANGE_NOT_BLOCKED);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  assert.equal(rightsAt(cpu, 0x1000), 0);
  assert.equal(bench.call(TdhLeaf.MEM_RANGE_BLOCK, target), Code.GPA_RANGE_ALREADY_BLOCKED);
  assert.equal(bench.call(TdhLeaf.MEM_PAGE_REMOVE, target), Code.TLB_TRACKING_NOT_DONE);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  const before = cpu.invalidations;
  bench.enter();
  assert.equal(cpu.invalidations, before + 1, 'a new epoch: the vCPU forgets its translations');
  bench.enter();
  assert.equal(cpu.invalidations, before + 1);
  bench.ok(TdhLeaf.MEM_PAGE_REMOVE, target);
  assert.equal(bench.registers.number(Gpr.RCX), hpa);
  bench.ok(TdhLeaf.MEM_PAGE_AUG, { ...target, r8: hpa });
  bench.enter([accept(0x1000)]);
  assert.equal(bench.memory.u8[hpa], 0);
});

test('unblocking brings the page back as it was', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const target = { rcx: 0x1000, rdx: bench.tdr };
  bench.augment(0x1000);
  bench.enter([accept(0x1000)]);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  assert.equal(bench.call(TdhLeaf.MEM_RANGE_UNBLOCK, target), Code.TLB_TRACKING_NOT_DONE);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, target);
  assert.equal(rightsAt(cpu, 0x1000), RWX);
  assert.equal(bench.call(TdhLeaf.MEM_RANGE_UNBLOCK, target), Code.EPT_ENTRY_STATE_INCORRECT);
});

test('blocking a table blocks all below it', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.augment(0x1000);
  bench.enter([accept(0x1000)]);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, { rcx: 2, rdx: bench.tdr });
  assert.equal(rightsAt(cpu, 0x1000), 0);
  assert.equal(
    bench.call(TdhLeaf.MEM_PAGE_AUG, { rcx: 0x2000, rdx: bench.tdr, r8: bench.page() }),
    Code.EPT_WALK_FAILED,
  );
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, { rcx: 2, rdx: bench.tdr });
  assert.equal(rightsAt(cpu, 0x1000), RWX);
});

const violation = (gpa: number) =>
  exits(ExitReason.EptViolation, {
    guestPhysical: gpa,
    qualificationLow: 0x181,
    guestLinearLow: 0x7000,
    guestLinearHigh: -1,
  });

test('touching a pending page: #VE, or a TD exit that says so when #VE is disabled', () => {
  const withVe = new Bench();
  const guest = withVe.build();
  withVe.augment(0x1000);
  assert.equal(withVe.enter([violation(0x1234)]), Code.SUCCESS);
  assert.equal(withVe.details, ExitReason.ExternalInterrupt, 'the guest went on');
  assert.deepEqual(guest.injected, [{ vector: VECTOR_VE, type: 3, errorCode: undefined }]);
  assert.equal(guest.virtualizationException.guestPhysical, 0x1234);
  assert.equal(guest.virtualizationException.guestLinearLow, 0x7000);

  const withExit = new Bench();
  const quiet = withExit.build({ params: { attributes: TdAttribute.SEPT_VE_DISABLE } });
  withExit.augment(0x1000);
  withExit.enter([violation(0x1234)]);
  assert.equal(withExit.details, ExitReason.EptViolation);
  assert.equal(withExit.registers.low(Gpr.RDX), 6);
  assert.equal(withExit.registers.number(Gpr.R8), 0x1000, 'no page offset');
  assert.equal(withExit.registers.low(Gpr.RCX), 1, 'no linear-address bits');
  assert.deepEqual(quiet.injected, []);
});

test('shared pages: mapped by the host, MMIO is #VE, absent is a TD exit', () => {
  const bench = new Bench();
  const sharedEpt = new SharedEpt('absent');
  const cpu = bench.build({ sharedEpt });
  const hpa = bench.page();
  sharedEpt.map(0x1000, hpa);
  sharedEpt.setMmio(0x2000);
  bench.enter();
  assert.equal(rightsAt(cpu, SHARED_BIT + 0x1000), 3);
  assert.equal(rightsAt(cpu, 0x1000), 0, 'the private half knows nothing of it');
  bench.enter([violation(SHARED_BIT + 0x2008)]);
  assert.equal(cpu.injected.length, 1);
  assert.equal(cpu.virtualizationException.guestPhysical, SHARED_BIT + 0x2008);
  bench.enter([violation(SHARED_BIT + 0x3008)]);
  assert.equal(bench.details, ExitReason.EptViolation);
  assert.equal(bench.registers.number(Gpr.R8), SHARED_BIT + 0x3000);
  const before = cpu.invalidations;
  sharedEpt.unmap(0x1000);
  bench.enter();
  assert.equal(rightsAt(cpu, SHARED_BIT + 0x1000), 0);
  assert.equal(cpu.invalidations, before + 1);
});

test('a host cannot reach private memory by a shared mapping, neither before nor after', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const owned = bench.augment(0x1000);
  bench.sharedEpt.map(0x5000, owned);
  bench.enter();
  assert.equal(rightsAt(cpu, SHARED_BIT + 0x5000), 0, 'a private page is not mapped');
  const hpa = bench.page();
  bench.sharedEpt.map(0x6000, hpa);
  bench.enter();
  assert.equal(rightsAt(cpu, SHARED_BIT + 0x6000), 3);
  bench.ok(TdhLeaf.MEM_PAGE_AUG, { rcx: 0x2000, rdx: bench.tdr, r8: hpa });
  assert.equal(rightsAt(cpu, SHARED_BIT + 0x6000), 0, 'becoming private ends the shared mapping');
});

test('an address above the shared bit is a reserved bit in the page tables: #PF', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.enter([violation(SHARED_BIT * 2 + 0x1000)]);
  assert.deepEqual(cpu.injected, [{ vector: 14, type: 3, errorCode: 9 }]);
});

test('private memory of a debuggable TD can be read and written by its host, of another it cannot', () => {
  for (const [attributes, expected] of [
    [TdAttribute.DEBUG, Code.SUCCESS],
    [0n, Code.TD_NON_DEBUG],
  ] as const) {
    const bench = new Bench();
    bench.build({ params: { attributes } });
    const hpa = bench.augment(0x1000);
    bench.enter([accept(0x1000)]);
    bench.memory.u32[hpa / 4 + 2] = 0x1234;
    assert.equal(bench.call(TdhLeaf.MEM_RD, { rcx: 0x1008, rdx: bench.tdr }), expected);
    assert.equal(bench.registers.number(Gpr.R8), expected === Code.SUCCESS ? 0x1234 : 0);
    assert.equal(bench.call(TdhLeaf.MEM_WR, { rcx: 0x1008, rdx: bench.tdr, r8: 7 }), expected);
    assert.equal(bench.memory.u32[hpa / 4 + 2], expected === Code.SUCCESS ? 7 : 0x1234);
  }
});
