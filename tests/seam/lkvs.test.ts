/**
 * What Intel's Linux guest validation expects of a TD's CPUID, MSRs and control registers.
 * Source: github.com/intel/lkvs, BM/tdx-compliance at e7b4f56a5910 (2026-08-06): facts of tdx-compliance-cpuid.h, -msr.h and -cr.h.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODULE_1_5, MODULE_2_0, MODULE_VERSIONS, type ModuleVersion, Xfam } from '../../src/abi/index.ts';
import { CONTROL_BIT_ROWS, SPR_PROFILE } from '../../src/seam/index.ts';
import { cpuid, rdmsr, wrmsr } from './guest-asks.ts';
import { Bench, type ScriptedProcessor } from './scripted-td.ts';

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
const REGISTERS: readonly Register[] = ['eax', 'ebx', 'ecx', 'edx'];

/** Bits that are checked, and what they are. */
type CpuidExpectation = readonly [
  modules: readonly ModuleVersion[],
  leaf: number,
  subleaf: number,
  register: Register,
  mask: number,
  value: number,
];

const BOTH = MODULE_VERSIONS;
const OLD = [MODULE_1_5];
const NEW = [MODULE_2_0];
const ALL = 0xffff_ffff;
/** Leaf 4's caches, the last one being the third level. */
const L3 = 3;

const zero = (modules: readonly ModuleVersion[], leaf: number, subleaf = 0): CpuidExpectation[] =>
  REGISTERS.map((register) => [modules, leaf, subleaf, register, ALL, 0]);

