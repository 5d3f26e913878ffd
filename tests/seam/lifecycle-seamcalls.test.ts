/** The leaves that create, initialise, run, question and end a TD: what each refuses, in the order of its checks. Written from the ABI's text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildTdParams,
  CompletionCode as Code,
  Gpr,
  MetadataField,
  OperandId,
  TdAttribute,
  TdhLeaf,
  tdhLeafName,
} from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { Bench, exits } from './scripted-td.ts';

type Operands = Parameters<Bench['call']>[1];
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** beyond every TDMR */
const NOWHERE = 2 ** 33;
/** A key id in the upper address bits. */
const WITH_KEY = 2 ** 46;
/** A field id that no table has. */
const NO_FIELD = 0x1110_0003_0000_0fffn;

class LifeBench extends Bench {
  refused(leaf: TdhLeaf, operands: Operands, code: number, details = 0): void {
    assert.equal(this.call(leaf, operands), code, tdhLeafName(leaf));
    assert.equal(this.details, details);
  }

  /** A TD of this stage: 0 created, 1 keyed, 2 with TDCS pages, 3 initialised, 4 finalised, with one whole vCPU from 3 on. */
  at(stage: number): this {
    if (stage >= 3) {
      this.create({ attributes: TdAttribute.DEBUG, maxVcpus: 2 });
      this.addVcpu();
      if (stage >= 4) this.ok(TdhLeaf.MR_FINALIZE, { rcx: this.tdr });
      return this;
    }
    this.start();
    this.tdr = this.page();
    this.ok(TdhLeaf.MNG_CREATE, { rcx: this.tdr, rdx: 1 });
    if (stage >= 1) this.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: this.tdr });
    if (stage >= 2) for (let i = 0; i < 6; i++) this.ok(TdhLeaf.MNG_ADDCX, { rcx: this.page(), rdx: this.tdr });
    return this;
  }
}

test('every leaf that names a TD in RCX or RDX wants a TDR there', () => {
  const leaves: readonly (readonly [TdhLeaf, 'rcx' | 'rdx', OperandId])[] = [
    [TdhLeaf.MNG_ADDCX, 'rdx', OperandId.RDX],
    [TdhLeaf.MNG_KEY_CONFIG, 'rcx', OperandId.RCX],
    [TdhLeaf.MNG_INIT, 'rcx', OperandId.RCX],
    [TdhLeaf.VP_CREATE, 'rdx', OperandId.RDX],
    [TdhLeaf.MR_FINALIZE, 'rcx', OperandId.RCX],
    [TdhLeaf.MNG_RD, 'rcx', OperandId.RCX],
    [TdhLeaf.MNG_WR, 'rcx', OperandId.RCX],
    [TdhLeaf.MEM_TRACK, 'rcx', OperandId.RCX],
    [TdhLeaf.MNG_VPFLUSHDONE, 'rcx', OperandId.RCX],
    [TdhLeaf.MNG_KEY_FREEID, 'rcx', OperandId.RCX],
  ];
  const bench = new LifeBench().at(4);
  for (const [leaf, register, operand] of leaves) {
    bench.refused(leaf, { [register]: bench.tdr + 8 }, Code.OPERAND_INVALID, operand);
    bench.refused(leaf, { [register]: WITH_KEY + bench.tdr }, Code.OPERAND_INVALID, operand);
    bench.refused(leaf, { [register]: NOWHERE }, Code.OPERAND_ADDR_RANGE_ERROR, operand);
    bench.refused(leaf, { [register]: bench.page() }, Code.PAGE_METADATA_INCORRECT, operand);
    bench.refused(leaf, { [register]: bench.tdvprs[0]! }, Code.PAGE_METADATA_INCORRECT, operand);
  }
});

