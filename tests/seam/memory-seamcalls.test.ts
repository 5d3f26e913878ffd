/** The memory leaves of SEAMCALL: what each refuses, in the order of its checks, and what it does. Written from the ABI's text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CompletionCode as Code,
  Gpr,
  OperandId,
  TdAttribute,
  TdgLeaf,
  TdhLeaf,
  tdhLeafName,
} from '../../src/abi/index.ts';
import { SecondLevel } from '../../src/cpu/index.ts';
import { Bench, tdcall } from './scripted-td.ts';

type Operands = Parameters<Bench['call']>[1];

/** Bits of an entry as the host sees it: read, write, execute; write-back, ignore PAT, page size; suppress #VE. */
const RWX = 7;
const LEAF = 0xf0;
const SUPPRESS_VE = 0x8000_0000;

const SHARED_BIT = 0x8000_0000_0000;
const NULL_PAGE = 0xffff_ffff_ffff_ffffn;

/** Public numbers of the states. Source: TDX Module 1.5 ABI Definition, "Secure EPT Entry State". */
const State = { FREE: 0, BLOCKED: 1, PENDING: 2, PENDING_BLOCKED: 3, MAPPED: 4, NL_BLOCKED: 0x81, NL_MAPPED: 0x84 };

class MemoryBench extends Bench {
  /** Expects a refusal, with RCX and RDX cleared or telling the entry. */
  refused(
    leaf: TdhLeaf,
    operands: Operands,
    code: number,
    details: number,
    entry?: { level: number; state: number },
  ): void {
    assert.equal(
      this.call(leaf, operands),
      code,
      `${tdhLeafName(leaf)} ${JSON.stringify(operands, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
    );
    assert.equal(this.details, details);
    assert.equal(this.registers.low(Gpr.RDX), entry === undefined ? 0 : entry.level | (entry.state << 8));
    if (entry === undefined) assert.equal(this.registers.number(Gpr.RCX), 0);
  }

  /** State, level and page of an entry, as TDH.MEM.SEPT.RD shows them. */
  entry(gpa: number, level = 0) {
    this.ok(TdhLeaf.MEM_SEPT_RD, { rcx: gpa + level, rdx: this.tdr });
    const info = this.registers.low(Gpr.RDX);
    const low = this.registers.low(Gpr.RCX);
    return {
      state: info >>> 8,
      level: info & 0xff,
      page: low - (low % 4096),
      bits: low % 4096,
      high: this.registers.high(Gpr.RCX),
    };
  }

  retire(gpaAndLevel: number): void {
    this.ok(TdhLeaf.MEM_RANGE_BLOCK, { rcx: gpaAndLevel, rdx: this.tdr });
    this.ok(TdhLeaf.MEM_TRACK, { rcx: this.tdr });
  }

  accept(gpaAndLevel: number): void {
    this.enter([tdcall({ RAX: TdgLeaf.MEM_PAGE_ACCEPT, RCX: gpaAndLevel })]);
    assert.equal(this.processors[0]!.get(Gpr.RAX), 0n);
  }

  metadata(hpa: number) {
    this.ok(TdhLeaf.PHYMEM_PAGE_RDMD, { rcx: hpa });
    const of = (register: Gpr) => this.registers.number(register);
    return { type: of(Gpr.RCX), owner: of(Gpr.RDX), level: of(Gpr.R8), blockEpoch: of(Gpr.R9) };
  }
}

const TYPE = { NDA: 0, REG: 3, TDR: 4, TDCX: 5, TDVPR: 6, EPT: 8 };

/** Every memory leaf names a TD in RDX and a place in RCX: these refusals come first, in this order. */
test('TD handle, state of the TD, then page information: the same for every memory leaf', () => {
  const leaves: readonly [leaf: TdhLeaf, illegalLevel: number][] = [
    [TdhLeaf.MEM_PAGE_ADD, 1],
    [TdhLeaf.MEM_PAGE_AUG, 2],
    [TdhLeaf.MEM_PAGE_REMOVE, 3],
    [TdhLeaf.MEM_PAGE_RELOCATE, 1],
    [TdhLeaf.MEM_PAGE_DEMOTE, 0],
    [TdhLeaf.MEM_PAGE_PROMOTE, 0],
    [TdhLeaf.MEM_SEPT_ADD, 0],
    [TdhLeaf.MEM_SEPT_REMOVE, 0],
    [TdhLeaf.MEM_SEPT_RD, 4],
    [TdhLeaf.MEM_RANGE_BLOCK, 4],
    [TdhLeaf.MEM_RANGE_UNBLOCK, 4],
  ];
  for (const [leaf, illegalLevel] of leaves) {
    const bench = new MemoryBench();
    bench.start();
    const tdr = bench.page();
    const wrong = { rcx: 8 };
    bench.refused(leaf, { ...wrong, rdx: tdr + 2 }, Code.OPERAND_INVALID, OperandId.RDX);
    bench.refused(leaf, { ...wrong, rdx: 2 ** 46 + tdr }, Code.OPERAND_INVALID, OperandId.RDX); // a key id
    bench.refused(leaf, { ...wrong, rdx: 2 ** 33 }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RDX);
    bench.refused(leaf, { ...wrong, rdx: tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RDX);
    bench.ok(TdhLeaf.MNG_CREATE, { rcx: tdr, rdx: 1 });
    bench.refused(leaf, { ...wrong, rdx: tdr }, Code.TD_KEYS_NOT_CONFIGURED, 0);
    bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdr });
    bench.refused(leaf, { ...wrong, rdx: tdr }, Code.TDCS_NOT_ALLOCATED, 0);
    for (let i = 0; i < 6; i++) bench.ok(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: tdr });
    bench.refused(leaf, { ...wrong, rdx: tdr }, Code.OP_STATE_INCORRECT, 0);

    const ready = new MemoryBench();
    ready.create();
    const level = illegalLevel === 0 ? 1 : 0;
    for (const rcx of [8, 0x1000 + 1, illegalLevel, SHARED_BIT + level, 2 ** 52 + level])
      ready.refused(leaf, { rcx, rdx: ready.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
    if (leaf !== TdhLeaf.MEM_SEPT_ADD)
      ready.refused(leaf, { rcx: level, rdx: ready.tdr }, Code.EPT_WALK_FAILED, OperandId.RCX, {
        level: 3,
        state: State.FREE,
      });
  }
});

test('TDH.MEM.PAGE.ADD: copies a page; wants a free entry, a host page as source, a free page', () => {
  const bench = new MemoryBench();
  bench.create();
  bench.addTables();
  const [source, target] = [bench.page(), bench.page()];
  bench.view.fill(source, 4096, 0x5a);
  const operands = { rcx: 0x1000, rdx: bench.tdr, r8: target, r9: source };
  const add = TdhLeaf.MEM_PAGE_ADD;
  bench.refused(add, { ...operands, r9: source + 8, r8: 8 }, Code.OPERAND_INVALID, OperandId.R9);
  bench.refused(add, { ...operands, r9: bench.tdr, r8: 8 }, Code.OPERAND_INVALID, OperandId.R9);
  bench.refused(add, { ...operands, r8: target + 8 }, Code.OPERAND_INVALID, OperandId.R8);
  bench.refused(add, { ...operands, r8: 2 ** 33 }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.R8);
  bench.refused(add, { ...operands, r8: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.R8);
  bench.ok(add, operands);
  assert.ok(bench.memory.u8.subarray(target, target + 4096).every((byte) => byte === 0x5a));
  assert.deepEqual(bench.entry(0x1000), {
    state: State.MAPPED,
    level: 0,
    page: target,
    bits: RWX | LEAF,
    high: SUPPRESS_VE,
  });
  assert.deepEqual(bench.metadata(target), { type: TYPE.REG, owner: bench.tdr, level: 0, blockEpoch: 0 });
  bench.refused(add, { ...operands, r8: bench.page() }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 0,
    state: State.MAPPED,
  });
  bench.addVcpu();
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  bench.refused(add, operands, Code.OP_STATE_INCORRECT, 0);
});

test('TDH.MEM.PAGE.AUG: a pending page of 4 KiB or 2 MiB', () => {
  const bench = new MemoryBench();
  bench.build();
  const large = bench.largePage();
  const aug = TdhLeaf.MEM_PAGE_AUG;
  bench.refused(aug, { rcx: 0x20_0001, rdx: bench.tdr, r8: large + 4096 }, Code.OPERAND_INVALID, OperandId.R8);
  const taken = large + 5 * 4096;
  bench.ok(aug, { rcx: 0x1000, rdx: bench.tdr, r8: taken });
  bench.refused(aug, { rcx: 0x20_0001, rdx: bench.tdr, r8: large }, Code.PAGE_METADATA_INCORRECT, OperandId.R8);
  const other = bench.augment(0x20_0000, 1);
  assert.deepEqual(bench.entry(0x20_0000, 1), {
    state: State.PENDING,
    level: 1,
    page: other,
    bits: LEAF,
    high: SUPPRESS_VE,
  });
  assert.equal(bench.metadata(other + 4096).level, 1);
  bench.refused(
    aug,
    { rcx: 0x20_0001, rdx: bench.tdr, r8: bench.largePage() },
    Code.EPT_ENTRY_STATE_INCORRECT,
    OperandId.RCX,
    { level: 1, state: State.PENDING },
  );
  bench.refused(aug, { rcx: 0x20_1000, rdx: bench.tdr, r8: bench.page() }, Code.EPT_WALK_FAILED, OperandId.RCX, {
    level: 1,
    state: State.PENDING,
  });
});

test('TDH.MEM.SEPT.ADD: both versions', () => {
  const bench = new MemoryBench();
  bench.create();
  const { tdr } = bench;
  const add = TdhLeaf.MEM_SEPT_ADD;
  const version1 = (1 << 16) | add;
  bench.refused(add, { rcx: 3, rdx: tdr, r8: NULL_PAGE }, Code.OPERAND_INVALID, OperandId.R8);
  bench.refused(add, { rcx: 3, rdx: tdr, r8: tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.R8);
  bench.refused(version1, { rcx: 3, rdx: tdr, r8: NULL_PAGE }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 3,
    state: State.FREE,
  });
  const table = bench.page();
  bench.ok(add, { rcx: 3, rdx: tdr, r8: table });
  assert.deepEqual(bench.entry(0, 3), { state: State.NL_MAPPED, level: 3, page: 0, bits: RWX, high: 0 });
  assert.deepEqual(bench.metadata(table), { type: TYPE.EPT, owner: tdr, level: 0, blockEpoch: 0 });
  bench.refused(add, { rcx: 3, rdx: tdr, r8: bench.page() }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 3,
    state: State.NL_MAPPED,
  });
  const spare = bench.page();
  bench.ok(add, { rcx: 3, rdx: tdr + 1, r8: spare });
  assert.equal(bench.metadata(spare).type, TYPE.NDA, 'ALLOW_EXISTING: the page was not needed');

  const call = (operands: Operands & { r10?: bigint; r11?: bigint }) => {
    bench.registers.clear();
    bench.registers.u64[Gpr.R10] = operands.r10 ?? NULL_PAGE;
    bench.registers.u64[Gpr.R11] = operands.r11 ?? NULL_PAGE;
    return bench.callWith(version1, operands);
  };
  assert.equal(call({ rcx: 2, rdx: tdr, r8: spare, r9: 0 }), Code.OPERAND_INVALID);
  assert.equal(bench.details, OperandId.R9, 'there are no L2 VMs');
  assert.equal(call({ rcx: 2, rdx: tdr, r8: spare, r9: NULL_PAGE }), Code.SUCCESS);
  assert.equal(bench.registers.u64[Gpr.R8], NULL_PAGE, 'the page was used');
  assert.equal(call({ rcx: 2, rdx: tdr + 1, r8: table, r9: NULL_PAGE }), Code.SUCCESS);
  assert.equal(bench.registers.u64[Gpr.R8], BigInt(table) | (1n << 63n), 'the page was not used');
  bench.refused((2 << 16) | add, { rcx: 3, rdx: tdr, r8: table }, Code.OPERAND_INVALID, OperandId.RAX, {
    level: tdr,
    state: 0,
  });
});

test('TDH.MEM.RANGE.BLOCK and UNBLOCK go through the states', () => {
  const bench = new MemoryBench();
  const cpu = bench.build();
  const target = { rcx: 0x1000, rdx: bench.tdr };
  const { MEM_RANGE_BLOCK: block, MEM_RANGE_UNBLOCK: unblock } = TdhLeaf;
  bench.refused(block, target, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, { level: 0, state: State.FREE });
  bench.refused(unblock, target, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, { level: 0, state: State.FREE });
  const page = bench.augment(0x1000);
  bench.ok(block, target);
  assert.equal(bench.entry(0x1000).state, State.PENDING_BLOCKED);
  assert.equal(bench.metadata(page).blockEpoch, 1, 'the TD epoch so far');
  bench.refused(block, target, Code.GPA_RANGE_ALREADY_BLOCKED, OperandId.RCX, {
    level: 0,
    state: State.PENDING_BLOCKED,
  });
  bench.refused(unblock, target, Code.TLB_TRACKING_NOT_DONE, OperandId.SEPT_TREE);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.ok(unblock, target);
  assert.equal(bench.entry(0x1000).state, State.PENDING, 'as it was');
  bench.accept(0x1000);
  bench.retire(0x1000);
  assert.deepEqual(bench.entry(0x1000), { state: State.BLOCKED, level: 0, page, bits: LEAF, high: SUPPRESS_VE });
  bench.ok(unblock, target);
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x1000)), page);
  bench.retire(1);
  assert.deepEqual(bench.entry(0, 1), { state: State.NL_BLOCKED, level: 1, page: 0, bits: 0, high: 0 });
  assert.equal(cpu.secondLevel!.lookup(0x1000), 0);
  bench.refused(block, target, Code.EPT_WALK_FAILED, OperandId.RCX, { level: 1, state: State.NL_BLOCKED });
  bench.ok(unblock, { rcx: 1, rdx: bench.tdr });
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x1000)), page);
});

test('before TDH.MR.FINALIZE nothing runs: no leaf asks for blocking and tracking', () => {
  const bench = new MemoryBench();
  bench.create();
  bench.addTables();
  const target = { rcx: 0x1000, rdx: bench.tdr };
  bench.augment(0x1000);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, target);
  bench.ok(TdhLeaf.MEM_PAGE_RELOCATE, { ...target, r8: bench.page() });
  bench.ok(TdhLeaf.MEM_PAGE_REMOVE, target);
  bench.ok(TdhLeaf.MEM_SEPT_REMOVE, { rcx: 1, rdx: bench.tdr });
  bench.augment(0x20_0000, 1);
  bench.ok(TdhLeaf.MEM_PAGE_DEMOTE, { rcx: 0x20_0001, rdx: bench.tdr, r8: bench.page() });
  bench.ok(TdhLeaf.MEM_PAGE_PROMOTE, { rcx: 0x20_0001, rdx: bench.tdr });
});

test('TDH.MEM.PAGE.REMOVE: blocked, tracked, and nothing of it is left for the host', () => {
  const bench = new MemoryBench();
  const cpu = bench.build();
  const target = { rcx: 0x1000, rdx: bench.tdr };
  const remove = TdhLeaf.MEM_PAGE_REMOVE;
  bench.refused(remove, target, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, { level: 0, state: State.FREE });
  bench.refused(remove, { ...target, rcx: 1 }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 1,
    state: State.NL_MAPPED,
  });
  const page = bench.augment(0x1000);
  bench.accept(0x1000);
  bench.memory.u8.fill(0x77, page, page + 4096);
  bench.refused(remove, target, Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX, { level: 0, state: State.MAPPED });
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  bench.refused(remove, target, Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.ok(remove, target);
  assert.equal(bench.registers.number(Gpr.RCX), page);
  assert.equal(bench.metadata(page).type, TYPE.NDA);
  assert.ok(bench.view.read(page, 4096).every((byte) => byte === 0));
  assert.equal(bench.entry(0x1000).state, State.FREE);
  assert.equal(cpu.secondLevel!.lookup(0x1000), 0);
});

test('TDH.MEM.PAGE.RELOCATE: the content moves, the state is unblocked, the old page is free', () => {
  const bench = new MemoryBench();
  const cpu = bench.build();
  const relocate = TdhLeaf.MEM_PAGE_RELOCATE;
  const [page, target] = [bench.augment(0x1000), bench.page()];
  const operands = { rcx: 0x1000, rdx: bench.tdr, r8: target };
  bench.refused(relocate, { ...operands, rcx: 0x2000 }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 0,
    state: State.FREE,
  });
  bench.refused(relocate, { ...operands, r8: page }, Code.OPERAND_INVALID, OperandId.R8);
  bench.refused(relocate, operands, Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX, { level: 0, state: State.PENDING });
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, { rcx: 0x1000, rdx: bench.tdr });
  bench.refused(relocate, operands, Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.refused(relocate, { ...operands, r8: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.R8);
  bench.ok(relocate, operands);
  assert.equal(bench.registers.number(Gpr.RCX), page);
  assert.equal(bench.entry(0x1000).state, State.PENDING);
  bench.accept(0x1000);
  bench.memory.u8.fill(0x33, target, target + 4096);
  bench.retire(0x1000);
  bench.ok(relocate, { ...operands, r8: page });
  assert.ok(bench.memory.u8.subarray(page, page + 4096).every((byte) => byte === 0x33));
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x1000)), page);
  assert.ok(
    bench.view.read(target, 4096).every((byte) => byte === 0),
    'nothing is left in the old page',
  );
});

test('TDH.MEM.PAGE.DEMOTE and PROMOTE: split, merge, and what prevents a merge', () => {
  const bench = new MemoryBench();
  const cpu = bench.build();
  const { MEM_PAGE_DEMOTE: demote, MEM_PAGE_PROMOTE: promote } = TdhLeaf;
  const target = { rcx: 0x20_0001, rdx: bench.tdr };
  const table = bench.page();
  bench.refused(demote, { ...target, r8: table }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 1,
    state: State.FREE,
  });
  bench.refused(promote, target, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, { level: 1, state: State.FREE });
  const page = bench.augment(0x20_0000, 1);
  bench.accept(0x20_0001);
  bench.memory.u32[page / 4 + 7 * 1024] = 0xabcd;
  bench.refused(demote, { ...target, r8: table }, Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX, {
    level: 1,
    state: State.MAPPED,
  });
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  bench.refused(demote, { ...target, r8: table }, Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.refused(demote, { ...target, r8: page }, Code.PAGE_METADATA_INCORRECT, OperandId.R8);
  bench.ok(demote, { ...target, r8: table });
  assert.equal(bench.entry(0x20_0000, 1).state, State.NL_MAPPED);
  assert.deepEqual(bench.entry(0x20_7000), {
    state: State.MAPPED,
    level: 0,
    page: page + 7 * 4096,
    bits: RWX | LEAF,
    high: SUPPRESS_VE,
  });
  assert.equal(bench.metadata(page + 7 * 4096).level, 0);
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x20_7000)), page + 7 * 4096);

  bench.refused(promote, target, Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX, { level: 1, state: State.NL_MAPPED });
  bench.retire(0x20_7000);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  bench.refused(promote, target, Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.refused(promote, target, Code.EPT_INVALID_PROMOTE_CONDITIONS, OperandId.RCX, {
    level: 1,
    state: State.NL_BLOCKED,
  });
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, target);
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, { rcx: 0x20_7000, rdx: bench.tdr });
  bench.retire(0x20_0001);
  assert.equal(bench.call((1 << 16) | promote, target), Code.SUCCESS);
  assert.equal(bench.registers.number(Gpr.RCX), table);
  for (const register of [Gpr.R9, Gpr.R10, Gpr.R11]) assert.equal(bench.registers.u64[register], NULL_PAGE);
  assert.equal(bench.metadata(table).type, TYPE.NDA);
  assert.equal(bench.entry(0x20_0000, 1).state, State.MAPPED);
  assert.deepEqual(bench.metadata(page), { type: TYPE.REG, owner: bench.tdr, level: 1, blockEpoch: 0 });
  assert.equal(bench.memory.u32[page / 4 + 7 * 1024], 0xabcd, 'the content stays');
  assert.equal(SecondLevel.hpaOf(cpu.secondLevel!.lookup(0x20_7000)), page + 7 * 4096);
});

test('pages that do not lie side by side are not merged', () => {
  const bench = new MemoryBench();
  bench.create();
  bench.addTables();
  const base = bench.largePage();
  for (let i = 0; i < 512; i++) {
    const hpa = base + (i === 100 ? 101 : i === 101 ? 100 : i) * 4096;
    bench.ok(TdhLeaf.MEM_PAGE_AUG, { rcx: i * 4096, rdx: bench.tdr, r8: hpa });
  }
  bench.refused(
    TdhLeaf.MEM_PAGE_PROMOTE,
    { rcx: 1, rdx: bench.tdr },
    Code.EPT_INVALID_PROMOTE_CONDITIONS,
    OperandId.RCX,
    { level: 1, state: State.NL_MAPPED },
  );
});

test('TDH.MEM.SEPT.REMOVE: an empty table goes back to the host', () => {
  const bench = new MemoryBench();
  bench.build();
  const target = { rcx: 1, rdx: bench.tdr };
  const remove = TdhLeaf.MEM_SEPT_REMOVE;
  bench.refused(remove, { ...target, rcx: 0x20_0001 }, Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX, {
    level: 1,
    state: State.FREE,
  });
  bench.augment(0x1000);
  bench.refused(remove, target, Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX, { level: 1, state: State.NL_MAPPED });
  bench.retire(0x1000);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, target);
  bench.refused(remove, target, Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  bench.ok(TdhLeaf.MEM_TRACK, { rcx: bench.tdr });
  bench.refused(remove, target, Code.EPT_PAGE_NOT_FREE, OperandId.RCX, { level: 1, state: State.NL_BLOCKED });
  bench.ok(TdhLeaf.MEM_RANGE_UNBLOCK, target);
  bench.ok(TdhLeaf.MEM_PAGE_REMOVE, { rcx: 0x1000, rdx: bench.tdr });
  bench.retire(1);
  bench.ok(remove, target);
  const table = bench.registers.number(Gpr.RCX);
  assert.equal(bench.metadata(table).type, TYPE.NDA);
  assert.equal(bench.entry(0, 1).state, State.FREE);
  bench.ok(TdhLeaf.MEM_SEPT_ADD, { ...target, r8: table });
});

test('TDH.MEM.SEPT.RD: attributes of L2 VMs are for the hosts of debuggable TDs', () => {
  for (const [attributes, code] of [
    [0n, Code.OPERAND_INVALID],
    [TdAttribute.DEBUG, Code.SUCCESS],
  ] as const) {
    const bench = new MemoryBench();
    bench.create({ attributes });
    assert.equal(bench.call(TdhLeaf.MEM_SEPT_RD, { rcx: 3, rdx: bench.tdr + 1, r8: 5 }), code);
    assert.equal(bench.registers.number(Gpr.R8), code === Code.SUCCESS ? 0 : 5);
  }
});

test('TDH.MEM.RD and WR: debuggable TD, address, page', () => {
  for (const leaf of [TdhLeaf.MEM_RD, TdhLeaf.MEM_WR]) {
    const production = new MemoryBench();
    production.create();
    production.refused(leaf, { rcx: 1, rdx: production.tdr }, Code.TD_NON_DEBUG, 0);
    const bench = new MemoryBench();
    bench.build({ params: { attributes: TdAttribute.DEBUG } });
    bench.refused(leaf, { rcx: 0x1004, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
    bench.refused(leaf, { rcx: SHARED_BIT, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
    bench.refused(leaf, { rcx: 0x1000, rdx: bench.tdr }, Code.EPT_ENTRY_NOT_PRESENT, OperandId.RCX, {
      level: 0,
      state: State.FREE,
    });
    const page = bench.augment(0x1000);
    bench.refused(leaf, { rcx: 0x1000, rdx: bench.tdr, r8: 9 }, Code.EPT_ENTRY_NOT_PRESENT, OperandId.RCX, {
      level: 0,
      state: State.PENDING,
    });
    assert.equal(bench.registers.number(Gpr.R8), 0);
    bench.accept(0x1000);
    bench.memory.u32[page / 4 + 2] = 0x1234;
    bench.ok(leaf, { rcx: 0x1008, rdx: bench.tdr, r8: 0x99 });
    assert.equal(bench.registers.number(Gpr.R8), 0x1234, 'what was there');
    assert.equal(bench.memory.u32[page / 4 + 2], leaf === TdhLeaf.MEM_WR ? 0x99 : 0x1234);
    if (leaf === TdhLeaf.MEM_WR)
      assert.ok(bench.processors[0]!.replacedPages.includes(page), 'code in the page is decoded anew');
  }
});

test('TDH.MR.EXTEND: 256 bytes of a mapped page', () => {
  const bench = new MemoryBench();
  bench.create();
  bench.addTables();
  const extend = TdhLeaf.MR_EXTEND;
  bench.refused(extend, { rcx: 0x1080, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(extend, { rcx: SHARED_BIT, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(extend, { rcx: 0x1000, rdx: bench.tdr }, Code.EPT_ENTRY_NOT_PRESENT, OperandId.RCX, {
    level: 0,
    state: State.FREE,
  });
  bench.augment(0x1000);
  bench.refused(extend, { rcx: 0x1000, rdx: bench.tdr }, Code.EPT_ENTRY_NOT_PRESENT, OperandId.RCX, {
    level: 0,
    state: State.PENDING,
  });
  bench.ok(TdhLeaf.MEM_PAGE_ADD, { rcx: 0x2000, rdx: bench.tdr, r8: bench.page(), r9: bench.page() });
  bench.ok(extend, { rcx: 0x2f00, rdx: bench.tdr });
});

test('pages of a vCPU and of a TD are what TDH.PHYMEM.PAGE.RDMD says', () => {
  const bench = new MemoryBench();
  const spare = bench.page();
  bench.build();
  const nobody = { type: TYPE.NDA, owner: 0, level: 0, blockEpoch: 0 };
  assert.deepEqual(bench.metadata(spare), nobody);
  assert.deepEqual(bench.metadata(bench.tdr), { ...nobody, type: TYPE.TDR });
  assert.deepEqual(bench.metadata(bench.tdr + 4096), { ...nobody, type: TYPE.TDCX, owner: bench.tdr });
  assert.deepEqual(bench.metadata(bench.tdvprs[0]!), { ...nobody, type: TYPE.TDVPR, owner: bench.tdr });
  assert.deepEqual(bench.metadata(bench.tdvprs[0]! + 4096), { ...nobody, type: TYPE.TDCX, owner: bench.tdr });
  for (const [rcx, code] of [
    [8, Code.OPERAND_INVALID],
    [2 ** 46 + spare, Code.OPERAND_INVALID],
    [2 ** 33, Code.OPERAND_ADDR_RANGE_ERROR],
  ] as const) {
    bench.refused(TdhLeaf.PHYMEM_PAGE_RDMD, { rcx, rdx: 1, r8: 1, r9: 1 }, code, OperandId.RCX);
    assert.equal(bench.registers.number(Gpr.R8) + bench.registers.number(Gpr.R9), 0);
  }
});
