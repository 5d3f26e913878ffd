/** Bringing the module up: TDH.SYS.*, each in its turn only, and what TDH.SYS.CONFIG says to a wrong division of memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, Gpr, MetadataField, OperandId, TdgLeaf, TdhLeaf } from '../../src/abi/index.ts';
import { PrivateMemoryError } from '../../src/memory/shared-view.ts';
import { Bench, tdcall } from './scripted-td.ts';

const GIB = 2 ** 30;
const HANDOFF_DATA_VALID = 0x8900_0000_0000_0004n;

/** Expects the code, with these details. */
function refused(bench: Bench, leaf: TdhLeaf, operands: Parameters<Bench['call']>[1], code: number, details = 0): void {
  assert.equal(bench.call(leaf, operands), code);
  assert.equal(bench.details, details);
}

test('each step of the start has its turn', () => {
  const bench = new Bench();
  const { SYS_INIT, SYS_LP_INIT, SYS_CONFIG, SYS_KEY_CONFIG, SYS_TDMR_INIT, SYS_RD, SYS_RDALL, SYS_INFO } = TdhLeaf;
  refused(bench, SYS_LP_INIT, {}, Code.SYS_LP_INIT_NOT_PENDING);
  refused(bench, SYS_CONFIG, {}, Code.SYS_CONFIG_NOT_PENDING);
  refused(bench, SYS_KEY_CONFIG, {}, Code.SYS_KEY_CONFIG_NOT_PENDING);
  refused(bench, SYS_TDMR_INIT, {}, Code.SYS_NOT_READY);
  refused(bench, SYS_INIT, { rcx: 1 }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.ok(SYS_INIT);
  refused(bench, SYS_INIT, {}, Code.SYS_INIT_NOT_PENDING);
  for (const leaf of [SYS_RD, SYS_RDALL, SYS_INFO]) refused(bench, leaf, {}, Code.SYS_LP_INIT_NOT_DONE);
  refused(bench, SYS_CONFIG, {}, Code.SYS_CONFIG_NOT_PENDING);
  bench.ok(SYS_LP_INIT);
  refused(bench, SYS_LP_INIT, {}, Code.SYS_LP_INIT_DONE);
  bench.ok(SYS_RD, { rdx: MetadataField.TDCS_BASE_SIZE });
  assert.equal(bench.configure(), Code.SUCCESS);
  assert.equal(bench.configure(), Code.SYS_CONFIG_NOT_PENDING);
  refused(bench, TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 }, Code.SYS_NOT_READY);
  bench.ok(SYS_KEY_CONFIG);
  refused(bench, SYS_KEY_CONFIG, {}, Code.SYS_KEY_CONFIG_NOT_PENDING);
  refused(bench, SYS_TDMR_INIT, { rcx: GIB }, Code.OPERAND_INVALID, OperandId.RCX);
  for (let i = 1; i <= 256; i++) {
    bench.ok(SYS_TDMR_INIT);
    assert.equal(bench.registers.number(Gpr.RDX), i === 256 ? GIB : 0, 'ready in whole GiB');
    if (i === 255)
      refused(bench, TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
  }
  refused(bench, SYS_TDMR_INIT, {}, Code.TDMR_ALREADY_INITIALIZED);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 });
  bench.ok(TdhLeaf.SYS_LP_SHUTDOWN);
});