test('every leaf of a vCPU wants a TDVPR, then its TD whole, in the right state, then its own pages', () => {
  const leaves: readonly (readonly [TdhLeaf, 'rcx' | 'rdx', OperandId])[] = [
    [TdhLeaf.VP_ADDCX, 'rdx', OperandId.RDX],
    [TdhLeaf.VP_INIT, 'rcx', OperandId.RCX],
    [TdhLeaf.VP_ENTER, 'rcx', OperandId.RCX],
    [TdhLeaf.VP_FLUSH, 'rcx', OperandId.RCX],
    [TdhLeaf.VP_RD, 'rcx', OperandId.RCX],
    [TdhLeaf.VP_WR, 'rcx', OperandId.RCX],
  ];
  for (const [leaf, register, operand] of leaves) {
    const bench = new LifeBench().at(3);
    bench.refused(leaf, { [register]: bench.tdr }, Code.PAGE_METADATA_INCORRECT, operand);
    bench.refused(leaf, { [register]: bench.tdvprs[0]! + 1 }, Code.OPERAND_INVALID, operand);
    const half = bench.page();
    bench.ok(TdhLeaf.VP_CREATE, { rcx: half, rdx: bench.tdr });
    if (leaf === TdhLeaf.VP_ENTER) bench.refused(leaf, { rcx: half }, Code.OP_STATE_INCORRECT);
    else if (leaf !== TdhLeaf.VP_ADDCX) bench.refused(leaf, { rcx: half }, Code.TDCX_NUM_INCORRECT);
    bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
    if (leaf === TdhLeaf.VP_ENTER) bench.refused(leaf, { rcx: half }, Code.TDCX_NUM_INCORRECT);
    if (leaf === TdhLeaf.VP_ADDCX || leaf === TdhLeaf.VP_INIT)
      bench.refused(leaf, { [register]: half }, Code.OP_STATE_INCORRECT);
    bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });
    bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: bench.tdr });
    bench.refused(leaf, { [register]: bench.tdvprs[0]! }, Code.TD_KEYS_NOT_CONFIGURED);
  }
});

