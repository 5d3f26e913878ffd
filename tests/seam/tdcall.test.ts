/** TDCALL: what the module answers, and what of a VMCALL crosses. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  CompletionCode as Code,
  ConfigFlag,
  Gpr,
  TDREPORT_LAYOUT,
  TdAttribute,
  TdgLeaf,
  TdhLeaf,
  TEE_TCB_INFO_BYTES,
} from '../../src/abi/index.ts';
import { ExitReason, S } from '../../src/cpu/index.ts';
import { PlatformSecrets } from '../../src/seam/report/platform-secrets.ts';
import { Bench, exits, type ScriptedProcessor, tdcall } from './scripted-td.ts';

const statusOf = (code: number, details: number) => (BigInt(code) << 32n) | BigInt(details);
const RAX_INVALID = statusOf(Code.OPERAND_INVALID, 0);
const RCX_INVALID = statusOf(Code.OPERAND_INVALID, 1);
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const status = (cpu: ScriptedProcessor) => cpu.get(Gpr.RAX);
const SHARED_BIT = 0x8000_0000_0000;

/** Guest memory at 0x1000, accepted; returns its host address. */
function withPage(bench: Bench, gpa = 0x1000): number {
  const hpa = bench.augment(gpa);
  bench.enter([tdcall({ RAX: TdgLeaf.MEM_PAGE_ACCEPT, RCX: gpa })]);
  return hpa;
}

test('RAX: unknown leaves, versions and reserved bits are a status, never a fault', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const wrong = [13n, 254n, 0x1_0001n, 0x2_0007n, 0x0100_0001n, 1n << 32n, 1n << 63n];
  for (const rax of wrong) {
    bench.enter([tdcall({ RAX: rax })]);
    assert.equal(status(cpu), RAX_INVALID, rax.toString(16));
  }
  assert.deepEqual(cpu.injected, []);
  assert.equal(cpu.rip, 0x1000 + 4 * wrong.length);
});

test('outside 64-bit mode TDCALL is #GP(0) and RIP stays', () => {
  const bench = new Bench();
  const cpu = bench.build();
  cpu.state.setLow(S.segmentRights + 4, 0xc09b);
  bench.enter([tdcall({ RAX: 1 })]);
  assert.deepEqual(cpu.injected, [{ vector: 13, type: 3, errorCode: 0 }]);
  assert.equal(cpu.rip, 0x1000);
  assert.equal(status(cpu), 1n);
});

test('TDG.VP.VMCALL: exactly the registers of the mask cross, both ways', () => {
  const bench = new Bench();
  const cpu = bench.build();
  for (let register = 0; register < 16; register++) cpu.set(register as Gpr, 0x1111_0000_0000n * BigInt(register + 1));
  bench.memory.u8.fill(0xee, cpu.state.base + S.vector, cpu.state.base + S.vector + 16 * 32);
  const mask = (1 << Gpr.R10) | (1 << Gpr.R12) | (1 << Gpr.RSI) | (1 << (16 + 3));
  assert.equal(bench.enter([tdcall({ RAX: TdgLeaf.VP_VMCALL, RCX: mask })]), Code.SUCCESS);
  const { registers } = bench;
  assert.equal(bench.details, ExitReason.Tdcall);
  assert.equal(registers.number(Gpr.RCX), mask);
  for (let register = 2 as Gpr; register < 16; register++) {
    const crossed = ((mask >> register) & 1) === 1;
    assert.equal(registers.u64[register], crossed ? cpu.get(register) : 0n, `register ${register}`);
  }
  assert.deepEqual([...registers.xmm.subarray(48, 64)], Array(16).fill(0xee));
  assert.ok([...registers.xmm].every((byte, i) => (i >= 48 && i < 64) || byte === 0));
  assert.equal(cpu.rip, 0x1004, 'trap-like: RIP is past the TDCALL before the exit');

  registers.u64.fill(ALL_ONES);
  registers.xmm.fill(0x77);
  const kept = Array.from({ length: 16 }, (_, register) => cpu.get(register as Gpr));
  registers.setNumber(Gpr.RAX, TdhLeaf.VP_ENTER);
  registers.setNumber(Gpr.RCX, bench.tdvprs[0]!);
  bench.module.hostDoor.seamcall(registers);
  assert.equal(status(cpu), 0n);
  assert.equal(cpu.get(Gpr.RCX), BigInt(mask));
  for (let register = 2 as Gpr; register < 16; register++)
    assert.equal(cpu.get(register), ((mask >> register) & 1) === 1 ? ALL_ONES : kept[register], `register ${register}`);
  const vector = cpu.state.base + S.vector;
  assert.equal(bench.memory.u8[vector + 3 * 32], 0x77);
  assert.equal(bench.memory.u8[vector + 3 * 32 + 16], 0xee, "the upper half of YMM3 is not the host's");
  assert.equal(bench.memory.u8[vector + 4 * 32], 0xee);
  assert.ok(
    registers.u64.every((value, register) => register === Gpr.RAX || value === 0n),
    'scrubbed at the next, asynchronous exit',
  );
  assert.ok(registers.xmm.every((byte) => byte === 0));
});