const CPUID_EXPECTATIONS: readonly CpuidExpectation[] = [
  [BOTH, 0, 0, 'eax', ALL, 0x23],
  [OLD, 0, 0, 'ebx', ALL, 0x756e_6547],
  [OLD, 0, 0, 'ecx', ALL, 0x6c65_746e],
  [OLD, 0, 0, 'edx', ALL, 0x4965_6e69],
  [BOTH, 1, 0, 'eax', 0xf000_c000, 0],
  [OLD, 1, 0, 'ebx', 0xffff, 0x800],
  [NEW, 1, 0, 'ebx', 0xff00, 0x800],
  [OLD, 1, 0, 'ecx', 0xc7ff_a2f7, 0xc6fa_a217],
  [NEW, 1, 0, 'ecx', 0xc621_a068, 0xc620_a000],
  [OLD, 1, 0, 'edx', 0x47fb_ffff, 0x07a9_ab7f],
  [NEW, 1, 0, 'edx', 0x4038_0660, 0x0028_0260],
  ...[3, 8, 0xe, 0x11, 0x12, 0x13, 0x20].flatMap((leaf) => zero(BOTH, leaf)),
  ...[0, 1, 2, 3].flatMap((level): CpuidExpectation[] => [
    [BOTH, 4, level, 'eax', 0x3c00, 0],
    [OLD, 4, level, 'ebx', 0xfff, 63],
    [BOTH, 4, level, 'edx', level === L3 ? 0xffff_fff8 : 4, 0],
  ]),
  ...zero(BOTH, 4, 4),
  [BOTH, 7, 0, 'eax', ALL, 2],
  [OLD, 7, 0, 'ebx', 0x2194_f4c7, 0x2194_24c1],
  [NEW, 7, 0, 'ebx', 0x2194_4807, 0x2194_0801],
  [OLD, 7, 0, 'ecx', 0x7d3e_a000, 0x1900_0000],
  [NEW, 7, 0, 'ecx', 0x753e_8000, 0x1100_0000],
  [OLD, 7, 0, 'edx', 0xec26_3ec3, 0xac00_0400],
  [NEW, 7, 0, 'edx', 0xa422_3ac3, 0xa400_0000],
  [OLD, 7, 1, 'eax', 0xfbff_e28f, 0],
  [NEW, 7, 1, 'eax', 0xfbd7_e38f, 0],
  [BOTH, 7, 1, 'ebx', ALL, 0],
  [BOTH, 7, 1, 'ecx', ALL, 0],
  [OLD, 7, 1, 'edx', 0x30, 0x30],
  [OLD, 7, 2, 'eax', ALL, 0],
  [OLD, 7, 2, 'ebx', ALL, 0],
  [OLD, 7, 2, 'ecx', ALL, 0],
  [OLD, 7, 2, 'edx', 0xffff_ffd7, 0x17],
  [BOTH, 0xa, 0, 'edx', 0xffff_6000, 0],
  [BOTH, 0xd, 0, 'eax', 0xfff9_fd1b, 3],
  [BOTH, 0xd, 0, 'edx', ALL, 0],
  [OLD, 0xd, 1, 'eax', 0xffff_ffef, 0xf],
  [NEW, 0xd, 1, 'eax', 0xffff_ffeb, 0xb],
  [BOTH, 0xd, 1, 'ecx', 0xffff_26ff, 0],
  [BOTH, 0xd, 1, 'edx', ALL, 0],
  ...Array.from({ length: 17 }, (_, i): CpuidExpectation => [BOTH, 0xd, i + 2, 'edx', ALL, 0]),
  [BOTH, 0x15, 0, 'eax', ALL, 1],
  [BOTH, 0x15, 0, 'ecx', ALL, 25_000_000],
  [BOTH, 0x15, 0, 'edx', ALL, 0],
  [OLD, 0x19, 0, 'eax', 0xffff_fff8, 0],
  [OLD, 0x19, 0, 'ebx', 0xffff_fffa, 0],
  [OLD, 0x19, 0, 'ecx', 0xffff_fffd, 0],
  [NEW, 0x19, 0, 'ecx', 0xffff_fffe, 0],
  [BOTH, 0x19, 0, 'edx', ALL, 0],
  [BOTH, 0x21, 0, 'eax', ALL, 0],
  [BOTH, 0x21, 0, 'ebx', ALL, 0x6574_6e49],
  [BOTH, 0x21, 0, 'ecx', ALL, 0x2020_2020],
  [BOTH, 0x21, 0, 'edx', ALL, 0x5844_546c],
  ...zero(OLD, 0x22),
  [OLD, 0x23, 0, 'eax', 0xffff_fff0, 0],
  [OLD, 0x23, 0, 'ecx', ALL, 0],
  [OLD, 0x23, 0, 'edx', ALL, 0],
  ...zero(OLD, 0x23, 1).slice(1),
  ...zero(OLD, 0x23, 2),
  ...zero(OLD, 0x23, 3).slice(1),
  [OLD, 0x8000_0000, 0, 'eax', ALL, 0x8000_0008],
  ...zero(BOTH, 0x8000_0000).slice(1),
  [BOTH, 0x8000_0001, 0, 'eax', ALL, 0],
  [BOTH, 0x8000_0001, 0, 'ebx', ALL, 0],
  [OLD, 0x8000_0001, 0, 'ecx', ALL, 0x121],
  [NEW, 0x8000_0001, 0, 'ecx', 0xffff_fede, 0],
  [BOTH, 0x8000_0001, 0, 'edx', 0xffff_f7ff, 0x2c10_0000],
  ...zero(OLD, 0x8000_0007).slice(0, 3),
  [OLD, 0x8000_0007, 0, 'edx', ALL, 0x100],
  [BOTH, 0x8000_0008, 0, 'eax', 0xffff_00ff, 0x34],
  [OLD, 0x8000_0008, 0, 'ebx', 0x1ff, 0],
  [NEW, 0x8000_0008, 0, 'ecx', ALL, 0],
  [NEW, 0x8000_0008, 0, 'edx', ALL, 0],
];

/** Bits in which this processor or this module is not the one that LKVS expects, and why. */
const CPUID_DIFFERENCES: readonly (readonly [number, number, Register, mask: number, why: string])[] = [
  [1, 0, 'edx', 0x5080, 'MCE, MTRR and MCA: 1 in module 1.5.01, chosen by the host in later ones'],
  [7, 0, 'edx', 0x4000_0000, 'IA32_CORE_CAPABILITIES: 1 in module 1.5.01, chosen by the host in later ones'],
  [7, 0, 'ebx', 0x800, 'RTM: this processor has no TSX'],
  [7, 1, 'edx', 0x30, 'AVX-VNNI-INT8 and AVX-NE-CONVERT: of processors after Sapphire Rapids'],
];

