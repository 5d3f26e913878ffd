/** CPUID, MSRs, control registers and the policy of exits, as rows and as seen by a guest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CompletionCode as Code,
  CPUID_CONFIG_ORDER,
  Gpr,
  MODULE_VERSIONS,
  TdAttribute,
  TdgLeaf,
} from '../../src/abi/index.ts';
import { ExitReason, S } from '../../src/cpu/index.ts';
import {
  CONTROL_BIT_ROWS,
  CPUID_ROWS,
  EXIT_ROWS,
  MSR_ROWS,
  SEAMCALL_ROWS,
  SPR_PROFILE,
  TDCALL_ROWS,
  XCR0_ROWS,
} from '../../src/seam/index.ts';
import { SEPT_STATES } from '../../src/seam/sept/states.ts';
import { cpuid, outcome, rdmsr, wrmsr } from './guest-asks.ts';
import { Bench, exits, tdcall } from './scripted-td.ts';

function unique(what: string, numbers: readonly number[]): void {
  assert.equal(new Set(numbers).size, numbers.length, `${what}: a number stands twice`);
}

test('every row is unique and says where it is defined', () => {
  unique(
    'SEAMCALL',
    SEAMCALL_ROWS.map(({ leaf }) => leaf),
  );
  unique(
    'TDCALL',
    TDCALL_ROWS.map(({ leaf }) => leaf),
  );
  for (const version of MODULE_VERSIONS)
    unique(
      `exit of ${version.name}`,
      EXIT_ROWS.filter(({ modules }) => modules.includes(version)).map(({ reason }) => reason),
    );
  for (const version of MODULE_VERSIONS)
    unique(
      `MSR of ${version.name}`,
      MSR_ROWS.filter(({ modules }) => modules.includes(version)).flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      ),
    );
  for (const { name, source } of [...SEAMCALL_ROWS, ...TDCALL_ROWS]) assert.ok(source.includes(`"${name} Leaf"`), name);
  for (const register of ['CR0', 'CR4'])
    unique(
      register,
      CONTROL_BIT_ROWS.filter((row) => row.register === register).map(({ bit }) => bit),
    );
  assert.equal(
    XCR0_ROWS.reduce((sum, { bits }) => sum + bits, 0),
    XCR0_ROWS.reduce((mask, { bits }) => mask | bits, 0),
    'XCR0: a bit stands twice',
  );
  for (const row of [...EXIT_ROWS, ...CPUID_ROWS, ...MSR_ROWS, ...CONTROL_BIT_ROWS, ...XCR0_ROWS])
    assert.match(row.source, /^(TDX Module|SDM).*".+"/);
  assert.deepEqual(
    SEPT_STATES.map(({ state }) => state),
    [...SEPT_STATES.keys()],
  );
});

test('the number of every leaf is the one of its name', () => {
  for (const { leaf, name } of SEAMCALL_ROWS) assert.match(name, /^TDH\./, `${leaf}`);
  for (const { leaf, name } of TDCALL_ROWS)
    assert.equal(TdgLeaf[name.slice(4).replaceAll('.', '_') as keyof typeof TdgLeaf], leaf);
});

test('CPUID leaves: answered, or #VE', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const ask = (leaf: number, subleaf = 0) => cpuid(cpu, bench, leaf, subleaf);
  assert.deepEqual(ask(0), [0x23, 0x756e6547, 0x6c65746e, 0x49656e69]);
  assert.deepEqual(ask(0x15), [1, 40, 25_000_000, 0]);
  assert.deepEqual(ask(0x21), [0, 0x65746e49, 0x20202020, 0x5844546c]);
  assert.deepEqual(ask(0x8000_0000), [0x8000_0008, 0, 0, 0]);
  assert.equal((ask(0x8000_0008) as number[])[0]! & 0xff, 52);
  assert.deepEqual(ask(3), [0, 0, 0, 0]);
  const ve: readonly (readonly [number, number])[] = [
    [2, 0],
    [6, 0],
    [9, 0],
    [0xb, 0],
    [0x16, 0],
    [0x1f, 0],
    [4, 5],
    [7, 3],
    [0x21, 1],
    [0x8000_0002, 0],
    [0x8000_0006, 0],
    [0x4000_0000, 0],
    [0x4000_0100, 0],
    [0x4fff_ffff, 0],
  ];
  for (const [leaf, subleaf] of ve) assert.equal(ask(leaf, subleaf), '#VE', `${leaf.toString(16)}.${subleaf}`);
  assert.deepEqual(ask(0x8000_0009, 3), [0, 0, 0, 0], 'clamped to leaf 0x23 with the same sub-leaf');
  assert.equal(ask(0x8000_0009, 4), '#VE');
  assert.equal(ask(0x24, 0) === '#VE', false);
  assert.equal(ask(0xffff_ffff, 9), '#VE');
});

test('CPUID bits that move with the vCPU', () => {
  const bench = new Bench();
  bench.build({ vcpus: 2 });
  const cpu = bench.processors[1]!;
  bench.tdvprs.reverse();
  bench.processors.reverse();
  assert.equal((cpuid(cpu, bench, 1) as number[])[1]! >>> 24, 1);
  cpu.state.set(S.cr4, 1 << 18, 0);
  assert.ok(((cpuid(cpu, bench, 1) as number[])[2]! & (1 << 27)) !== 0);
  assert.ok(((cpuid(cpu, bench, 0x8000_0001) as number[])[3]! & (1 << 11)) !== 0);
  cpu.state.setLow(S.segmentRights + 4, 0xc09b);
  assert.ok(((cpuid(cpu, bench, 0x8000_0001) as number[])[3]! & (1 << 11)) === 0, 'SYSCALL is for 64-bit mode');
  assert.ok(((cpuid(cpu, bench, 1) as number[])[2]! & (1 << 31)) !== 0, 'a hypervisor is always there');
});

test('configurable CPUID bits are 0 unless the host asks and the processor has them', () => {
  const index = CPUID_CONFIG_ORDER.findIndex(([leaf]) => leaf === 1);
  const NONE = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  const TSC_DEADLINE = 1 << 24;
  const MONITOR = 1 << 3;
  for (const asked of [0, TSC_DEADLINE | MONITOR]) {
    const bench = new Bench();
    const cpu = bench.build({
      params: { cpuidConfig: CPUID_CONFIG_ORDER.map((_, i) => (i === index ? { ...NONE, ecx: asked } : NONE)) },
    });
    const [, , ecx] = cpuid(cpu, bench, 1) as number[];
    assert.equal(ecx! & TSC_DEADLINE, asked & TSC_DEADLINE);
    assert.equal(ecx! & MONITOR, 0, 'not on this processor');
    assert.equal(rdmsr(cpu, bench, 0x6e0), asked === 0 ? '#GP' : '#VE');
  }
});

test('TDG.VP.CPUIDVE.SET turns every CPUID of a privilege into #VE', () => {
  const bench = new Bench();
  const cpu = bench.build();
  bench.enter([tdcall({ RAX: TdgLeaf.VP_CPUIDVE_SET, RCX: 2 })]);
  assert.notEqual(cpuid(cpu, bench, 0), '#VE');
  cpu.state.setLow(S.cpl, 3);
  assert.equal(cpuid(cpu, bench, 0), '#VE');
  cpu.state.setLow(S.cpl, 0);
  bench.enter([tdcall({ RAX: TdgLeaf.VP_CPUIDVE_SET, RCX: 4 })]);
  assert.equal(cpu.get(Gpr.RAX), (BigInt(Code.OPERAND_INVALID) << 32n) | 1n);
});

test('MSRs that the processor leaves to the module', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const read = (msr: number) => rdmsr(cpu, bench, msr);
  for (const msr of [0x1b, 0x3a, 0x802, 0x803, 0x80f, 0x830, 0x832, 0x838, 0x83e, 0x17a, 0xc000_0083, 0x4b56_4d00])
    assert.equal(read(msr), '#VE', msr.toString(16));
  for (const msr of [0x800, 0x831, 0x8ff, 0x570, 0x186, 0x6a0]) assert.equal(read(msr), '#GP', msr.toString(16));
  assert.equal(read(0xbd), 1n);
  assert.equal(read(0x345), 0n);
  assert.equal((read(0x1a0) as bigint) & 0x1080n, 0x1000n);
  assert.equal((read(0x10a) as bigint) & 0x21n, 0x21n);
  assert.equal(cpu.rip > 0x1000, true);

  const write = (msr: number, value: bigint) => wrmsr(cpu, bench, msr, value);
  assert.equal(write(0x10, 0n), '#VE');
  assert.equal(write(0x1a0, 0n), '#VE');
  assert.equal(write(0x345, 0n), '#GP');
  assert.equal(write(0xda0, 0n), undefined);
  assert.equal(write(0xda0, 1n << 8n), '#GP');
  assert.equal(write(0xda0, 1n << 1n), '#GP', 'a bit of XCR0');
  assert.equal(write(0x1d9, 2n), undefined);
  assert.equal(read(0x1d9), 2n);
  assert.equal(write(0x1d9, 4n), undefined, 'bus-lock detection');
  assert.equal(write(0x1d9, 8n), '#GP');
  assert.equal(write(0x1d9, 0x40n), '#VE');
  assert.equal(write(0x1d9, 1n << 32n), '#GP');
});

test('EFER: SCE may change, LMA is ignored, the rest is #VE', () => {
  const bench = new Bench();
  const cpu = bench.build();
  assert.equal(wrmsr(cpu, bench, 0xc000_0080, 0x900n), undefined);
  assert.equal(cpu.state.low(S.efer), 0xd00);
  assert.equal(wrmsr(cpu, bench, 0xc000_0080, 0x901n), undefined);
  assert.equal(wrmsr(cpu, bench, 0xc000_0080, 0x101n), '#VE', 'NXE');
  assert.equal(cpu.state.low(S.efer), 0xd01);
});

test('control registers: what the module owns cannot change', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const mov = (register: number, value: number, high = 0) => {
    cpu.set(Gpr.RBX, BigInt(value >>> 0) | (BigInt(high) << 32n));
    return outcome(
      cpu,
      bench,
      exits(ExitReason.CrAccess, { qualificationLow: register | (Gpr.RBX << 8), instructionLength: 3 }),
    );
  };
  const read = (register: 'cr0' | 'cr4') => {
    const shadow = register === 'cr0' ? cpu.controls.cr0ReadShadow : cpu.controls.cr4ReadShadow;
    const mask = register === 'cr0' ? cpu.controls.cr0HostMask : cpu.controls.cr4HostMask;
    return [mask >>> 0, shadow >>> 0];
  };
  assert.deepEqual(read('cr0'), [0x6000_0021, 0x21], 'PE and NE are 1; NW and CD are 0');
  assert.deepEqual(read('cr4'), [0x6040, 0x40], 'MCE is 1; VMXE and SMXE are 0');
  const cases: readonly (readonly [number, number, string])[] = [
    [0, 0x8005_0013, '#GP'], // NE = 0
    [0, 0x8000_0020, '#GP'], // PG without PE
    [0, 0x20, '#VE'], // PE = 0
    [0, 0xc005_0033, '#VE'], // CD
    [0, 0xa005_0033, '#VE'], // NW
    [4, 0x20, '#VE'], // MCE = 0
    [4, 0x2060, '#VE'], // VMXE
    [4, 0x4060, '#VE'], // SMXE
    [4, 0x0108_2060, '#GP'], // PKS and KL, which are not there
  ];
  for (const [register, value, expected] of cases) assert.equal(mov(register, value), expected, value.toString(16));
  for (const register of [0, 4]) assert.equal(mov(register, 0x2020, 1), '#GP', 'bits 63:32');
  assert.equal(cpu.rip, 0x1000);
});

test('XSETBV: only XCR0, only what XFAM has', () => {
  const bench = new Bench();
  const cpu = bench.build();
  const xsetbv = (index: number, value: number) => {
    cpu.set(Gpr.RCX, index);
    cpu.set(Gpr.RAX, value);
    cpu.set(Gpr.RDX, 0);
    return outcome(cpu, bench, exits(ExitReason.Xsetbv, { instructionLength: 3 }));
  };
  assert.equal(xsetbv(0, 3), undefined);
  assert.equal(cpu.state.low(S.xcr0), 3);
  for (const [index, value] of [
    [1, 1],
    [0, 2],
    [0, 7],
    [0, 0],
  ] as const)
    assert.equal(xsetbv(index, value), '#GP');
});

test('ATTRIBUTES.PKS brings supervisor protection keys: CPUID, CR4.PKS, IA32_PKRS', () => {
  const PKS = 1 << 24;
  const IA32_PKRS = 0x6e1;
  for (const attributes of [0n, TdAttribute.PKS]) {
    const bench = new Bench(1, { cpuProfile: SPR_PROFILE });
    const cpu = bench.build({ params: { attributes } });
    const has = attributes !== 0n;
    assert.equal((cpu.controls.cr4Supported & PKS) !== 0, has);
    assert.equal(cpu.controls.nativeMsrWrites.has(IA32_PKRS), has);
    const leaf7 = cpuid(cpu, bench, 7) as number[];
    assert.equal((leaf7[2]! >>> 31) & 1, Number(has));
    if (!has) assert.equal(wrmsr(cpu, bench, IA32_PKRS, 0n), '#GP');
  }
});

test('XSETBV: AVX only with SSE; nothing that XFAM lacks, or only half of', () => {
  const bench = new Bench(1, { cpuProfile: SPR_PROFILE });
  const cpu = bench.build({ params: { xfam: 0x207n } });
  const legal = [1, 3, 7, 0x201, 0x203, 0x207];
  fc.assert(
    fc.property(fc.oneof(fc.nat(0xff), fc.nat(), fc.nat(0x3ff), fc.constant(0x2_00ff)), (value) => {
      cpu.set(Gpr.RCX, 0);
      cpu.set(Gpr.RAX, value);
      cpu.set(Gpr.RDX, 0);
      const result = outcome(cpu, bench, exits(ExitReason.Xsetbv, { instructionLength: 3 }));
      assert.equal(result, legal.includes(value) ? undefined : '#GP', value.toString(16));
    }),
  );
});

test('every exit of the table does what its row says, and an exit without a row is a broken invariant', () => {
  for (const { reason, policy, modules } of EXIT_ROWS) {
    if (policy === 'handled') continue;
    const bench = new Bench(1, { version: modules[0]! });
    const cpu = bench.build();
    const rip = cpu.rip;
    const result = outcome(cpu, bench, exits(reason, { instructionLength: 2, qualificationLow: 5 }));
    if (policy === 'TD exit') {
      assert.equal(bench.details, reason);
      assert.deepEqual(cpu.injected, []);
    } else {
      assert.equal(result, policy, `exit ${reason}`);
      assert.equal(bench.details, ExitReason.ExternalInterrupt);
    }
    assert.equal(cpu.rip, rip);
  }
  const bench = new Bench();
  bench.build();
  assert.throws(() => bench.enter([exits(3)]), /broken invariant: the processor left with exit INIT/);
});

test('a triple fault ends the vCPU for good', () => {
  const bench = new Bench();
  bench.build();
  assert.equal(bench.enter([exits(ExitReason.TripleFault)]), Code.NON_RECOVERABLE_VCPU);
  assert.equal(bench.details, ExitReason.TripleFault);
  assert.equal(bench.enter(), Code.VCPU_STATE_INCORRECT);
});
