/** TDG.MEM.PAGE.ACCEPT and TDG.MEM.PAGE.ATTR.RD, WR, from the ABI's text. What becomes of page states is in memory.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, ExtendedQualification, Gpr, TdgLeaf, TdhLeaf } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { acceptedPage, call, guest, SHARED_BIT, statusOf } from './guest-calls.ts';
import { Bench } from './scripted-td.ts';

const RCX_INVALID = statusOf(Code.OPERAND_INVALID, 1);
const PENDING = 1n << 62n;
const LARGE = 0x20_0000;

const built = () => {
  const bench = new Bench();
  bench.build();
  return bench;
};

/** What the host sees of the exit: reason, qualification, extended qualification, address. */
const exitOf = ({ registers }: Bench) => [
  registers.low(Gpr.RAX),
  registers.number(Gpr.RCX),
  registers.u64[Gpr.RDX],
  registers.number(Gpr.R8),
];

test('TDG.MEM.PAGE.ACCEPT: reserved bits, level, alignment, privacy: all are RCX', () => {
  const bench = built();
  for (const rcx of [0x1008n, 0x1800n, 3n, 2n, 0x1001n, BigInt(SHARED_BIT), 1n << 52n, 1n << 63n])
    assert.equal(call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: rcx }), RCX_INVALID, rcx.toString(16));
  assert.equal(bench.details, ExitReason.ExternalInterrupt, 'no TD exit');
});

test('TDG.MEM.PAGE.ACCEPT: a table where a large page was asked for is a size mismatch, a missing page an exit', () => {
  const bench = built();
  acceptedPage(bench);
  assert.equal(call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: 0x1000 }), statusOf(Code.PAGE_ALREADY_ACCEPTED, 0));
  assert.equal(call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: 1 }), statusOf(Code.PAGE_SIZE_MISMATCH, 1));
  call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: LARGE + 0x3000 });
  const information = 0 | (1 << 3);
  assert.deepEqual(exitOf(bench), [
    ExitReason.EptViolation,
    2,
    (BigInt(information) << 32n) | BigInt(ExtendedQualification.ACCEPT),
    LARGE + 0x3000,
  ]);
});

test('TDG.MEM.PAGE.ATTR.RD: mapped and pending pages, any address in them', () => {
  const bench = built();
  acceptedPage(bench);
  bench.augment(0x2000);
  bench.augment(LARGE, 1);
  const attributes = (rcx: number | bigint) => [
    call(bench, TdgLeaf.MEM_PAGE_ATTR_RD, { RCX: rcx, RDX: 7 }),
    guest(bench, Gpr.RCX),
    guest(bench, Gpr.RDX),
  ];
  assert.deepEqual(attributes(0x1123), [0n, 0x1000n, 0n]);
  assert.deepEqual(attributes(0x2000), [0n, PENDING | 0x2000n, 0n]);
  assert.deepEqual(attributes(LARGE + 0x5678), [0n, PENDING | BigInt(LARGE) | 1n, 0n]);
  for (const rcx of [SHARED_BIT, 1n << 52n, 1n << 62n]) assert.deepEqual(attributes(rcx), [RCX_INVALID, 0n, 0n]);
});

test('TDG.MEM.PAGE.ATTR.RD of what is not there, or blocked, is for the host', () => {
  const bench = built();
  bench.augment(0x2000);
  bench.ok(TdhLeaf.MEM_RANGE_BLOCK, { rcx: 0x2000, rdx: bench.tdr });
  for (const gpa of [0x2345, 0x9000, LARGE * 5]) {
    assert.equal(call(bench, TdgLeaf.MEM_PAGE_ATTR_RD, { RCX: gpa, RDX: 7 }), BigInt(TdgLeaf.MEM_PAGE_ATTR_RD));
    assert.deepEqual(exitOf(bench), [ExitReason.EptViolation, 0, 0n, gpa - (gpa % 4096)]);
    assert.equal(guest(bench, Gpr.RDX), 7n, 'the guest will ask again');
  }
});

test('TDG.MEM.PAGE.ATTR.WR: attributes and flags are reserved by virtual machine, then RCX is looked at', () => {
  const bench = built();
  acceptedPage(bench);
  const attributes = (rcx: number | bigint, rdx: bigint, r8: bigint) => [
    call(bench, TdgLeaf.MEM_PAGE_ATTR_WR, { RCX: rcx, RDX: rdx, R8: r8 }),
    guest(bench, Gpr.RCX),
    guest(bench, Gpr.RDX),
  ];
  const invalid = (operand: number) => [statusOf(Code.OPERAND_INVALID, operand), 0n, 0n];
  assert.deepEqual(attributes(3, 1n, 1n), invalid(2));
  assert.deepEqual(
    attributes(3, 1n << 16n, 1n),
    invalid(8),
    'those of the first machine come before those of the second',
  );
  assert.deepEqual(attributes(3, 1n << 63n, 0n), invalid(2));
  assert.deepEqual(attributes(3, 0n, 1n << 48n), invalid(8));
  for (const rcx of [3n, 0x1008n, 0x1001n, BigInt(SHARED_BIT), 1n << 52n])
    assert.deepEqual(attributes(rcx, 0n, 0n), invalid(1));
  assert.deepEqual(attributes(0x1000, 0n, 0n), [0n, 0x1000n, 0n]);
  assert.deepEqual(attributes(1, 0n, 0n), [statusOf(Code.PAGE_SIZE_MISMATCH, 1), 0n, 0n]);
  assert.deepEqual(attributes(2, 0n, 0n), [statusOf(Code.PAGE_SIZE_MISMATCH, 2), 0n, 0n]);
  bench.augment(LARGE, 1);
  assert.deepEqual(attributes(LARGE + 1, 0n, 0n), [0n, PENDING | BigInt(LARGE + 1), 0n]);
});

test('TDG.MEM.PAGE.ATTR.WR of a page that is larger, or not there, is for the host', () => {
  const bench = built();
  bench.augment(LARGE, 1);
  call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: LARGE + 1 });
  call(bench, TdgLeaf.MEM_PAGE_ATTR_WR, { RCX: LARGE + 0x3000, RDX: 0, R8: 0 });
  const mapped = 0 | (1 << 3) | (4 << 6) | (1 << 14);
  const extended = (information: number) => (BigInt(information) << 32n) | BigInt(ExtendedQualification.ATTR_WR);
  assert.deepEqual(exitOf(bench), [ExitReason.EptViolation, 0x3a, extended(mapped), LARGE + 0x3000]);
  call(bench, TdgLeaf.MEM_PAGE_ATTR_WR, { RCX: 0x9000, RDX: 0, R8: 0 });
  assert.deepEqual(exitOf(bench), [ExitReason.EptViolation, 2, extended(0), 0x9000]);
});