function td(version: ModuleVersion): { bench: Bench; cpu: ScriptedProcessor } {
  const bench = new Bench(1, { version, cpuProfile: SPR_PROFILE });
  return { bench, cpu: bench.build({ params: { xfam: Xfam.X87 | Xfam.SSE | Xfam.AVX } }) };
}

test('CPUID is what LKVS expects, but for the differences listed', () => {
  const met = new Set<string>();
  for (const version of MODULE_VERSIONS) {
    const { bench, cpu } = td(version);
    for (const [modules, leaf, subleaf, register, mask, value] of CPUID_EXPECTATIONS) {
      if (!modules.includes(version)) continue;
      const answer = cpuid(cpu, bench, leaf, subleaf);
      assert.ok(answer !== '#VE', `CPUID ${leaf.toString(16)}.${subleaf} is #VE in ${version.name}`);
      const wrong = ((answer[REGISTERS.indexOf(register)]! & mask) ^ value) >>> 0;
      const difference = CPUID_DIFFERENCES.find(([l, s, r]) => l === leaf && s === subleaf && r === register);
      if (wrong !== 0 && difference !== undefined) met.add(difference[4]);
      assert.equal(
        (wrong & ~(difference?.[3] ?? 0)) >>> 0,
        0,
        `CPUID ${leaf.toString(16)}.${subleaf}.${register} of ${version.name}: 0x${wrong.toString(16)}`,
      );
    }
  }
  assert.deepEqual([...met].sort(), CPUID_DIFFERENCES.map(([, , , , why]) => why).sort(), 'a difference that is gone');
});

/**
 * `ok`: no exception, whoever answers. `processor`: the processor's own #GP, for the module leaves it alone.
 * `host`: the guest's #VE handler has the host answer; LKVS sees no exception.
 */
type Answer = 'ok' | '#VE' | '#GP' | 'processor' | 'host';
type MsrExpectation = readonly [first: number, last: number, read: Answer | undefined, write: Answer | undefined];

const MSR_EXPECTATIONS: readonly MsrExpectation[] = [
  [0x10, 0x10, 'ok', '#VE'],
  [0x17, 0x17, '#VE', '#VE'],
  [0x1b, 0x1b, 'host', '#VE'],
  [0x33, 0x33, '#VE', '#VE'],
  [0x3b, 0x3b, '#VE', '#VE'],
  [0x48, 0x48, 'ok', 'ok'],
  [0x49, 0x49, 'processor', 'ok'],
  [0x8c, 0x8f, '#GP', '#GP'],
  [0x98, 0x9b, '#GP', '#GP'],
  [0x9e, 0x9e, '#GP', '#GP'],
  [0xbc, 0xbc, 'ok', '#VE'],
  [0x10a, 0x10a, undefined, 'processor'],
  [0x10b, 0x10b, 'processor', 'ok'],
  [0x174, 0x176, 'ok', 'ok'],
  [0x1a0, 0x1a0, undefined, '#VE'],
  [0x276, 0x276, '#GP', '#GP'],
  [0x277, 0x277, 'ok', 'ok'],
  [0x480, 0x480, 'ok', '#GP'],
  [0x481, 0x484, '#VE', '#GP'],
  [0x485, 0x489, 'ok', '#GP'],
  [0x48a, 0x48a, '#VE', '#GP'],
  [0x48b, 0x492, 'ok', '#GP'],
  [0x500, 0x500, '#GP', '#GP'],
  [0x501, 0x501, '#VE', '#VE'],
  [0x600, 0x600, 'ok', 'ok'],
  [0x800, 0x801, '#GP', '#GP'],
  [0x802, 0x802, 'host', undefined],
  [0x803, 0x803, 'host', undefined],
  [0x804, 0x807, '#GP', '#GP'],
  [0x808, 0x808, 'ok', 'ok'],
  [0x80a, 0x80a, 'ok', 'processor'],
  [0x80b, 0x80b, 'ok', 'ok'],
  [0x810, 0x827, 'ok', 'processor'],
  [0x829, 0x82e, '#GP', '#GP'],
  [0x831, 0x831, '#GP', '#GP'],
  [0x83f, 0x83f, 'ok', undefined],
  [0x840, 0x8ff, '#GP', '#GP'],
  [0xd90, 0xd90, '#GP', '#GP'],
  [0xd93, 0xd93, '#GP', '#GP'],
  [0xda0, 0xda0, 'ok', undefined],
  [0xc000_0080, 0xc000_0082, 'ok', undefined],
  [0xc000_0083, 0xc000_0083, '#VE', undefined],
  [0xc000_0084, 0xc000_0084, 'ok', undefined],
  [0xc000_0100, 0xc000_0103, 'ok', undefined],
];

