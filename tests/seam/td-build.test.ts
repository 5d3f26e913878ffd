/** Building a TD by SEAMCALLs: the order, the codes of wrong ones, the measurement. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildTdParams,
  CompletionCode as Code,
  Gpr,
  MetadataField,
  MODULE_VERSIONS,
  OperandId,
  TdAttribute,
  TdhLeaf,
} from '../../src/abi/index.ts';
import { S } from '../../src/cpu/index.ts';
import { PrivateMemoryError } from '../../src/memory/shared-view.ts';
import { IndependentMrtd } from './independent-mrtd.ts';
import { Bench } from './scripted-td.ts';

test('before the module is ready only system leaves answer; unknown leaves and versions are refused by RAX', () => {
  const bench = new Bench();
  assert.equal(bench.call(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 }), Code.SYS_NOT_READY);
  bench.start();
  bench.ok(TdhLeaf.SYS_RD, { rdx: MetadataField.TDCS_BASE_SIZE });
  assert.equal(bench.registers.number(Gpr.R8), 6 * 4096);
  for (const leaf of [200, 0x10000 + TdhLeaf.MNG_CREATE, 0x0100_0000]) {
    assert.equal(bench.call(leaf), Code.OPERAND_INVALID);
    assert.equal(bench.details, OperandId.RAX);
  }
});

test('each module says its own version', () => {
  for (const version of MODULE_VERSIONS) {
    const bench = new Bench(1, { version });
    bench.start();
    const read = (rdx: bigint) => {
      bench.ok(TdhLeaf.SYS_RD, { rdx });
      return bench.registers.number(Gpr.R8);
    };
    assert.deepEqual(
      [read(MetadataField.MAJOR_VERSION), read(MetadataField.MINOR_VERSION)],
      [version.major, version.minor],
    );
    assert.equal(`${version.major}.${version.minor}`, version.name);
  }
});

test('TDH.MNG.CREATE checks key id and page', () => {
  const bench = new Bench();
  bench.start();
  const page = bench.page();
  const expect = (operands: { rcx: number; rdx: number }, code: number, details: number) => {
    assert.equal(bench.call(TdhLeaf.MNG_CREATE, operands), code);
    assert.equal(bench.details, details);
  };
  expect({ rcx: page, rdx: 0 }, Code.OPERAND_INVALID, OperandId.RDX);
  expect({ rcx: page, rdx: 64 }, Code.OPERAND_INVALID, OperandId.RDX);
  expect({ rcx: page + 8, rdx: 1 }, Code.OPERAND_INVALID, OperandId.RCX);
  expect({ rcx: 2 ** 33, rdx: 1 }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: page, rdx: 1 });
  expect({ rcx: page, rdx: 2 }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  expect({ rcx: bench.page(), rdx: 1 }, Code.HKID_NOT_FREE, 0);
});

test('steps out of order get the code of the state they miss', () => {
  const bench = new Bench();
  bench.start();
  const tdr = bench.page();
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: tdr, rdx: 1 });
  assert.equal(bench.call(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: tdr }), Code.TD_KEYS_NOT_CONFIGURED);
  assert.equal(bench.call(TdhLeaf.VP_CREATE, { rcx: bench.page(), rdx: tdr }), Code.TD_KEYS_NOT_CONFIGURED);
  bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdr });
  assert.equal(bench.call(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdr }), Code.LIFECYCLE_STATE_INCORRECT);
  assert.equal(bench.call(TdhLeaf.MNG_INIT, { rcx: tdr, rdx: bench.page() }), Code.TDCS_NOT_ALLOCATED);
  for (let i = 0; i < 9; i++) bench.ok(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: tdr });
  assert.equal(bench.call(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: tdr }), Code.TDCX_NUM_INCORRECT);
  assert.equal(bench.call(TdhLeaf.VP_CREATE, { rcx: bench.page(), rdx: tdr }), Code.OP_STATE_INCORRECT);

  const params = bench.page();
  bench.view.write(params, buildTdParams({ maxVcpus: 1 }));
  bench.ok(TdhLeaf.MNG_INIT, { rcx: tdr, rdx: params });
  assert.equal(bench.call(TdhLeaf.MNG_INIT, { rcx: tdr, rdx: params }), Code.OP_STATE_INCORRECT);
  assert.equal(bench.call(TdhLeaf.MR_FINALIZE, { rcx: tdr }), Code.NO_VCPUS);

  const tdvpr = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: tdvpr, rdx: tdr });
  assert.equal(bench.call(TdhLeaf.VP_INIT, { rcx: tdvpr }), Code.TDCX_NUM_INCORRECT);
  for (let i = 0; i < 5; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: tdvpr });
  bench.ok(TdhLeaf.VP_INIT, { rcx: tdvpr });
  assert.equal(bench.call(TdhLeaf.VP_INIT, { rcx: tdvpr }), Code.VCPU_STATE_INCORRECT);
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: tdvpr }), Code.OP_STATE_INCORRECT);
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: tdr });
  assert.equal(bench.call(TdhLeaf.VP_CREATE, { rcx: bench.page(), rdx: tdr }), Code.OP_STATE_INCORRECT);
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: tdvpr }), Code.SUCCESS);
});

test('more vCPUs than MAX_VCPUS are refused', () => {
  const bench = new Bench();
  bench.create({ maxVcpus: 1 });
  bench.addVcpu();
  assert.throws(() => bench.addVcpu(), /0xc0000705/);
});

test('TDH.MNG.INIT names the illegal part of TD_PARAMS', () => {
  const wrong: readonly [Parameters<typeof buildTdParams>[0], number][] = [
    [{ attributes: 1n << 1n }, OperandId.ATTRIBUTES],
    [{ attributes: TdAttribute.MIGRATABLE | TdAttribute.DEBUG }, OperandId.ATTRIBUTES],
    [{ xfam: 1n }, OperandId.XFAM],
    [{ xfam: 7n }, OperandId.XFAM],
    [{ maxVcpus: 0 }, OperandId.MAX_VCPUS],
    [{ numL2Vms: 1 }, OperandId.NUM_L2_VMS],
    [{ configFlags: 8n }, OperandId.EXEC_CONTROLS],
    [{ configFlags: 1n }, OperandId.EPTP_CONTROLS],
    [{ eptpControls: 0n }, OperandId.EPTP_CONTROLS],
    [{ tscFrequency25Mhz: 100 }, OperandId.TSC_FREQUENCY],
    [{ msrConfigCtls: 2 }, OperandId.RDX],
    [{ cpuidConfig: [{ eax: 1, ebx: 0, ecx: 0, edx: 0 }] }, OperandId.CPUID_CONFIG],
  ];
  for (const [params, operand] of wrong) {
    const bench = new Bench();
    assert.throws(() => bench.create(params), /0xc0000100/);
    assert.equal(
      bench.details,
      operand,
      JSON.stringify(params, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    );
  }
});

test('MRTD is what the added and extended pages make it', () => {
  const bench = new Bench();
  bench.create({ maxVcpus: 1 });
  bench.addVcpu();
  bench.addTables();
  const expected = new IndependentMrtd();
  const source = bench.page();
  for (const gpa of [0x5000, 0x1000]) {
    const content = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7 + gpa / 4096) & 0xff);
    bench.view.write(source, content);
    bench.ok(TdhLeaf.MEM_PAGE_ADD, { rcx: gpa, rdx: bench.tdr, r8: bench.page(), r9: source });
    expected.add(gpa);
    for (let chunk = 0; chunk < 4096; chunk += 256) {
      bench.ok(TdhLeaf.MR_EXTEND, { rcx: gpa + chunk, rdx: bench.tdr });
      expected.extend(gpa + chunk, content.subarray(chunk, chunk + 256));
    }
  }
  assert.equal(bench.call(TdhLeaf.MR_EXTEND, { rcx: 0x1080, rdx: bench.tdr }), Code.OPERAND_INVALID);
  assert.equal(bench.call(TdhLeaf.MR_EXTEND, { rcx: 0x2000, rdx: bench.tdr }), Code.EPT_ENTRY_NOT_PRESENT);
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  assert.equal(Buffer.from(bench.module.measurementsOf(bench.tdr).mrtd).toString('hex'), expected.digest());
  assert.equal(bench.call(TdhLeaf.MNG_RD, { rcx: bench.tdr, rdx: 0x1310_0003_0000_0000n }), Code.SUCCESS);
  assert.equal(
    bench.registers.u64[Gpr.R8],
    Buffer.from(bench.module.measurementsOf(bench.tdr).mrtd).readBigUInt64LE(0),
  );
});

test('TDH.MEM.PAGE.ADD wants tables, a free entry, a free target and a host page as source', () => {
  const bench = new Bench();
  bench.create();
  const source = bench.page();
  const add = (operands: { rcx: number; r8?: number; r9?: number }) =>
    bench.call(TdhLeaf.MEM_PAGE_ADD, { r8: bench.page(), r9: source, rdx: bench.tdr, ...operands });
  assert.equal(add({ rcx: 0x1000 }), Code.EPT_WALK_FAILED);
  assert.equal(bench.registers.low(Gpr.RDX) & 7, 3, 'the walk ended at the root');
  assert.equal(bench.registers.high(Gpr.RCX), 0x8000_0000, 'a free entry: suppress-#VE alone');
  bench.addTables();
  assert.equal(add({ rcx: 0x1001 }), Code.OPERAND_INVALID);
  assert.equal(add({ rcx: 0x1008 }), Code.OPERAND_INVALID);
  assert.equal(add({ rcx: 0x8000_0000_1000 }), Code.OPERAND_INVALID);
  assert.equal(add({ rcx: 0x1000, r9: bench.tdr }), Code.OPERAND_INVALID);
  assert.equal(add({ rcx: 0x1000, r8: bench.tdr }), Code.PAGE_METADATA_INCORRECT);
  const target = bench.page();
  assert.equal(add({ rcx: 0x1000, r8: target }), Code.SUCCESS);
  assert.equal(add({ rcx: 0x1000 }), Code.EPT_ENTRY_STATE_INCORRECT);
  assert.equal(bench.registers.low(Gpr.RDX) >>> 8, 4, 'MAPPED');
  assert.throws(() => bench.view.read(target, 16), PrivateMemoryError);
  assert.throws(() => bench.view.write8(target + 4095, 1), /private memory under key id 1/);
});

test('a vCPU starts as the ABI says', () => {
  const bench = new Bench();
  bench.create({ maxVcpus: 2 });
  bench.clock.advance(1000);
  bench.addVcpu(0x80_9000);
  bench.addVcpu();
  const [first, second] = bench.processors;
  const { state, controls } = first!;
  assert.equal(first!.rip, 0xffff_fff0);
  assert.equal(first!.get(Gpr.RBX), 48n);
  assert.equal(first!.get(Gpr.RCX), 0x80_9000n);
  assert.equal(first!.get(Gpr.R8), 0x80_9000n);
  assert.equal(first!.get(Gpr.RDX), 0x806f8n);
  assert.equal(second!.get(Gpr.RSI), 1n);
  assert.equal(state.low(S.cr0) & 0x21, 0x21);
  assert.equal(state.low(S.efer), 0x901);
  assert.equal(state.big(S.pat), 0x0007_0406_0007_0406n);
  assert.equal(state.low(S.segmentRights + 4), 0xc09b);
  assert.equal(controls.cr4ReadShadow, 0x40);
  assert.ok(controls.nativeMsrReads.has(0x808) && !controls.nativeMsrReads.has(0x802));
  assert.equal(first!.tscOffsetTicks + 0, 0, 'TSC 0 at TDH.MNG.INIT');
});

test('teardown gives every page back, in order', () => {
  const bench = new Bench();
  bench.build();
  const { tdr } = bench;
  const tdvpr = bench.tdvprs[0]!;
  bench.augment(0x1000);
  const owned = [...bench.memory.keyIdOfPage.entries()].filter(([, key]) => key === 1).map(([page]) => page * 4096);
  const children = owned.filter((hpa) => hpa !== tdr);
  assert.equal(bench.call(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr }), Code.FLUSHVP_NOT_DONE);
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: tdvpr });
  assert.equal(bench.call(TdhLeaf.VP_FLUSH, { rcx: tdvpr }), Code.VCPU_NOT_ASSOCIATED);
  assert.equal(bench.call(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr }), Code.LIFECYCLE_STATE_INCORRECT);
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr });
  assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: tdvpr }), Code.TD_KEYS_NOT_CONFIGURED);
  assert.equal(bench.call(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr }), Code.WBCACHE_NOT_COMPLETE);
  assert.equal(bench.call(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: children[0]! }), Code.LIFECYCLE_STATE_INCORRECT);
  bench.ok(TdhLeaf.PHYMEM_CACHE_WB);
  assert.equal(bench.call(TdhLeaf.PHYMEM_CACHE_WB), Code.NO_HKID_READY_TO_WBCACHE);
  bench.ok(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr });
  assert.equal(bench.call(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: tdr }), Code.TD_ASSOCIATED_PAGES_EXIST);
  for (const hpa of children) bench.ok(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: hpa });
  bench.ok(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: tdr });
  assert.ok(bench.memory.keyIdOfPage.every((key) => key !== 1));
  assert.equal(bench.call(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: tdr }), Code.PAGE_METADATA_INCORRECT);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 });
});