test('TDH.MNG.ADDCX: keys, number, page, and not after TDH.MNG.INIT', () => {
  const add = TdhLeaf.MNG_ADDCX;
  const young = new LifeBench().at(0);
  young.refused(add, { rcx: 8, rdx: young.tdr }, Code.TD_KEYS_NOT_CONFIGURED);
  const bench = new LifeBench().at(1);
  bench.refused(add, { rcx: 8, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(add, { rcx: NOWHERE, rdx: bench.tdr }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
  bench.refused(add, { rcx: bench.tdr, rdx: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  const initialised = new LifeBench().at(3);
  initialised.refused(add, { rcx: initialised.tdr, rdx: initialised.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  initialised.refused(add, { rcx: initialised.page(), rdx: initialised.tdr }, Code.OP_STATE_INCORRECT);
  const full = new LifeBench().at(2);
  for (let i = 6; i < 9; i++) full.ok(add, { rcx: full.page(), rdx: full.tdr });
  full.refused(add, { rcx: 8, rdx: full.tdr }, Code.TDCX_NUM_INCORRECT);
});

test('TDH.MNG.INIT: state of the TD, then TD_PARAMS; what it refuses leaves no trace', () => {
  const init = TdhLeaf.MNG_INIT;
  for (const [stage, code] of [
    [0, Code.TD_KEYS_NOT_CONFIGURED],
    [1, Code.TDCS_NOT_ALLOCATED],
    [3, Code.OP_STATE_INCORRECT],
  ] as const) {
    const bench = new LifeBench().at(stage);
    bench.refused(init, { rcx: bench.tdr, rdx: 8 }, code);
    assert.equal(bench.registers.number(Gpr.RCX), 0);
  }
  const bench = new LifeBench().at(2);
  const params = bench.page();
  bench.refused(init, { rcx: bench.tdr, rdx: params + 512 }, Code.OPERAND_INVALID, OperandId.RDX);
  bench.view.write(params, buildTdParams({ maxVcpus: 0 }));
  bench.refused(init, { rcx: bench.tdr, rdx: params }, Code.OPERAND_INVALID, OperandId.MAX_VCPUS);
  bench.view.write(params, buildTdParams({ maxVcpus: 1 }));
  for (const offset of [20, 42, 236]) {
    bench.view.write8(params + offset, 1);
    bench.refused(init, { rcx: bench.tdr, rdx: params }, Code.OPERAND_INVALID, OperandId.RDX);
    bench.view.write8(params + offset, 0);
  }
  bench.ok(init, { rcx: bench.tdr, rdx: params });
});

test('TDH.VP.CREATE, ADDCX and INIT: pages, states, numbers', () => {
  const bench = new LifeBench().at(3);
  bench.refused(TdhLeaf.VP_CREATE, { rcx: 8, rdx: bench.tdr }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(TdhLeaf.VP_CREATE, { rcx: bench.tdr, rdx: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  const vcpu = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: vcpu, rdx: bench.tdr });
  bench.refused(TdhLeaf.VP_ADDCX, { rcx: vcpu, rdx: vcpu }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
  for (let i = 1; i < 15; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: vcpu });
  bench.refused(TdhLeaf.VP_ADDCX, { rcx: 8, rdx: vcpu }, Code.TDCX_NUM_INCORRECT);
  bench.ok(TdhLeaf.VP_INIT, { rcx: vcpu });
  bench.refused(TdhLeaf.VP_ADDCX, { rcx: 8, rdx: vcpu }, Code.VCPU_STATE_INCORRECT);
  bench.refused(TdhLeaf.VP_INIT, { rcx: vcpu }, Code.VCPU_STATE_INCORRECT);
  const third = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: third, rdx: bench.tdr });
  for (let i = 1; i < 6; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: third });
  bench.refused(TdhLeaf.VP_INIT, { rcx: third }, Code.MAX_VCPUS_EXCEEDED);
});

test('TDH.VP.ENTER: state of the vCPU, then the flags in its handle', () => {
  const bench = new LifeBench().at(4);
  const vcpu = bench.tdvprs[0]!;
  for (const flag of [2 ** 52, 2 ** 53])
    bench.refused(TdhLeaf.VP_ENTER, { rcx: vcpu + flag }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(TdhLeaf.VP_ENTER, { rcx: BigInt(vcpu) + (1n << 54n) }, Code.OPERAND_INVALID, OperandId.RCX);
  assert.equal(bench.enter([exits(ExitReason.TripleFault)]), Code.NON_RECOVERABLE_VCPU);
  bench.refused(TdhLeaf.VP_ENTER, { rcx: vcpu + 2 ** 52 }, Code.VCPU_STATE_INCORRECT);
  bench.ok(TdhLeaf.VP_RD, { rcx: vcpu, rdx: MetadataField.VCPU_STATE_DETAILS });
  bench.refused(TdhLeaf.VP_WR, { rcx: vcpu, rdx: MetadataField.PEND_NMI, r8: 1, r9: 1 }, Code.VCPU_STATE_INCORRECT);
});

test('TDH.MNG.RD, VP.RD and SYS.RD: a field, no field, and from one to the next', () => {
  const bench = new LifeBench();
  bench.create({ maxVcpus: 1 });
  bench.addVcpu();
  const cases = [
    [TdhLeaf.MNG_RD, bench.tdr, MetadataField.ATTRIBUTES, 1],
    [TdhLeaf.VP_RD, bench.tdvprs[0]!, MetadataField.PEND_NMI, 1],
    [TdhLeaf.SYS_RD, 0, MetadataField.TDCS_BASE_SIZE, 0],
  ] as const;
  for (const [leaf, rcx, field, version] of cases) {
    const next = (version << 16) | leaf;
    bench.ok(leaf, { rcx, rdx: field });
    const value = bench.registers.u64[Gpr.R8];
    bench.refused(leaf, { rcx, rdx: NO_FIELD, r8: 7 }, Code.METADATA_FIELD_ID_INCORRECT);
    assert.equal(bench.registers.number(Gpr.R8), 0);
    bench.refused(next, { rcx, rdx: ALL_ONES }, Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);
    const ids: bigint[] = [];
    for (let id = bench.registers.u64[Gpr.RDX]!; id !== ALL_ONES; id = bench.registers.u64[Gpr.RDX]!) {
      assert.ok(ids.push(id) < 20_000, `${tdhLeafName(leaf)} ${id.toString(16)}`);
      bench.callWith(next, { rcx, rdx: id });
      if ((id & 0xff_ffffn) === (field & 0xff_ffffn) && id >> 52n === field >> 52n)
        assert.equal(bench.registers.u64[Gpr.R8], value);
    }
    bench.callWith(next, { rcx, rdx: field });
    assert.ok(ids.length > 0 && ![ALL_ONES, field].includes(bench.registers.u64[Gpr.RDX]!));
    assert.equal(new Set(ids).size, ids.length, `${tdhLeafName(leaf)} tells each field once`);
  }
  assert.equal(bench.call((2 << 16) | TdhLeaf.MNG_RD, { rcx: bench.tdr }), Code.OPERAND_INVALID);
});

test('TDH.MNG.WR and VP.WR: what a host may write, and what it may not', () => {
  const bench = new LifeBench().at(3);
  bench.refused(TdhLeaf.MNG_WR, { rcx: bench.tdr, rdx: NO_FIELD, r8: 1, r9: 1 }, Code.METADATA_FIELD_ID_INCORRECT);
  bench.refused(
    TdhLeaf.MNG_WR,
    { rcx: bench.tdr, rdx: MetadataField.ATTRIBUTES, r8: 0, r9: 1 },
    Code.METADATA_FIELD_NOT_WRITABLE,
  );
  assert.equal(bench.registers.number(Gpr.R8), 0);
  const vcpu = bench.tdvprs[0]!;
  bench.refused(
    TdhLeaf.VP_WR,
    { rcx: vcpu, rdx: MetadataField.PEND_NMI, r8: 1, r9: 0 },
    Code.METADATA_FIELD_NOT_WRITABLE,
  );
  bench.ok(TdhLeaf.VP_WR, { rcx: vcpu, rdx: MetadataField.PEND_NMI, r8: 1, r9: 1 });
  assert.equal(bench.registers.number(Gpr.R8), 0, 'what it was');
  bench.ok(TdhLeaf.VP_RD, { rcx: vcpu, rdx: MetadataField.PEND_NMI });
  assert.equal(bench.registers.number(Gpr.R8), 1);
});

test('TDH.SYS.RDALL fills a page of the host, field by field', () => {
  const bench = new LifeBench();
  bench.start();
  bench.refused(TdhLeaf.SYS_RDALL, { rdx: bench.page() + 8, r8: ALL_ONES }, Code.OPERAND_INVALID, OperandId.RDX);
  assert.equal(bench.registers.u64[Gpr.R8], ALL_ONES);
  const list = bench.page();
  bench.refused(TdhLeaf.SYS_RDALL, { rdx: list, r8: NO_FIELD }, Code.METADATA_FIELD_ID_INCORRECT);
  bench.ok(TdhLeaf.SYS_RDALL, { rdx: list, r8: ALL_ONES });
  assert.equal(bench.registers.u64[Gpr.R8], ALL_ONES, 'all are in');
  assert.ok(bench.view.read16(list) > 64 && bench.view.read16(list + 2) > 1);
});

test('the end of a TD: flushed, written back, key freed, page by page', () => {
  const bench = new LifeBench().at(4);
  const { tdr } = bench;
  bench.refused(TdhLeaf.PHYMEM_CACHE_WB, { rcx: 2 }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(TdhLeaf.PHYMEM_CACHE_WB, { rcx: 0 }, Code.NO_HKID_READY_TO_WBCACHE);
  bench.refused(TdhLeaf.PHYMEM_CACHE_WB, { rcx: 1 }, Code.WBCACHE_RESUME_ERROR);
  bench.refused(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr }, Code.FLUSHVP_NOT_DONE);
  bench.ok(TdhLeaf.MNG_KEY_RECLAIMID, { rcx: 12345 });
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });
  bench.refused(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! }, Code.VCPU_NOT_ASSOCIATED);
  bench.ok(TdhLeaf.VP_RD, { rcx: bench.tdvprs[0]!, rdx: MetadataField.PEND_NMI });
  bench.refused(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr }, Code.FLUSHVP_NOT_DONE); // reading its state took the vCPU
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr });
  bench.refused(TdhLeaf.MNG_VPFLUSHDONE, { rcx: tdr }, Code.LIFECYCLE_STATE_INCORRECT);
  bench.refused(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdr }, Code.LIFECYCLE_STATE_INCORRECT);
  bench.refused(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 }, Code.HKID_NOT_FREE);
  bench.refused(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr }, Code.WBCACHE_NOT_COMPLETE);
  bench.refused(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: tdr + 4096 }, Code.LIFECYCLE_STATE_INCORRECT);
  bench.ok(TdhLeaf.PHYMEM_CACHE_WB);
  bench.ok(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr });
  bench.refused(TdhLeaf.MNG_KEY_FREEID, { rcx: tdr }, Code.LIFECYCLE_STATE_INCORRECT);
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: bench.page(), rdx: 1 });
  bench.refused(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: tdr }, Code.TD_ASSOCIATED_PAGES_EXIST);
  assert.equal(bench.registers.number(Gpr.RCX), 4, 'the type is told all the same');
});