/** Registers of features that this TD does not have: #GP(0) both ways. */
const ABSENT_FEATURES: readonly (readonly [name: string, ranges: readonly (readonly [number, number])[]])[] = [
  ['PCONFIG', [[0x87, 0x87]]],
  [
    'PERFMON',
    [
      [0xc1, 0xc8],
      [0x186, 0x18d],
      [0x1a6, 0x1a7],
      [0x309, 0x309],
      [0x38d, 0x392],
      [0x3f1, 0x3f2],
      [0x3f6, 0x3f6],
      [0x4c1, 0x4c8],
    ],
  ],
  ['WAITPKG', [[0xe1, 0xe1]]],
  ['TSX', [[0x122, 0x122]]],
  ['XFD', [[0x1c4, 0x1c5]]],
  ['DCA', [[0x1f8, 0x1fa]]],
  [
    'PT',
    [
      [0x560, 0x561],
      [0x570, 0x572],
      [0x580, 0x587],
    ],
  ],
  [
    'CET',
    [
      [0x6a0, 0x6a0],
      [0x6a2, 0x6a2],
      [0x6a4, 0x6a8],
    ],
  ],
  ['TSC deadline', [[0x6e0, 0x6e0]]],
  ['PKS', [[0x6e1, 0x6e1]]],
  ['TME', [[0x981, 0x984]]],
  ['UINTR', [[0x985, 0x98a]]],
  [
    'LBR',
    [
      [0x1200, 0x12ff],
      [0x14ce, 0x14cf],
      [0x1500, 0x16ff],
    ],
  ],
];

const matches = (expected: Answer, isNative: boolean, exit: () => unknown): boolean => {
  if (expected === 'processor') return isNative;
  if (isNative) return expected === 'ok';
  const answer = exit();
  if (expected === 'ok') return answer !== '#VE' && answer !== '#GP';
  return expected === 'host' ? answer !== '#GP' : answer === expected;
};

test('MSRs are what LKVS expects', () => {
  const expectations: readonly MsrExpectation[] = [
    ...MSR_EXPECTATIONS,
    ...ABSENT_FEATURES.flatMap(([, ranges]) => ranges.map(([a, b]): MsrExpectation => [a, b, '#GP', '#GP'])),
  ];
  for (const version of MODULE_VERSIONS) {
    const { bench, cpu } = td(version);
    const { nativeMsrReads, nativeMsrWrites } = cpu.controls;
    for (const [first, last, read, write] of expectations)
      for (let msr = first; msr <= last; msr++) {
        const name = `0x${msr.toString(16)} in ${version.name}`;
        if (read !== undefined)
          assert.ok(
            matches(read, nativeMsrReads.has(msr), () => rdmsr(cpu, bench, msr)),
            `RDMSR ${name} is not ${read}`,
          );
        if (write !== undefined)
          assert.ok(
            matches(write, nativeMsrWrites.has(msr), () => wrmsr(cpu, bench, msr, 0n)),
            `WRMSR ${name} is not ${write}`,
          );
      }
  }
});

test('CR0 and CR4 are what LKVS expects', () => {
  const { cpu } = td(MODULE_1_5);
  const row = (name: string) => CONTROL_BIT_ROWS.find((candidate) => candidate.name === name)!;
  for (const [name, reads] of [
    ['CD', 0],
    ['NW', 0],
    ['PE', 1],
    ['NE', 1],
    ['SMXE', 0],
    ['VMXE', 0],
    ['MCE', 1],
  ] as const)
    assert.equal(row(name).reads, reads, name);
  for (const name of ['NW', 'CD', 'VMXE', 'SMXE', 'MCE']) assert.equal(row(name).violation, '#VE', name);
  assert.equal(row('NE').violation, '#GP');
  for (const name of ['KL', 'PKS', 'PKE', 'CET', 'UINTR'])
    assert.equal((cpu.controls.cr4Supported >>> row(name).bit) & 1, 0, `CR4.${name} is #GP`);
});
