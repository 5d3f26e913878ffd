/** MSR virtualization as rows: every register of both modules, and what REDUCE_VE makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CompletionCode as Code,
  Gpr,
  MODULE_1_5,
  MODULE_2_0,
  MODULE_VERSIONS,
  type ModuleVersion,
  TdAttribute,
  TdControl,
  TdgLeaf,
} from '../../src/abi/index.ts';
import { MSR_ROWS, SPR_PROFILE } from '../../src/seam/index.ts';
import { cpuid, rdmsr, wrmsr } from './guest-asks.ts';
import { Bench, type ScriptedProcessor, type TdSetup, tdcall } from './scripted-td.ts';

const TD_CTLS = 0x9110_0003_0000_0017n;
const FEATURE_PARAVIRT_CTLS = 0x9110_0003_0000_0022n;
const MCA_BIT = 1n << 3n;
const TSC_DEADLINE_BIT = 1n << 11n;

function guest(version: ModuleVersion, setup: TdSetup = {}): { bench: Bench; cpu: ScriptedProcessor } {
  const bench = new Bench(1, { version, cpuProfile: SPR_PROFILE });
  return { bench, cpu: bench.build(setup) };
}

/** TDG.VM.WR; the completion code. */
function writeField(bench: Bench, cpu: ScriptedProcessor, id: bigint, value: bigint, mask = value): number {
  bench.enter([tdcall({ RAX: TdgLeaf.VM_WR, RCX: 0, RDX: id, R8: value, R9: mask })]);
  return Number(cpu.get(Gpr.RAX) >> 32n);
}

/** Everything of leaf 1 and 0x1F that module 2.0 lets a host choose and this profile has. */
const chosen = (version: ModuleVersion, bits: Partial<{ ecx: number; edx: number }>) => ({
  cpuidConfig: Array.from({ length: 48 }, (_, i) => {
    const none = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    if (i === 0) return { ...none, ...bits };
    if (version === MODULE_2_0 && i === 12) return { ...none, ebx: 1, ecx: 0x100 };
    if (version === MODULE_2_0 && i === 13) return { ...none, ebx: 1, ecx: 0x201 };
    return none;
  }),
});

test('every register of a row does what the row says, read and written', () => {
  for (const version of MODULE_VERSIONS) {
    const { bench, cpu } = guest(version);
    const native = { read: cpu.controls.nativeMsrReads, write: cpu.controls.nativeMsrWrites };
    const expected = (answer: string): string | undefined =>
      answer.startsWith('native if') || answer === '#GP'
        ? '#GP'
        : answer.startsWith('#VE if')
          ? ['#VE if MCA', '#VE if MTRR', '#VE if CORE_CAPABILITIES'].includes(answer)
            ? '#VE'
            : '#GP'
          : answer.startsWith('#VE')
            ? '#VE'
            : undefined;
    for (const { first, last, name, modules, read, write } of MSR_ROWS) {
      if (!modules.includes(version)) continue;
      for (const msr of new Set([first, last])) {
        assert.equal(native.read.has(msr), read === 'native', `${name} read`);
        assert.equal(native.write.has(msr), write === 'native', `${name} write`);
        if (expected(read) !== undefined) assert.equal(rdmsr(cpu, bench, msr), expected(read), `RDMSR ${name}`);
        if (expected(write) !== undefined) assert.equal(wrmsr(cpu, bench, msr, 0n), expected(write), `WRMSR ${name}`);
      }
    }
  }
});

test('any register without a row is #VE; with REDUCE_VE it is #GP where the bitmaps reach', () => {
  const reduced = guest(MODULE_2_0, { params: chosen(MODULE_2_0, {}) });
  assert.equal(writeField(reduced.bench, reduced.cpu, TD_CTLS, TdControl.REDUCE_VE), Code.SUCCESS);
  const plain = MODULE_VERSIONS.map((version) => ({ version, ...guest(version) }));
  const hasRow = (version: ModuleVersion, msr: number) =>
    MSR_ROWS.some(({ first, last, modules }) => modules.includes(version) && msr >= first && msr <= last);
  const number = fc.oneof(fc.nat(0x2000), fc.integer({ min: 0xbfff_ff00, max: 0xc000_2000 }), fc.nat(0xffff_ffff));
  fc.assert(
    fc.property(number, (msr) => {
      for (const { version, bench, cpu } of plain)
        if (!hasRow(version, msr)) {
          assert.equal(rdmsr(cpu, bench, msr), '#VE');
          assert.equal(wrmsr(cpu, bench, msr, 0n), '#VE');
        }
      if (hasRow(MODULE_2_0, msr)) return;
      const inBitmap = msr < 0x2000 || (msr >= 0xc000_0000 && msr < 0xc000_2000);
      assert.equal(rdmsr(reduced.cpu, reduced.bench, msr), inBitmap ? '#GP' : '#VE');
    }),
    { numRuns: 300 },
  );
});

test('registers are native where the feature is on', () => {
  const { cpu } = guest(MODULE_1_5, { params: { attributes: TdAttribute.PERFMON } });
  for (const msr of [0xc1, 0x186, 0x309, 0x38f]) assert.ok(cpu.controls.nativeMsrReads.has(msr), msr.toString(16));
  assert.ok(cpu.controls.nativeMsrWrites.has(0x345));
  assert.ok(!guest(MODULE_1_5).cpu.controls.nativeMsrReads.has(0xc1));
});

