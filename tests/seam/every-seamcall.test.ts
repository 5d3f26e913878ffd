/** What every SEAMCALL leaf asks of the TD or the vCPU that it names, before anything of its own: a row of the table, a case here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, Gpr, OperandId, TdAttribute, TdhLeaf, tdhLeafName } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { SEAMCALL_ROWS } from '../../src/seam/index.ts';
import type { SeamcallRow } from '../../src/seam/seamcall/row.ts';
import { OpState } from '../../src/seam/structures/td.ts';
import { Bench, exits, type Operands } from './scripted-td.ts';

const NOWHERE = 2 ** 40;
const TDCS_PAGES = 6;
const TDVPS_PAGES = 6;
const MACHINE_CHECK = exits(ExitReason.ExceptionOrNmi, { interruptionInformation: 0x8000_0312 | 0 });

type NamingRow = Exclude<SeamcallRow, { readonly scope: 'system' }>;
const NAMING = SEAMCALL_ROWS.filter((row): row is NamingRow => row.scope !== 'system');

const registerOf = (row: NamingRow) => (row.scope === 'vcpu' ? row.tdvpr : row.tdr);
/** RCX or RDX: all leaves name it in one of them; in the other is something that it may be. */
function naming(row: NamingRow, hpa: number, other = 0): Operands {
  return registerOf(row) === Gpr.RCX ? { rcx: hpa, rdx: other } : { rcx: other, rdx: hpa };
}

function refused(bench: Bench, row: NamingRow, hpa: number, code: number, details = 0, other = 0): void {
  assert.equal(bench.call(row.leaf, naming(row, hpa, other)), code, row.name);
  assert.equal(bench.details, details, row.name);
  for (const register of row.outputs ?? [])
    if (register !== registerOf(row))
      assert.equal(bench.registers.number(register), 0, `${row.name} clears its outputs`);
}

/** A TD whose pages are added and that was never initialised. */
function uninitialised(bench: Bench, keyId: number, pages = TDCS_PAGES): number {
  const tdr = bench.page();
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: tdr, rdx: keyId });
  bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: tdr });
  for (let i = 0; i < pages; i++) bench.ok(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: tdr });
  return tdr;
}

test('before the module is ready, and no address of a page of the right kind', () => {
  const unready = new Bench();
  for (const { leaf, name, ...row } of SEAMCALL_ROWS)
    if (row.scope !== 'system' || row.beforeReady !== true) assert.equal(unready.call(leaf), Code.SYS_NOT_READY, name);
  const bench = new Bench();
  bench.build();
  const [tdr, tdvpr] = [bench.tdr, bench.tdvprs[0]!];
  for (const row of NAMING) {
    const [right, wrong] = row.scope === 'vcpu' ? [tdvpr, tdr] : [tdr, tdvpr];
    const operand = registerOf(row) as OperandId;
    refused(bench, row, right + 8, Code.OPERAND_INVALID, operand);
    refused(bench, row, NOWHERE, Code.OPERAND_ADDR_RANGE_ERROR, operand);
    refused(bench, row, wrong, Code.PAGE_METADATA_INCORRECT, operand);
    refused(bench, row, bench.memory.ramBase + 0x40_0000, Code.PAGE_METADATA_INCORRECT, operand);
  }
});

test('a TD that is lost, without keys, without pages, in another state: in that order', () => {
  const bench = new Bench();
  bench.create();
  bench.addVcpu();
  const initialised = bench.tdr;
  bench.create({}, 2);
  bench.addVcpu();
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  const runnable = bench.tdr;
  const bare = uninitialised(bench, 3);
  const few = uninitialised(bench, 4, TDCS_PAGES - 1);
  const byState = [bare, initialised, runnable];
  for (const row of NAMING) {
    if (row.scope === 'key' || row.scope === 'vcpu') continue;
    refused(bench, row, few, Code.TDCS_NOT_ALLOCATED);
    if (row.scope === 'td')
      for (const state of Object.values(OpState))
        if (!row.states.includes(state)) refused(bench, row, byState[state]!, Code.OP_STATE_INCORRECT);
  }
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: few });
  for (const row of NAMING)
    if (row.scope === 'td' || row.scope === 'build') refused(bench, row, few, Code.TD_KEYS_NOT_CONFIGURED);
  bench.enter64BitMode();
  bench.enter([MACHINE_CHECK], 1);
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[1]! });
  for (const keyless of [false, true]) {
    for (const row of NAMING)
      if (row.scope === 'td' || row.scope === 'build') refused(bench, row, runnable, Code.TD_FATAL);
    assert.equal(bench.call(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: runnable }), Code.TD_FATAL);
    assert.equal(bench.call(TdhLeaf.MNG_KEY_CONFIG, { rcx: runnable }), Code.TD_FATAL);
    if (!keyless) bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: runnable });
  }
});

test('a vCPU of a TD that is lost, without keys, in another state; with too few pages', () => {
  const bench = new Bench();
  bench.create();
  const fewPages = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: fewPages, rdx: bench.tdr });
  for (let i = 0; i < TDVPS_PAGES - 2; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: fewPages });
  const rows = NAMING.filter((row) => row.scope === 'vcpu');
  const inState = (state: OpState) => {
    for (const row of rows) {
      if (!row.states.includes(state)) refused(bench, row, fewPages, Code.OP_STATE_INCORRECT);
      else if (row.incomplete !== true) refused(bench, row, fewPages, Code.TDCX_NUM_INCORRECT);
    }
  };
  inState(OpState.INITIALIZED);
  bench.addVcpu();
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  inState(OpState.RUNNABLE);
  bench.enter64BitMode();
  bench.enter([MACHINE_CHECK]);
  for (const row of rows) if (row.whenFatal !== true) refused(bench, row, fewPages, Code.TD_FATAL);
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });

  const other = new Bench();
  other.create();
  other.addVcpu();
  other.ok(TdhLeaf.VP_FLUSH, { rcx: other.tdvprs[0]! });
  other.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: other.tdr });
  for (const row of rows) refused(other, row, other.tdvprs[0]!, Code.TD_KEYS_NOT_CONFIGURED);
});