test('after an asynchronous exit nothing the host leaves in registers reaches the guest', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.enter();
  for (let register = 0; register < 16; register++) cpu.set(register as Gpr, register);
  bench.registers.u64.fill(ALL_ONES);
  bench.registers.setNumber(Gpr.RAX, TdhLeaf.VP_ENTER);
  bench.registers.setNumber(Gpr.RCX, bench.tdvprs[0]!);
  bench.module.hostDoor.seamcall(bench.registers);
  for (let register = 0; register < 16; register++) assert.equal(cpu.get(register as Gpr), BigInt(register));
});

test('TDG.VP.VMCALL refuses masks with RAX, RCX, RSP, upper bits, and RBP where the TD forbids it', () => {
  for (const configFlags of [0n, ConfigFlag.NO_RBP_MOD]) {
    const bench = new Bench();
    const cpu = bench.build({ params: { configFlags } });
    for (const mask of [1n, 2n, 16n, 1n << 32n, 1n << 63n, ...(configFlags === 0n ? [] : [32n])]) {
      bench.enter([tdcall({ RAX: 0, RCX: mask })]);
      assert.equal(bench.details, ExitReason.ExternalInterrupt, 'no TD exit');
      assert.equal(status(cpu), RCX_INVALID, mask.toString(16));
    }
    bench.enter([tdcall({ RAX: 0, RCX: 0x20 })]);
    assert.equal(bench.details, configFlags === 0n ? ExitReason.Tdcall : ExitReason.ExternalInterrupt);
  }
});

test('TDG.VP.INFO', () => {
  const bench = new Bench();
  bench.build({ vcpus: 2, params: { attributes: TdAttribute.SEPT_VE_DISABLE, maxVcpus: 3 } });
  const cpu = bench.processors[1]!;
  bench.enter([tdcall({ RAX: TdgLeaf.VP_INFO, RCX: ALL_ONES, R9: ALL_ONES, R11: ALL_ONES, R12: 5 })], 1);
  assert.deepEqual(
    [Gpr.RAX, Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11, Gpr.R12].map((register) => cpu.get(register)),
    [0n, 48n, TdAttribute.SEPT_VE_DISABLE, (3n << 32n) | 2n, 1n, 1n, 0n, 5n],
  );
});

test('#VE information: valid until read, zeroed outputs without it, #DF while it is unread', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const get = tdcall({ RAX: TdgLeaf.VP_VEINFO_GET, RCX: 9, RDX: 9, R8: 9, R9: 9, R10: 9 });
  bench.enter([get]);
  assert.equal(status(cpu), statusOf(Code.NO_VALID_VE_INFO, 0));
  assert.deepEqual(
    [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10].map((r) => cpu.get(r)),
    [0n, 0n, 0n, 0n, 0n],
  );

  const io = exits(ExitReason.IoInstruction, {
    qualificationLow: 0x3f8_0000,
    instructionLength: 1,
    guestLinearLow: 0x77,
  });
  bench.enter([io]);
  assert.deepEqual(cpu.injected, [{ vector: 20, type: 3, errorCode: undefined }]);
  assert.equal(cpu.state.low(S.rflags) & 0x1_0000, 0x1_0000, 'RF');
  bench.enter([io]);
  assert.deepEqual(cpu.injected[1], { vector: 8, type: 3, errorCode: 0 });
  bench.enter([get]);
  assert.equal(status(cpu), 0n);
  assert.deepEqual(
    [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10].map((r) => cpu.get(r)),
    [30n, 0x3f8_0000n, 0n, 0n, 1n],
  );
  bench.enter([get]);
  assert.equal(status(cpu), statusOf(Code.NO_VALID_VE_INFO, 0));
});

