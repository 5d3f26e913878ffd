/** TDG.VM.RD, VM.WR, VP.RD, VP.WR, SYS.RD, SYS.RDALL, from the ABI's text: order of checks, outputs, iteration, masks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, ConfigFlag, Gpr, TdAttribute, TdgLeaf } from '../../src/abi/index.ts';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { ALL_ONES, acceptedPage, call, guest, SHARED_BIT, statusOf } from './guest-calls.ts';
import { Bench, exits } from './scripted-td.ts';

const RCX_INVALID = statusOf(Code.OPERAND_INVALID, 1);
const ID_INCORRECT = statusOf(Code.METADATA_FIELD_ID_INCORRECT);
const FIRST = statusOf(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);

const ATTRIBUTES = 0x1110_0003_0000_0000n;
const TD_CTLS = 0x1110_0003_0000_0017n;
const VCPU_INDEX = 0xa020_0002_0000_0002n;
const CPUID_SUPERVISOR_VE = 0xa020_0000_0000_0007n;
const CPUID_CONTROL = 0xa120_0000_0000_0000n;
const L2_CTLS = 0xa020_0003_0000_0050n;
const TSC_DEADLINE = 0xa020_0003_0000_0058n;
const TDX_FEATURES0 = 0x0a00_0003_0000_0008n;

const built = (params = {}) => {
  const bench = new Bench();
  bench.build({ params });
  return bench;
};

/** RAX, RDX, R8 after a leaf that reads. */
const read = (bench: Bench, leaf: number, id: bigint, version = 0, rcx = 0n) => [
  call(bench, leaf, { RCX: rcx, RDX: id, R8: 9 }, version),
  guest(bench, Gpr.RDX),
  guest(bench, Gpr.R8),
];
/** RAX, R8 after a leaf that writes. */
const write = (bench: Bench, leaf: number, id: bigint, value: bigint, mask: bigint, rcx = 0n) => [
  call(bench, leaf, { RCX: rcx, RDX: id, R8: value, R9: mask }),
  guest(bench, Gpr.R8),
];

/** Every id that iteration gives, from all ones to all ones; each must be readable. */
function iterate(bench: Bench, leaf: number, version = 0): bigint[] {
  assert.equal(read(bench, leaf, ALL_ONES, version)[0], FIRST);
  const ids: bigint[] = [];
  for (let id = guest(bench, Gpr.RDX); id !== ALL_ONES; id = guest(bench, Gpr.RDX)) {
    ids.push(id);
    assert.equal(read(bench, leaf, id, version)[0], 0n, id.toString(16));
  }
  return ids;
}

test('TDG.VM.RD: R8 is 0 on every error, RDX is an output of version 1 alone', () => {
  const bench = built({ attributes: TdAttribute.SEPT_VE_DISABLE });
  const leaf = TdgLeaf.VM_RD;
  assert.deepEqual(read(bench, leaf, ATTRIBUTES, 0, 1n << 63n), [RCX_INVALID, ATTRIBUTES, 0n]);
  assert.deepEqual(read(bench, leaf, ATTRIBUTES, 1, 1n), [RCX_INVALID, ALL_ONES, 0n]);
  assert.deepEqual(read(bench, leaf, ALL_ONES), [ID_INCORRECT, ALL_ONES, 0n], 'version 0 does not iterate');
  assert.deepEqual(read(bench, leaf, ATTRIBUTES | (1n << 34n), 1), [ID_INCORRECT, ALL_ONES, 0n], 'last element');
  assert.deepEqual(read(bench, leaf, 0x1310_0003_0000_0100n, 1), [ID_INCORRECT, ALL_ONES, 0n]);
  assert.deepEqual(
    read(bench, leaf, 0x8110_0001_0000_0001n, 1),
    [statusOf(Code.METADATA_FIELD_NOT_READABLE), ALL_ONES, 0n],
    'HKID is not for guests',
  );
  assert.deepEqual(read(bench, leaf, ATTRIBUTES), [0n, ATTRIBUTES, TdAttribute.SEPT_VE_DISABLE]);
  assert.deepEqual(read(bench, leaf, ATTRIBUTES, 1), [0n, 0x1110_0003_0000_0001n, TdAttribute.SEPT_VE_DISABLE]);
  assert.equal(read(bench, leaf, ATTRIBUTES, 2)[0], statusOf(Code.OPERAND_INVALID, 0));
});