test('other pages that a leaf names: no address, or nowhere', () => {
  const bench = new Bench();
  bench.create();
  const { tdr } = bench;
  const tdvpr = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: tdvpr, rdx: tdr });
  bench.addTables();
  bench.augment(0x1000);
  bench.augment(0x20_0000, 1);
  const cases: readonly (readonly [TdhLeaf, Operands, 'rcx' | 'rdx' | 'r8' | 'r9'])[] = [
    [TdhLeaf.MEM_PAGE_ADD, { rcx: 0, rdx: tdr, r8: bench.page() }, 'r9'],
    [TdhLeaf.MEM_PAGE_ADD, { rcx: 0, rdx: tdr, r9: bench.page() }, 'r8'],
    [TdhLeaf.MEM_PAGE_AUG, { rcx: 0, rdx: tdr }, 'r8'],
    [TdhLeaf.MEM_PAGE_DEMOTE, { rcx: 0x20_0001, rdx: tdr }, 'r8'],
    [TdhLeaf.MEM_PAGE_RELOCATE, { rcx: 0x1000, rdx: tdr }, 'r8'],
    [TdhLeaf.MEM_SEPT_ADD, { rcx: 0x4000_0002, rdx: tdr }, 'r8'],
    [TdhLeaf.VP_CREATE, { rdx: tdr }, 'rcx'],
    [TdhLeaf.VP_ADDCX, { rdx: tdvpr }, 'rcx'],
    [TdhLeaf.PHYMEM_PAGE_RECLAIM, {}, 'rcx'],
    [TdhLeaf.PHYMEM_PAGE_RDMD, {}, 'rcx'],
    [TdhLeaf.SYS_RDALL, { r8: -1n }, 'rdx'],
    [TdhLeaf.SYS_INFO, { rdx: 1024, r8: bench.page(), r9: 32 }, 'rcx'],
    [TdhLeaf.SYS_INFO, { rcx: bench.page(), rdx: 1024, r9: 32 }, 'r8'],
  ];
  for (const [leaf, operands, register] of cases) {
    const operand = OperandId[register.toUpperCase() as keyof typeof OperandId];
    for (const [hpa, code] of [
      [NOWHERE + 8, Code.OPERAND_INVALID],
      [NOWHERE, Code.OPERAND_ADDR_RANGE_ERROR],
    ] as const) {
      assert.equal(bench.call(leaf, { ...operands, [register]: hpa }), code, `${tdhLeafName(leaf)} ${register}`);
      assert.equal(bench.details, operand, tdhLeafName(leaf));
    }
  }
  assert.equal(bench.call(TdhLeaf.MEM_SEPT_ADD, { rcx: 2 ** 40 + 1, rdx: tdr, r8: NOWHERE }), Code.EPT_WALK_FAILED);

  const unbuilt = uninitialised(bench, 2);
  assert.equal(bench.call(TdhLeaf.MNG_INIT, { rcx: unbuilt, rdx: NOWHERE }), Code.OPERAND_ADDR_RANGE_ERROR);
  const unready = new Bench();
  unready.ok(TdhLeaf.SYS_INIT);
  unready.ok(TdhLeaf.SYS_LP_INIT);
  assert.equal(unready.call(TdhLeaf.SYS_CONFIG, { rcx: NOWHERE, rdx: 1, r8: 63 }), Code.OPERAND_ADDR_RANGE_ERROR);
});

test('fields of a vCPU that is not initialised, or that a host may not write so', () => {
  const HP_LOCK_TIMEOUT = 0x9110_0003_0000_0011n;
  const DR6 = 0x1120_0003_0000_0006n;
  const bench = new Bench();
  bench.create({ attributes: TdAttribute.DEBUG });
  const tdvpr = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: tdvpr, rdx: bench.tdr });
  for (let i = 0; i < TDVPS_PAGES - 1; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: tdvpr });
  for (const leaf of [TdhLeaf.VP_RD, TdhLeaf.VP_WR])
    assert.equal(bench.call(leaf, { rcx: tdvpr, rdx: -1n }), Code.VCPU_STATE_INCORRECT);
  bench.ok(TdhLeaf.VP_INIT, { rcx: tdvpr });
  const write = (rdx: bigint, r8: bigint, r9: bigint) => bench.call(TdhLeaf.VP_WR, { rcx: tdvpr, rdx, r8, r9 });
  assert.equal(write(DR6 | (1n << 34n), 1n, 1n), Code.METADATA_FIELD_ID_INCORRECT);
  assert.equal(write(DR6, 1n << 32n, 3n << 31n), Code.METADATA_FIELD_VALUE_NOT_VALID);
  const timeout = (r8: bigint, r9: bigint) =>
    bench.call(TdhLeaf.MNG_WR, { rcx: bench.tdr, rdx: HP_LOCK_TIMEOUT, r8, r9 });
  assert.equal(timeout(9_999n, -1n), Code.METADATA_FIELD_VALUE_NOT_VALID);
  assert.equal(timeout(9_999n, 0xffffn), Code.METADATA_WR_MASK_NOT_VALID);
  assert.equal(timeout(10_000n, -1n), Code.SUCCESS);
});