test('the guest address of an EPT-violation #VE is whole', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.sharedEpt.setMmio(0xfec0_0000);
  bench.enter([
    exits(ExitReason.EptViolation, {
      guestPhysical: SHARED_BIT + 0xfec0_0010,
      qualificationLow: 0x182,
      guestLinearLow: 0x1234_5010 | 0,
      guestLinearHigh: -1,
    }),
    tdcall({ RAX: TdgLeaf.VP_VEINFO_GET }),
  ]);
  assert.deepEqual(
    [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9].map((r) => cpu.get(r)),
    [48n, 0x182n, 0xffff_ffff_1234_5010n, 0x8000_fec0_0010n],
  );
});

test('TDG.MR.RTMR.EXTEND hashes; its operands are checked in order', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const hpa = withPage(bench);
  const value = Uint8Array.from({ length: 48 }, (_, i) => i);
  bench.memory.u8.set(value, hpa + 64);
  const extend = (rcx: number | bigint, rdx: number) => {
    bench.enter([tdcall({ RAX: TdgLeaf.MR_RTMR_EXTEND, RCX: rcx, RDX: rdx })]);
    return status(cpu);
  };
  assert.equal(extend(0x1041, 9), RCX_INVALID);
  assert.equal(extend(SHARED_BIT + 0x1040, 0), RCX_INVALID);
  assert.equal(extend(1n << 60n, 0), RCX_INVALID);
  assert.equal(extend(0x1040, 4), statusOf(Code.OPERAND_INVALID, 2));
  assert.equal(extend(0x1040, 2), 0n);
  assert.equal(extend(0x1040, 2), 0n);
  const once = createHash('sha384').update(Buffer.alloc(48)).update(value).digest();
  const twice = createHash('sha384').update(once).update(value).digest('hex');
  const { rtmrs } = bench.module.measurementsOf(bench.tdr);
  assert.equal(Buffer.from(rtmrs[2]!).toString('hex'), twice);
  assert.ok(rtmrs[1]!.every((byte) => byte === 0));
  cpu.set(Gpr.RAX, 0);
  bench.enter([tdcall({ RAX: TdgLeaf.MR_RTMR_EXTEND, RCX: 0x9000, RDX: 0 })]);
  assert.equal(bench.details, ExitReason.EptViolation, 'no page: the host may give it, and the call is made again');
  assert.equal(status(cpu), BigInt(TdgLeaf.MR_RTMR_EXTEND));
});

test('TDG.MR.REPORT: the report of this TD, with hashes and MAC', () => {
  const bench = new Bench(7);
  const mrOwner = new Uint8Array(48).fill(0xc0);
  const cpu = bench.build({ params: { attributes: TdAttribute.SEPT_VE_DISABLE, mrOwner } });
  const hpa = withPage(bench);
  const reportData = Uint8Array.from({ length: 64 }, (_, i) => 255 - i);
  bench.memory.u8.set(reportData, hpa + 0x800);
  const report = (rcx: number, rdx: number, r8 = 0) => {
    bench.enter([tdcall({ RAX: TdgLeaf.MR_REPORT, RCX: rcx, RDX: rdx, R8: r8 })]);
    return status(cpu);
  };
  assert.equal(report(0x1200, 0x1801), RCX_INVALID);
  assert.equal(report(0x1400, 0x1801), statusOf(Code.OPERAND_INVALID, 2));
  assert.equal(report(0x1400, 0x1800, 1), statusOf(Code.OPERAND_INVALID, 8));
  assert.equal(report(0x1400, 0x1800), 0n);
  const bytes = bench.memory.u8.slice(hpa + 0x400, hpa + 0x800);
  const L = TDREPORT_LAYOUT;
  const sha384 = (from: number, length: number) => [
    ...createHash('sha384')
      .update(bytes.subarray(from, from + length))
      .digest(),
  ];
  const part = (from: number, length: number) => [...bytes.subarray(from, from + length)];
  assert.deepEqual(part(0, 4), [0x81, 0, 0, 0]);
  assert.deepEqual(part(L.reportData, 64), [...reportData]);
  assert.deepEqual(part(L.teeTcbInfoHash, 48), sha384(L.teeTcbInfo, TEE_TCB_INFO_BYTES));
  assert.deepEqual(part(L.teeInfoHash, 48), sha384(L.tdInfo, 512));
  assert.deepEqual(part(528, 48), [...bench.module.measurementsOf(bench.tdr).mrtd]);
  assert.deepEqual(part(624, 48), [...mrOwner]);
  assert.equal(bytes[515], 0x10, 'ATTRIBUTES bit 28');
  const key = new PlatformSecrets(7).derive('REPORTMACSTRUCT');
  assert.deepEqual(part(L.mac, 32), [...createHmac('sha256', key).update(bytes.subarray(0, L.mac)).digest()]);
});

