/** TDG.MR.VERIFYREPORT, TDG.SERVTD.RD, WR, and the leaves of partitioning for a TD without it; from the ABI's text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, Gpr, MODULE_2_0, TDREPORT_LAYOUT, TdgLeaf, VeCategory } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { ALL_ONES, acceptedPage, call, guest, SHARED_BIT, statusOf } from './guest-calls.ts';
import { Bench, exits } from './scripted-td.ts';

const RCX_INVALID = statusOf(Code.OPERAND_INVALID, 1);

const built = (seed = 1) => {
  const bench = new Bench(seed);
  bench.build();
  return bench;
};

test('TDG.MR.VERIFYREPORT: a report of this platform, and each of its bytes', () => {
  const bench = built(7);
  const hpa = acceptedPage(bench);
  const verify = (rcx: number | bigint) => call(bench, TdgLeaf.MR_VERIFYREPORT, { RCX: rcx });
  assert.equal(verify(0x1080), RCX_INVALID);
  assert.equal(verify(SHARED_BIT + 0x1000), RCX_INVALID);
  assert.equal(verify(1n << 60n), RCX_INVALID);
  assert.equal(verify(0x1000), statusOf(Code.INVALID_REPORTMACSTRUCT), 'zeros');
  assert.equal(call(bench, TdgLeaf.MR_REPORT, { RCX: 0x1000, RDX: 0x1800, R8: 0 }), 0n);
  assert.equal(verify(0x1000), 0n);
  for (let byte = 0; byte < 256; byte += 5) {
    bench.memory.u8[hpa + byte]! ^= 0x40;
    const cpuSvn = byte >= TDREPORT_LAYOUT.cpuSvn && byte < TDREPORT_LAYOUT.cpuSvn + 16;
    assert.equal(verify(0x1000), statusOf(cpuSvn ? Code.INVALID_CPUSVN : Code.INVALID_REPORTMACSTRUCT), `byte ${byte}`);
    bench.memory.u8[hpa + byte]! ^= 0x40;
  }
  const report = bench.memory.u8.slice(hpa, hpa + 256);
  const other = built(8);
  other.memory.u8.set(report, acceptedPage(other));
  assert.equal(call(other, TdgLeaf.MR_VERIFYREPORT, { RCX: 0x1000 }), statusOf(Code.INVALID_REPORTMACSTRUCT));
  call(bench, TdgLeaf.MR_VERIFYREPORT, { RCX: 0x9000 });
  assert.equal(bench.details, ExitReason.EptViolation);
});

test('TDG.VP.ENTER, INVEPT, INVGLA: there is no virtual machine to name', () => {
  const bench = built();
  const enter = (rcx: bigint, rdx: bigint) => call(bench, TdgLeaf.VP_ENTER, { RCX: rcx, RDX: rdx });
  assert.equal(enter(1n << 52n, 0x80n), statusOf(Code.OPERAND_INVALID, 2));
  assert.equal(enter(0n, BigInt(SHARED_BIT)), statusOf(Code.OPERAND_INVALID, 2));
  for (const rcx of [0n, 1n << 52n, 3n << 52n, 4n, 1n << 63n]) assert.equal(enter(rcx, 0x1000n), RCX_INVALID);
  assert.equal(call(bench, TdgLeaf.VP_INVEPT, { RCX: 0 }), 0n);
  for (const rcx of [1n, 2n, 1n << 40n]) assert.equal(call(bench, TdgLeaf.VP_INVEPT, { RCX: rcx }), RCX_INVALID);
  for (const rcx of [0n, 1n, 1n << 52n])
    assert.equal(call(bench, TdgLeaf.VP_INVGLA, { RCX: rcx, RDX: 0 }), RCX_INVALID);
});

test('TDG.VP.CPUIDVE.SET: two bits, no other', () => {
  const bench = built();
  const switches = (rcx: bigint) => call(bench, TdgLeaf.VP_CPUIDVE_SET, { RCX: rcx });
  const VE = [0xa020_0000_0000_0007n, 0xa020_0000_0000_0008n];
  const isSet = (RDX: bigint) => {
    assert.equal(call(bench, TdgLeaf.VP_RD, { RCX: 0, RDX }), 0n);
    return guest(bench, Gpr.R8);
  };
  const set = () => VE.map(isSet);
  assert.equal(switches(2n), 0n);
  for (const rcx of [4n, 7n, 1n << 32n, ALL_ONES]) {
    assert.equal(switches(rcx), RCX_INVALID, rcx.toString(16));
    assert.deepEqual(set(), [0n, 1n], 'as it was');
  }
  assert.equal(switches(1n), 0n);
  assert.deepEqual(set(), [1n, 0n]);
});

/** A handle for slot 0 of the TD at `tdr`, as TDH.SERVTD.BIND would make it for the caller. */
function handleFor(bench: Bench, tdr: number | bigint, slot = 0n): bigint {
  const words = [0n, 1n, 2n, 3n].map((i) => {
    call(bench, TdgLeaf.VM_RD, { RCX: 0, RDX: 0x8010_0003_0000_0020n + i });
    return guest(bench, Gpr.R8);
  });
  return BigInt.asUintN(64, (BigInt(tdr) | slot) + words[0]!);
}

