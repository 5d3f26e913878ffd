/** TDCALL leaves with several operands: of everything that is wrong, the status names what is looked at first. From the ABI's text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, MetadataField, OperandId, TdAttribute, TdgLeaf } from '../../src/abi/index.ts';
import type { Contention } from '../../src/seam/index.ts';
import { assertOrder, type Fault } from './check-order.ts';
import { ALL_ONES, acceptedPage, call, type GuestRegisters, SHARED_BIT, statusOf } from './guest-calls.ts';
import { Bench } from './scripted-td.ts';

interface Case extends GuestRegisters {
  /** somebody has the lock that the leaf wants */
  readonly busy?: bigint;
}

const invalid = (operand: OperandId) => statusOf(Code.OPERAND_INVALID, operand);
const fault = (what: string, change: Case, status: bigint): Fault<Case> => ({
  what,
  spoil: (registers) => ({ ...registers, ...change }),
  status,
});
const [RCX, RDX, R8] = [invalid(OperandId.RCX), invalid(OperandId.RDX), invalid(OperandId.R8)];
const busy = (operand: OperandId) => fault('busy', { busy: 1n }, statusOf(Code.OPERAND_BUSY, operand));
const ID_INCORRECT = statusOf(Code.METADATA_FIELD_ID_INCORRECT);
const NO_FIELD = 0x1110_0003_0000_0fffn;
const MALFORMED = MetadataField.ATTRIBUTES | (1n << 62n);

/** Leaf, operands that are right, and what can be wrong with them, in the order of the checks. */
const ORDERS: readonly (readonly [leaf: TdgLeaf, good: Case, faults: readonly Fault<Case>[]])[] = [
  [
    TdgLeaf.MR_RTMR_EXTEND,
    { RCX: 0x1000, RDX: 3 },
    [
      fault('a shared page', { RCX: SHARED_BIT + 0x1000 }, RCX),
      fault('no such register', { RDX: 4 }, RDX),
      busy(OperandId.RTMR),
    ],
  ],
  [
    TdgLeaf.MR_REPORT,
    { RCX: 0x1000, RDX: 0x1800, R8: 0 },
    [
      fault('a report at an odd place', { RCX: 0x1200 }, RCX),
      fault('data at an odd place', { RDX: 0x1801 }, RDX),
      fault('another sub-type', { R8: 1 }, R8),
      busy(OperandId.RTMR),
    ],
  ],
  [
    TdgLeaf.MR_REPORT,
    { RCX: 0x1000, RDX: 0x1800, R8: 0 },
    [
      fault('data beyond all addresses', { RDX: 1n << 60n }, RDX),
      fault('another sub-type', { R8: 1n << 63n }, R8),
      busy(OperandId.RTMR),
      fault('a report beyond all addresses', { RCX: 1n << 60n }, RCX),
    ],
  ],
  [
    TdgLeaf.MEM_PAGE_ATTR_WR,
    { RCX: 0x1000, RDX: 0, R8: 0 },
    [
      fault('attributes of the first machine', { RDX: 1 }, RDX),
      fault('flags of the second', { R8: 1 << 16 }, R8),
      fault('no level', { RCX: 0x1003 }, RCX),
    ],
  ],
  [
    TdgLeaf.SYS_RDALL,
    { RDX: 0x1000, R8: ALL_ONES },
    [fault('no page', { RDX: 0x1008 }, RDX), fault('no field', { R8: 5 }, ID_INCORRECT)],
  ],
  [
    TdgLeaf.VM_WR,
    { RCX: 0, RDX: MetadataField.NOTIFY_ENABLES, R8: 1, R9: 1 },
    [
      fault('another TD', { RCX: 1 }, RCX),
      fault('no id', { RDX: MALFORMED }, ID_INCORRECT),
      fault('a field to read', { RDX: MetadataField.ATTRIBUTES }, statusOf(Code.METADATA_FIELD_NOT_WRITABLE)),
      fault('bits that are fixed', { R8: 3, R9: 3 }, statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID)),
    ],
  ],
  ...([TdgLeaf.VM_RD, TdgLeaf.VP_RD] as const).map(
    (leaf) =>
      [
        leaf,
        { RCX: 0, RDX: leaf === TdgLeaf.VM_RD ? MetadataField.ATTRIBUTES : 0xa020_0002_0000_0002n },
        [fault('another one', { RCX: ALL_ONES }, RCX), fault('no field', { RDX: NO_FIELD }, ID_INCORRECT)],
      ] as const,
  ),
];

for (const [leaf, good, faults] of ORDERS)
  test(`TDCALL leaf ${leaf}: ${faults.map(({ what }) => what).join(', ')}`, () => {
    let isBusy = false;
    const contention: Contention = { lockIsBusy: () => isBusy, interruptIsPending: () => false };
    const bench = new Bench(1, { contention });
    bench.build({ params: { attributes: TdAttribute.SEPT_VE_DISABLE } });
    acceptedPage(bench);
    const attempt = ({ busy: wanted, ...registers }: Case) => {
      isBusy = wanted !== undefined;
      const status = call(bench, leaf, registers);
      isBusy = false;
      return status;
    };
    assert.equal(attempt(good), 0n);
    assertOrder(good, faults, attempt);
  });