test('TDG.VM.RD, version 1: all that a guest may read, in ascending order, once', () => {
  const ids = iterate(built(), TdgLeaf.VM_RD, 1);
  const codes = ids.map((id) => (((id >> 56n) & 0x3fn) << 24n) | (id & 0xff_ffffn));
  assert.deepEqual(
    codes,
    [...codes].sort((a, b) => (a < b ? -1 : 1)),
  );
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(ids[0], 0x8010_0003_0000_0020n, 'TD_UUID');
  const words = 4 + 2 + 5 + 3 + 4 * 6 + 4 * 6 + 4 + 6 + 1 + 16;
  assert.equal(ids.length, words, 'UUID, counts, controls, measurements, PRE_IMPORT_UUID, SERVTD_*');
});

test('TDG.VM.RD: what Linux, OpenHCL and td-shim ask for', () => {
  const bench = built({ configFlags: ConfigFlag.FLEXIBLE_PENDING_VE, attributes: TdAttribute.SEPT_VE_DISABLE });
  const value = (id: bigint) => read(bench, TdgLeaf.VM_RD, id)[2];
  assert.equal(value(0x1110_0003_0000_0016n), ConfigFlag.FLEXIBLE_PENDING_VE, 'CONFIG_FLAGS, Linux');
  assert.equal(value(0x9110_0003_0000_0016n), ConfigFlag.FLEXIBLE_PENDING_VE, 'CONFIG_FLAGS, OpenHCL');
  assert.equal(value(TD_CTLS), 1n, 'pending #VE starts as SEPT_VE_DISABLE says');
  assert.equal(value(0x9010_0002_0000_0001n), 1n, 'NUM_VCPUS');
  assert.equal(value(0x1110_0000_0000_0003n), 0n, 'GPAW');
  assert.equal(value(0x1110_0001_0000_000cn), 40n, 'TSC_FREQUENCY');
});

test('TDG.VM.WR: TD_CTLS may change only where the TD is flexible; nothing changes on an error', () => {
  const rigid = built();
  assert.deepEqual(write(rigid, TdgLeaf.VM_WR, TD_CTLS, 1n, 1n), [statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID), 0n]);
  assert.deepEqual(write(rigid, TdgLeaf.VM_WR, TD_CTLS, 0n, 1n), [0n, 0n], 'as it is');
  const bench = built({ configFlags: ConfigFlag.FLEXIBLE_PENDING_VE });
  assert.deepEqual(write(bench, TdgLeaf.VM_WR, TD_CTLS, 1n, 1n, 1n), [RCX_INVALID, 0n]);
  assert.deepEqual(write(bench, TdgLeaf.VM_WR, ALL_ONES, 1n, 1n), [ID_INCORRECT, 0n]);
  assert.equal(read(bench, TdgLeaf.VM_RD, TD_CTLS)[2], 0n);
  assert.deepEqual(write(bench, TdgLeaf.VM_WR, TD_CTLS, 1n, ALL_ONES), [0n, 0n]);
  assert.deepEqual(write(bench, TdgLeaf.VM_WR, TD_CTLS, 0n, 1n), [0n, 1n], 'R8 is the value before');
  assert.equal(call(bench, TdgLeaf.VM_WR, { RDX: TD_CTLS }, 1), statusOf(Code.OPERAND_INVALID, 0), 'no version 1');
});