test("TDG.SERVTD.RD, WR: the slot is the guest's mistake, the TD behind the handle the host's", () => {
  const bench = built();
  const cpu = bench.processors[0]!;
  const at = (leaf: number, handle: bigint, uuid: readonly bigint[] = [1n, 2n, 3n, 4n]) => {
    const rip = cpu.rip;
    const [R10, R11, R12, R13] = uuid;
    const status = call(bench, leaf, { RCX: handle, RDX: 5, R8: 6, R10: R10!, R11: R11!, R12: R12!, R13: R13! });
    assert.equal(cpu.rip, rip + 4, 'the guest goes on after its TDCALL');
    return status;
  };
  for (const leaf of [TdgLeaf.SERVTD_RD, TdgLeaf.SERVTD_WR]) {
    assert.equal(at(leaf, handleFor(bench, bench.tdr, 1n)), RCX_INVALID);
    assert.equal(guest(bench, Gpr.R8), 0n);
    assert.equal(guest(bench, Gpr.RDX), leaf === TdgLeaf.SERVTD_RD ? ALL_ONES : 5n);

    const trap = (tdr: number | bigint, code: number, operand: number, uuid?: readonly bigint[]) => {
      const status = at(leaf, handleFor(bench, tdr), uuid);
      assert.equal(status, statusOf(code, operand));
      assert.equal(bench.registers.high(Gpr.RAX), Code.CROSS_TD_TRAP);
      assert.equal(bench.registers.u64[Gpr.RDX], status, 'the host is told the same');
      assert.equal(bench.registers.u64[Gpr.R8], BigInt(tdr));
    };
    trap(2 ** 40, Code.OPERAND_ADDR_RANGE_ERROR, 128);
    trap(bench.tdvprs[0]!, Code.PAGE_METADATA_INCORRECT, 128);
    const self = handleFor(bench, bench.tdr);
    assert.equal(at(leaf, self), statusOf(Code.TARGET_UUID_MISMATCH));
    assert.equal(at(leaf, self, [0n, 0n, 0n, 0n]), statusOf(Code.TARGET_UUID_UPDATED), 'the UUID before an import');
    const uuid = [Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13].map((register) => guest(bench, register));
    trap(bench.tdr, Code.SERVTD_NOT_BOUND, 0, uuid);
  }
});

test('TDG.VP.VEINFO.GET, version 1: the category of a #VE, in module 2.0 alone', () => {
  for (const version of [undefined, MODULE_2_0]) {
    const bench = new Bench(1, version === undefined ? {} : { version });
    bench.build();
    const hlt = () => bench.enter([exits(ExitReason.Hlt, { instructionLength: 1 })]);
    hlt();
    if (version === undefined) {
      assert.equal(call(bench, TdgLeaf.VP_VEINFO_GET, { RCX: 9 }, 1), statusOf(Code.OPERAND_INVALID, 0));
      assert.equal(guest(bench, Gpr.RCX), 9n);
      continue;
    }
    assert.equal(call(bench, TdgLeaf.VP_VEINFO_GET, {}, 1), 0n);
    assert.equal(guest(bench, Gpr.RCX), (BigInt(VeCategory.NON_CONFIG_PARAVIRT) << 32n) | BigInt(ExitReason.Hlt));
    assert.equal(call(bench, TdgLeaf.VP_VEINFO_GET, {}, 1), statusOf(Code.NO_VALID_VE_INFO));
    hlt();
    assert.equal(call(bench, TdgLeaf.VP_VEINFO_GET), 0n);
    assert.equal(guest(bench, Gpr.RCX), BigInt(ExitReason.Hlt), 'version 0 as before');
    assert.equal(call(bench, TdgLeaf.VP_VEINFO_GET, {}, 2), statusOf(Code.OPERAND_INVALID, 0));
  }
});