test('a TD whose key was never configured can be ended too', () => {
  const bench = new LifeBench().at(0);
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: bench.tdr });
  bench.ok(TdhLeaf.PHYMEM_CACHE_WB);
  bench.ok(TdhLeaf.MNG_KEY_FREEID, { rcx: bench.tdr });
  bench.ok(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: bench.tdr });
});

test('a large page is reclaimed whole, by its first address', () => {
  const bench = new LifeBench().at(3);
  bench.addTables();
  const large = bench.augment(0x20_0000, 1);
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: bench.tdr });
  bench.ok(TdhLeaf.PHYMEM_CACHE_WB);
  bench.ok(TdhLeaf.MNG_KEY_FREEID, { rcx: bench.tdr });
  bench.refused(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: large + 4096 }, Code.OPERAND_INVALID, OperandId.RCX);
  assert.equal(bench.registers.number(Gpr.R8), 1, 'a page of level 1');
  bench.ok(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: large });
  bench.refused(TdhLeaf.PHYMEM_PAGE_RECLAIM, { rcx: large }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
});

test("TDH.PHYMEM.PAGE.WBINVD takes nobody's pages, under any key id", () => {
  const bench = new LifeBench().at(0);
  const page = bench.page();
  bench.ok(TdhLeaf.PHYMEM_PAGE_WBINVD, { rcx: page });
  bench.ok(TdhLeaf.PHYMEM_PAGE_WBINVD, { rcx: 5 * WITH_KEY + page });
  bench.refused(TdhLeaf.PHYMEM_PAGE_WBINVD, { rcx: page + 8 }, Code.OPERAND_INVALID, OperandId.RCX);
  bench.refused(TdhLeaf.PHYMEM_PAGE_WBINVD, { rcx: NOWHERE }, Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
  bench.refused(TdhLeaf.PHYMEM_PAGE_WBINVD, { rcx: bench.tdr }, Code.PAGE_METADATA_INCORRECT, OperandId.RCX);
});