test('REDUCE_VE: what the TD did not ask for is #GP or a constant, CPUID agrees', () => {
  const everything = chosen(MODULE_2_0, { ecx: 1 << 24, edx: 0x5080 });
  const { bench, cpu } = guest(MODULE_2_0, { params: everything });
  const leaf1 = () => cpuid(cpu, bench, 1) as number[];
  const MCE_MTRR_MCA = (1 << 7) | (1 << 12) | (1 << 14);
  assert.equal(leaf1()[3]! & MCE_MTRR_MCA, MCE_MTRR_MCA);
  assert.equal(rdmsr(cpu, bench, 0x3a), '#VE');
  assert.equal(rdmsr(cpu, bench, 0x179), '#VE');
  assert.equal(rdmsr(cpu, bench, 0x6e0), '#VE');
  assert.equal(cpuid(cpu, bench, 2), '#VE');
  assert.equal(cpuid(cpu, bench, 0xb), '#VE');

  assert.equal(writeField(bench, cpu, TD_CTLS, TdControl.REDUCE_VE), Code.SUCCESS);
  assert.equal(leaf1()[3]! & MCE_MTRR_MCA, 0);
  assert.equal(leaf1()[2]! & (1 << 24), 0);
  assert.equal(rdmsr(cpu, bench, 0x179), '#GP');
  assert.equal(rdmsr(cpu, bench, 0x6e0), '#GP');
  assert.equal(rdmsr(cpu, bench, 0x3a), 1n);
  assert.equal(rdmsr(cpu, bench, 0x8b), 0xffff_ffffn);
  assert.equal(rdmsr(cpu, bench, 0xce), 0n);
  assert.equal(wrmsr(cpu, bench, 0x79, 7n), undefined, 'a microcode update is ignored');
  assert.equal(wrmsr(cpu, bench, 0x140, 1n), '#GP');
  assert.equal(wrmsr(cpu, bench, 0x34, 0x1_0000_0005n), undefined);
  assert.equal(rdmsr(cpu, bench, 0x34), 0x1_0000_0005n);
  assert.equal(wrmsr(cpu, bench, 0x1a0, 2n), '#GP');
  assert.equal(wrmsr(cpu, bench, 0x1a0, 1n << 22n), '#VE');
  assert.equal(wrmsr(cpu, bench, 0x1a0, 8n), undefined);
  assert.equal(rdmsr(cpu, bench, 0x1a0), 0x1808n, 'what is not there stays so');
  assert.deepEqual(cpuid(cpu, bench, 2), [0x00fe_ff01, 0, 0, 0]);
  assert.deepEqual(cpuid(cpu, bench, 6), [4, 0, 0, 0]);
  assert.deepEqual(cpuid(cpu, bench, 0x16), [0, 0, 0, 0]);
  assert.deepEqual(cpuid(cpu, bench, 0x8000_0002), [0x65746e49, 0x58204454, 0x6c202020, 0], '"Intel TDX"');
  assert.equal(cpuid(cpu, bench, 0x4000_0000), '#VE', 'the hypervisor stays the host');

  assert.equal(writeField(bench, cpu, FEATURE_PARAVIRT_CTLS, MCA_BIT | TSC_DEADLINE_BIT), Code.SUCCESS);
  assert.equal(leaf1()[3]! & MCE_MTRR_MCA, (1 << 7) | (1 << 14));
  assert.equal(leaf1()[2]! & (1 << 24), 1 << 24);
  assert.equal(rdmsr(cpu, bench, 0x179), '#VE');
  assert.equal(rdmsr(cpu, bench, 0x6e0), '#VE');
  assert.equal(rdmsr(cpu, bench, 0xfe), '#GP', 'no MTRRs');
});

test('a feature that the host did not configure stays off, whatever the TD asks', () => {
  const { bench, cpu } = guest(MODULE_2_0, { params: chosen(MODULE_2_0, { edx: 0x5080 }) });
  writeField(bench, cpu, FEATURE_PARAVIRT_CTLS, TSC_DEADLINE_BIT);
  writeField(bench, cpu, TD_CTLS, TdControl.REDUCE_VE);
  assert.equal(rdmsr(cpu, bench, 0x6e0), '#GP');
});

test('TD_CTLS: locked means locked; PENDING_VE_DISABLE is not for every TD; 1.5 knows no other bit', () => {
  const { bench, cpu } = guest(MODULE_2_0, { params: chosen(MODULE_2_0, {}) });
  assert.equal(writeField(bench, cpu, TD_CTLS, 1n), Code.METADATA_FIELD_VALUE_NOT_VALID);
  assert.equal(writeField(bench, cpu, TD_CTLS, TdControl.LOCK), Code.SUCCESS);
  assert.equal(writeField(bench, cpu, TD_CTLS, TdControl.VIRT_CPUID2), Code.METADATA_FIELD_VALUE_NOT_VALID);
  assert.equal(writeField(bench, cpu, TD_CTLS, TdControl.LOCK), Code.SUCCESS, 'nothing changes');
  assert.equal(writeField(bench, cpu, FEATURE_PARAVIRT_CTLS, 1n), Code.METADATA_FIELD_VALUE_NOT_VALID);
  const old = guest(MODULE_1_5);
  assert.equal(writeField(old.bench, old.cpu, TD_CTLS, TdControl.REDUCE_VE), Code.METADATA_FIELD_NOT_WRITABLE);
  assert.equal(writeField(old.bench, old.cpu, FEATURE_PARAVIRT_CTLS, 1n), Code.METADATA_FIELD_ID_INCORRECT);
});