test('TDG.VM.RD and WR: by class and code, with masks', () => {
  const bench = new Bench();
  const cpu = bench.build({ params: { attributes: TdAttribute.SEPT_VE_DISABLE } });
  const read = (id: bigint, version = 0, rcx = 0) => {
    bench.enter([tdcall({ RAX: TdgLeaf.VM_RD | (version << 16), RCX: rcx, RDX: id, R8: 9 })]);
    return [status(cpu), cpu.get(Gpr.R8)];
  };
  for (const id of [0x1110_0003_0000_0000n, 0x9110_0000_0000_0000n])
    assert.deepEqual(read(id), [0n, TdAttribute.SEPT_VE_DISABLE]);
  assert.deepEqual(read(0x1110_0003_0000_0016n), [0n, 0n], 'CONFIG_FLAGS, as Linux asks');
  assert.deepEqual(read(0x1110_0003_0000_0000n, 0, 1), [RCX_INVALID, 0n]);
  assert.deepEqual(read(0x1110_0003_0000_00ffn), [statusOf(Code.METADATA_FIELD_ID_INCORRECT, 0), 0n]);
  assert.deepEqual(read(ALL_ONES, 1), [statusOf(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0), 0n]);
  let visited = 0;
  for (let id = cpu.get(Gpr.RDX); id !== ALL_ONES; id = cpu.get(Gpr.RDX)) {
    assert.equal(read(id, 1)[0], 0n, id.toString(16));
    visited++;
  }
  assert.ok(visited > 60, `${visited} fields`);

  const write = (id: bigint, value: bigint, mask: bigint) => {
    bench.enter([tdcall({ RAX: TdgLeaf.VM_WR, RCX: 0, RDX: id, R8: value, R9: mask })]);
    return [status(cpu), cpu.get(Gpr.R8)];
  };
  const NOTIFY_ENABLES = 0x9100_0000_0000_0010n;
  assert.deepEqual(write(NOTIFY_ENABLES, 0n, ALL_ONES), [0n, 0n], 'as Linux writes it');
  assert.deepEqual(write(NOTIFY_ENABLES, 1n, 1n), [0n, 0n]);
  assert.deepEqual(write(NOTIFY_ENABLES, 3n, 3n), [statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID, 0), 0n]);
  assert.deepEqual(write(NOTIFY_ENABLES, 0n, 2n), [statusOf(Code.METADATA_FIELD_NOT_WRITABLE, 0), 0n]);
  assert.deepEqual(read(NOTIFY_ENABLES), [0n, 1n]);
  assert.deepEqual(write(0x1110_0003_0000_0000n, 0n, 1n), [statusOf(Code.METADATA_FIELD_NOT_WRITABLE, 0), 0n]);
  assert.deepEqual(
    write(0x1110_0003_0000_0017n, 0n, 1n)[0],
    statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID, 0),
    'TD_CTLS without FLEXIBLE_PENDING_VE',
  );
});

test('posted vectors arrive in the virtual APIC; the host may ask whether one waits', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const tdvpr = bench.tdvprs[0]!;
  const waiting = () => {
    bench.ok(TdhLeaf.VP_RD, { rcx: tdvpr, rdx: 0x9120_0003_0000_0100n });
    return bench.registers.number(Gpr.R8);
  };
  assert.equal(waiting(), 0);
  for (const vector of [0x31, 0xec, 15, 256]) bench.module.hostDoor.postInterrupt(tdvpr, vector);
  assert.equal(waiting(), 1);
  assert.equal(cpu.apic.pendingVector(), -1, 'not before the entry');
  bench.enter();
  assert.equal(cpu.apic.acknowledge(), 0xec);
  assert.equal(waiting(), 0, 'a lower class waits for the one in service');
  cpu.apic.endOfInterrupt();
  assert.equal(cpu.apic.acknowledge(), 0x31);
  assert.equal(cpu.apic.acknowledge(), -1);
});

test('an NMI waits until the guest has read its #VE', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.enter([exits(ExitReason.Hlt, { instructionLength: 1 })]);
  bench.ok(TdhLeaf.VP_WR, { rcx: bench.tdvprs[0]!, rdx: 0xa020_0000_0000_000bn, r8: 1, r9: 1 });
  bench.enter();
  assert.equal(cpu.injected.length, 1);
  bench.enter([tdcall({ RAX: TdgLeaf.VP_VEINFO_GET })]);
  bench.enter();
  assert.deepEqual(cpu.injected[1], { vector: 2, type: 2, errorCode: undefined });
  bench.enter();
  assert.equal(cpu.injected.length, 2);
});