test('what the host gives the module, no TD and no host has any more', () => {
  const bench = new Bench();
  bench.start();
  const metadata = bench.memory.ramBase + bench.memory.ramBytes - 4096;
  assert.throws(() => bench.view.read(metadata, 8), PrivateMemoryError);
  refused(bench, TdhLeaf.MNG_CREATE, { rcx: metadata, rdx: 1 }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  refused(bench, TdhLeaf.MNG_CREATE, { rcx: 0x1000, rdx: 1 }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  refused(bench, TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 63 }, Code.HKID_NOT_FREE);
  bench.ok(TdhLeaf.PHYMEM_PAGE_RDMD, { rcx: 0x1000 });
  assert.equal(bench.registers.number(Gpr.RCX), 1, 'reserved');
  refused(bench, TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: 0x1000 }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
});

test('TDH.SYS.CONFIG: operands', () => {
  const bench = new Bench();
  bench.ok(TdhLeaf.SYS_INIT);
  bench.ok(TdhLeaf.SYS_LP_INIT);
  const array = bench.page();
  const operands = { rcx: array, rdx: 1, r8: 63 };
  const config = TdhLeaf.SYS_CONFIG;
  refused(bench, config, { ...operands, rcx: array + 256, rdx: 0 }, Code.OPERAND_INVALID, OperandId.RCX);
  refused(bench, config, { ...operands, rdx: 0, r8: 0 }, Code.OPERAND_INVALID, OperandId.RDX);
  refused(bench, config, { ...operands, rdx: 65 }, Code.OPERAND_INVALID, OperandId.RDX);
  refused(bench, config, { ...operands, r8: 0 }, Code.OPERAND_INVALID, OperandId.R8);
  refused(bench, config, { ...operands, r8: 64 }, Code.OPERAND_INVALID, OperandId.R8);
  bench.view.write64(array, BigInt(array + 8));
  refused(bench, config, operands, Code.OPERAND_INVALID, OperandId.RCX);
});

/** TDMR_INFO as words: base, size, then base and size of the metadata for 1 GiB, 2 MiB, 4 KiB, then offset and size of reserved areas. */
test('TDH.SYS.CONFIG names what is wrong with a TDMR', () => {
  const RAM = new Bench().memory.ramBase;
  const RESERVED_1 = 10;
  const cases: readonly [
    what: string,
    change: (set: (word: number, value: number) => void, get: (word: number) => number) => void,
    code: number,
    details: number,
  ][] = [
    ['base not on a GiB', (set) => set(0, 4096), Code.INVALID_TDMR, 0],
    ['no size', (set) => set(1, 0), Code.INVALID_TDMR, 0],
    ['key id in the address', (set) => set(0, 2 ** 46), Code.INVALID_TDMR, 0],
    ['a gap between reserved areas', (set) => set(9, 0), Code.NON_ORDERED_RESERVED_IN_TDMR, 0],
    ['reserved areas out of order', (set) => set(RESERVED_1, 4096), Code.NON_ORDERED_RESERVED_IN_TDMR, 1 << 8],
    [
      'reserved area not of pages',
      (set, get) => set(RESERVED_1, get(RESERVED_1) + 8),
      Code.INVALID_RESERVED_IN_TDMR,
      1 << 8,
    ],
    [
      'reserved area beyond the TDMR',
      (set, get) => set(RESERVED_1 + 1, get(RESERVED_1 + 1) + 4096),
      Code.INVALID_RESERVED_IN_TDMR,
      1 << 8,
    ],
    ['metadata of 1 GiB pages too small', (set) => set(3, 0), Code.INVALID_PAMT, 2 << 8],
    ['metadata of 2 MiB pages not on a page', (set, get) => set(4, get(4) + 8), Code.INVALID_PAMT, 1 << 8],
    ['metadata of 4 KiB pages too small', (set, get) => set(7, get(7) - 4096), Code.INVALID_PAMT, 0],
    ['metadata areas overlap', (set, get) => set(6, get(4)), Code.PAMT_OVERLAP, 0],
    ['metadata in memory that TDs may have', (set) => set(6, RAM), Code.PAMT_OVERLAP, 0],
    ['metadata where no RAM is', (set) => set(2, 4096), Code.PAMT_OUTSIDE_CMRS, 2 << 8],
    ['memory for TDs where no RAM is', (set) => set(9, RAM - 4096), Code.TDMR_OUTSIDE_CMRS, 0],
  ];
  for (const [what, change, code, details] of cases) {
    const bench = new Bench();
    bench.ok(TdhLeaf.SYS_INIT);
    bench.ok(TdhLeaf.SYS_LP_INIT);
    const got = bench.configure((info) =>
      change(
        (word, value) => info.setBigUint64(word * 8, BigInt(value), true),
        (word) => Number(info.getBigUint64(word * 8, true)),
      ),
    );
    assert.equal(got, code, what);
    assert.equal(bench.details, details, what);
    assert.equal(bench.configure(), Code.SUCCESS, `${what}: nothing was taken`);
  }
});

test('two TDMRs must not meet', () => {
  const bench = new Bench();
  bench.ok(TdhLeaf.SYS_INIT);
  bench.ok(TdhLeaf.SYS_LP_INIT);
  bench.configure((info) => info.setBigUint64(0, 4096n, true)); // a wrong one, for its page
  const page = bench.page() - 4096;
  bench.view.write64(page + 512, 0n);
  bench.view.write64(page + 8, BigInt(page + 512));
  refused(bench, TdhLeaf.SYS_CONFIG, { rcx: page, rdx: 2, r8: 63 }, Code.NON_ORDERED_TDMR, 1);
});

test('TDH.SYS.INFO: buffers, and the one range of memory', () => {
  const bench = new Bench();
  bench.start();
  const [info, ranges] = [bench.page(), bench.page()];
  const operands = { rcx: info, rdx: 1024, r8: ranges, r9: 32 };
  const leaf = TdhLeaf.SYS_INFO;
  refused(bench, leaf, { ...operands, rcx: info + 512, rdx: 0 }, Code.OPERAND_INVALID, OperandId.RCX);
  refused(bench, leaf, { ...operands, rdx: 1023, r8: 8 }, Code.OPERAND_INVALID, OperandId.RDX);
  refused(bench, leaf, { ...operands, r8: ranges + 256, r9: 0 }, Code.OPERAND_INVALID, OperandId.R8);
  refused(bench, leaf, { ...operands, r9: 31 }, Code.OPERAND_INVALID, OperandId.R9);
  bench.ok(leaf, operands);
  assert.deepEqual([bench.registers.number(Gpr.RDX), bench.registers.number(Gpr.R9)], [1024, 32]);
  assert.equal(bench.view.read16(info + 32), 64, 'TDMRs at most');
  assert.equal(bench.view.read64(ranges), BigInt(bench.memory.ramBase));
  assert.equal(bench.view.read64(ranges + 8), BigInt(bench.memory.ramBytes));
  assert.equal(bench.view.read64(ranges + 24), 0n);
});

test('TDH.SYS.SHUTDOWN, UPDATE: a TD outlives the module', () => {
  const bench = new Bench();
  const { SYS_SHUTDOWN, SYS_UPDATE, SYS_INIT, SYS_LP_INIT, SYS_LP_SHUTDOWN } = TdhLeaf;
  refused(bench, SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  refused(bench, SYS_SHUTDOWN, {}, Code.SYS_NOT_READY);
  const cpu = bench.build();
  assert.throws(() => bench.module.hostDoor.installModule(), RangeError, 'the module is at work');
  refused(bench, SYS_SHUTDOWN, { rcx: 1 }, Code.OPERAND_INVALID, OperandId.RCX);
  refused(bench, SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  const { mrtd } = bench.module.measurementsOf(bench.tdr);
  bench.ok(SYS_SHUTDOWN);
  for (const leaf of [SYS_SHUTDOWN, SYS_UPDATE, SYS_INIT, TdhLeaf.SYS_RD, TdhLeaf.MNG_RD])
    refused(bench, leaf, {}, Code.SYS_SHUTDOWN);
  assert.equal(bench.enter(), Code.SYS_SHUTDOWN);
  bench.ok(SYS_LP_SHUTDOWN);

  bench.module.hostDoor.installModule();
  refused(bench, SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  bench.ok(SYS_INIT);
  refused(bench, SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  bench.ok(SYS_LP_INIT);
  bench.ok(TdhLeaf.SYS_RD, { rdx: HANDOFF_DATA_VALID });
  assert.equal(bench.registers.number(Gpr.R8), 1);
  refused(bench, TdhLeaf.MNG_RD, { rcx: bench.tdr }, Code.SYS_NOT_READY);
  bench.ok(SYS_UPDATE);
  refused(bench, SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  bench.ok(TdhLeaf.SYS_RD, { rdx: HANDOFF_DATA_VALID });
  assert.equal(bench.registers.number(Gpr.R8), 0);
  bench.enter([tdcall({ RAX: TdgLeaf.VP_INFO })]);
  assert.equal(cpu.get(Gpr.RAX), 0n);
  assert.deepEqual(bench.module.measurementsOf(bench.tdr).mrtd, mrtd);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 2 });
});

test('a module that is configured anew has no handoff data to take, and knows no TD', () => {
  const bench = new Bench();
  bench.build();
  const hpa = bench.augment(0x1000);
  bench.enter([tdcall({ RAX: TdgLeaf.MEM_PAGE_ACCEPT, RCX: 0x1000 })]);
  bench.memory.u8[hpa] = 0x77;
  bench.ok(TdhLeaf.SYS_SHUTDOWN);
  bench.module.hostDoor.installModule();
  bench.ok(TdhLeaf.SYS_INIT);
  bench.ok(TdhLeaf.SYS_LP_INIT);
  assert.equal(bench.configure(), Code.SUCCESS);
  assert.deepEqual(bench.view.read(hpa, 1), Uint8Array.of(0), 'what the TD had is gone');
  refused(bench, TdhLeaf.SYS_UPDATE, {}, Code.SYS_STATE_INCORRECT);
  bench.ok(TdhLeaf.SYS_KEY_CONFIG);
  for (let i = 0; i < 256; i++) bench.ok(TdhLeaf.SYS_TDMR_INIT);
  refused(bench, TdhLeaf.MNG_RD, { rcx: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: bench.tdr, rdx: 1 });

  const fresh = new Bench();
  fresh.ok(TdhLeaf.SYS_INIT);
  fresh.ok(TdhLeaf.SYS_LP_INIT);
  refused(fresh, TdhLeaf.SYS_UPDATE, {}, Code.SYS_INVALID_HANDOFF);
});