test('TDG.VP.RD: the calling vCPU, iteration without partitioning', () => {
  const bench = built();
  const leaf = TdgLeaf.VP_RD;
  assert.deepEqual(read(bench, leaf, VCPU_INDEX, 0, 1n), [RCX_INVALID, ALL_ONES, 0n]);
  assert.deepEqual(read(bench, leaf, VCPU_INDEX | (1n << 62n)), [ID_INCORRECT, ALL_ONES, 0n]);
  assert.deepEqual(read(bench, leaf, 0x2520_0003_0000_0000n), [ID_INCORRECT, ALL_ONES, 0n], 'MSR bitmaps of an L2');
  assert.deepEqual(
    read(bench, leaf, 0x1020_0003_0000_0000n),
    [statusOf(Code.METADATA_FIELD_NOT_READABLE), ALL_ONES, 0n],
    'its own RAX is not metadata for it',
  );
  assert.deepEqual(read(bench, leaf, VCPU_INDEX), [0n, CPUID_SUPERVISOR_VE, 0n]);
  const ids = iterate(bench, leaf);
  assert.equal(ids.length, 3 + 4 + 4 + 128, 'index, two #VE switches, L2_CTLS, TSC_DEADLINE, CPUID_CONTROL');
  assert.deepEqual(ids.slice(0, 4), [VCPU_INDEX, CPUID_SUPERVISOR_VE, CPUID_SUPERVISOR_VE + 1n, L2_CTLS]);
});

test('TDG.VP.RD of the second vCPU is about the second vCPU', () => {
  const bench = new Bench();
  bench.build({ vcpus: 2 });
  const cpu = bench.processors[1]!;
  cpu.set(Gpr.RAX, TdgLeaf.VP_RD);
  cpu.set(Gpr.RCX, 0);
  cpu.set(Gpr.RDX, VCPU_INDEX);
  bench.enter([exits(ExitReason.Tdcall, { instructionLength: 4 })], 1);
  assert.deepEqual([cpu.get(Gpr.RAX), cpu.get(Gpr.R8)], [0n, 1n]);
});

test('TDG.VP.WR: masks; a TD without partitioning stores what is for L2 virtual machines', () => {
  const bench = built();
  const set = (id: bigint, value: bigint, mask: bigint) => write(bench, TdgLeaf.VP_WR, id, value, mask);
  assert.deepEqual(write(bench, TdgLeaf.VP_WR, L2_CTLS, 1n, 1n, 2n), [RCX_INVALID, 0n]);
  assert.deepEqual(set(VCPU_INDEX, 1n, ALL_ONES), [statusOf(Code.METADATA_FIELD_NOT_WRITABLE), 0n]);
  assert.deepEqual(set(L2_CTLS + 0x10n, 1n, 1n), [ID_INCORRECT, 0n]);
  assert.deepEqual(set(L2_CTLS + 1n, 8n, 9n), [statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID), 0n], 'bit 3 is reserved');
  assert.deepEqual(set(L2_CTLS + 1n, 5n, ALL_ONES), [0n, 0n]);
  assert.deepEqual(set(L2_CTLS + 1n, 0n, 1n), [0n, 5n]);
  assert.equal(read(bench, TdgLeaf.VP_RD, L2_CTLS + 1n)[2], 4n);
  assert.deepEqual(set(TSC_DEADLINE + 3n, 77n, ALL_ONES), [0n, ALL_ONES], 'no deadline before');
  assert.deepEqual(set(CPUID_CONTROL + 5n, 4n, 4n), [statusOf(Code.METADATA_FIELD_NOT_WRITABLE), 0n]);
  assert.deepEqual(set(CPUID_CONTROL + 5n, 3n, 3n), [0n, 0n]);
});

test('CPUID_SUPERVISOR_VE is TDG.VP.CPUIDVE.SET by another name', () => {
  const bench = built();
  const cpu = bench.processors[0]!;
  assert.deepEqual(write(bench, TdgLeaf.VP_WR, CPUID_SUPERVISOR_VE, 1n, 0xffn), [0n, 0n]);
  cpu.set(Gpr.RAX, 0);
  bench.enter([exits(ExitReason.Cpuid, { instructionLength: 2 })]);
  assert.equal(cpu.injected.length, 1);
  call(bench, TdgLeaf.VP_CPUIDVE_SET, { RCX: 2 });
  assert.equal(read(bench, TdgLeaf.VP_RD, CPUID_SUPERVISOR_VE)[2], 0n);
  assert.equal(read(bench, TdgLeaf.VP_RD, CPUID_SUPERVISOR_VE + 1n)[2], 1n);
});

test('TDG.SYS.RD: RCX does not matter; what a host alone may know is not readable', () => {
  const bench = built();
  const leaf = TdgLeaf.SYS_RD;
  assert.deepEqual(read(bench, leaf, 0x0800_0001_0000_0004n, 0, 7n), [0n, 0x0a00_0002_0000_0000n, 1n], 'MAJOR_VERSION');
  assert.deepEqual(read(bench, leaf, 0x8800_0002_0000_0001n), [
    statusOf(Code.METADATA_FIELD_NOT_READABLE),
    ALL_ONES,
    0n,
  ]);
  assert.deepEqual(read(bench, leaf, 0x0a00_0003_0000_0009n), [ID_INCORRECT, ALL_ONES, 0n]);
  const features = read(bench, leaf, TDX_FEATURES0)[2]!;
  assert.equal((features >> 18n) & 1n, 1n, 'NO_RBP_MOD');
  assert.equal((features >> 7n) & 1n, 0n, 'no partitioning');
  assert.equal(iterate(bench, leaf).length, 12);
});

test('TDG.SYS.RDALL: alignment, privacy, then the list; R8 is all ones on every error', () => {
  const bench = built();
  const hpa = acceptedPage(bench);
  const all = (rdx: number | bigint, r8: bigint) => [
    call(bench, TdgLeaf.SYS_RDALL, { RDX: rdx, R8: r8 }),
    guest(bench, Gpr.R8),
  ];
  const RDX_INVALID = statusOf(Code.OPERAND_INVALID, 2);
  assert.deepEqual(all(0x1800, 5n), [RDX_INVALID, ALL_ONES]);
  assert.deepEqual(all(SHARED_BIT + 0x1000, 5n), [RDX_INVALID, ALL_ONES]);
  assert.deepEqual(all(1n << 52n, 5n), [RDX_INVALID, ALL_ONES]);
  assert.deepEqual(all(0x1000, 5n), [ID_INCORRECT, ALL_ONES]);
  assert.deepEqual(all(0x1000, 0x0800_0003_0000_0003n), [ID_INCORRECT, ALL_ONES], 'a list wants the size of the field');
  assert.deepEqual(all(0x1000, ALL_ONES), [0n, ALL_ONES]);
  const list = new DataView(bench.memory.u8.buffer, hpa, 4096);
  const bytes = list.getUint16(0, true);
  assert.equal(list.getUint16(2, true), 8, 'sequences');
  const found = new Map<bigint, bigint>();
  for (let at = 8; at < bytes; ) {
    const header = list.getBigUint64(at, true);
    at += 8;
    const fields = Number((header >> 38n) & 0x1ffn) + 1;
    for (let field = 0; field < fields; field++, at += 8)
      found.set((header & ~(0x1fffn << 34n)) + BigInt(field), list.getBigUint64(at, true));
  }
  assert.equal(found.size, 12);
  assert.equal(found.get(0x0800_0001_0000_0003n), 5n, 'MINOR_VERSION');
  assert.equal(found.get(0x0800_0001_0000_0004n), 1n, 'MAJOR_VERSION, of the same sequence');
  for (const [id, value] of found) assert.deepEqual(read(bench, TdgLeaf.SYS_RD, id)[2], value, id.toString(16));

  assert.deepEqual(all(0x1000, TDX_FEATURES0), [0n, ALL_ONES]);
  assert.equal(list.getBigUint64(8, true) & ~(0x1fffn << 34n), TDX_FEATURES0, 'from there on');
  call(bench, TdgLeaf.SYS_RDALL, { RDX: 0x9000, R8: ALL_ONES });
  assert.equal(bench.details, ExitReason.EptViolation, 'no page there: the TD exits, and the call is made again');
  assert.equal(bench.processors[0]!.state.low(S.gpr), TdgLeaf.SYS_RDALL);
});
