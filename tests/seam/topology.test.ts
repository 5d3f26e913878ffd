/** Module 2.0's virtual topology: x2APIC ids from TDH.VP.INIT, leaf 0x1F from the host, leaf 0xB from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CompletionCode as Code,
  Gpr,
  MODULE_2_0,
  OperandId,
  TdControl,
  TdgLeaf,
  TdhLeaf,
} from '../../src/abi/index.ts';
import { isLegalTopology, legacyTopology } from '../../src/seam/virt/topology.ts';
import { cpuid, rdmsr } from './guest-asks.ts';
import { Bench, tdcall, VERSION_1 } from './scripted-td.ts';

const TD_CTLS = 0x9110_0003_0000_0017n;
const NONE = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
const FIRST_TOPOLOGY = 12;
/** two threads a core, four cores, two dies in the package */
const LEVELS = [
  { ...NONE, eax: 1, ebx: 2, ecx: 0x100 },
  { ...NONE, eax: 3, ebx: 8, ecx: 0x201 },
  { ...NONE, eax: 4, ebx: 16, ecx: 0x502 },
  { ...NONE, ecx: 3 },
  { ...NONE, ecx: 4 },
  { ...NONE, ecx: 5 },
];
const cpuidConfig = Array.from({ length: 48 }, (_, i) => LEVELS[i - FIRST_TOPOLOGY] ?? NONE);

/** A TD whose vCPUs have these x2APIC ids; undefined: TDH.VP.INIT of version 0. */
function withIds(ids: readonly (number | undefined)[]): Bench {
  const bench = new Bench(1, { version: MODULE_2_0 });
  bench.create({ maxVcpus: 4, cpuidConfig });
  bench.module.hostDoor.attachSharedEpt(bench.tdr, bench.sharedEpt);
  for (const id of ids) assert.equal(initialize(bench, id), Code.SUCCESS);
  bench.addTables();
  bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
  bench.enter64BitMode();
  return bench;
}

function initialize(bench: Bench, id: number | bigint | undefined): number {
  const tdvpr = bench.page();
  bench.ok(TdhLeaf.VP_CREATE, { rcx: tdvpr, rdx: bench.tdr });
  for (let i = 0; i < 5; i++) bench.ok(TdhLeaf.VP_ADDCX, { rcx: bench.page(), rdx: tdvpr });
  const code =
    id === undefined
      ? bench.call(TdhLeaf.VP_INIT, { rcx: tdvpr })
      : bench.call(VERSION_1 + TdhLeaf.VP_INIT, { rcx: tdvpr, r8: id });
  if (code === Code.SUCCESS) bench.tdvprs.push(tdvpr);
  return code;
}

const enumerate = (bench: Bench): number => {
  bench.enter([
    tdcall({ RAX: TdgLeaf.VM_WR, RCX: 0, RDX: TD_CTLS, R8: TdControl.ENUM_TOPOLOGY, R9: TdControl.ENUM_TOPOLOGY }),
  ]);
  return Number(bench.processors[0]!.get(Gpr.RAX) >> 32n);
};

test('a TD that asks for it sees the topology and its own x2APIC id', () => {
  const bench = withIds([0x107, 5]);
  const cpu = bench.processors[0]!;
  assert.equal(cpuid(cpu, bench, 0x1f), '#VE');
  assert.equal(cpuid(cpu, bench, 0xb), '#VE');
  assert.equal(rdmsr(cpu, bench, 0x802), '#VE');
  assert.equal(enumerate(bench), Code.SUCCESS);
  assert.deepEqual(cpuid(cpu, bench, 0x1f, 0), [1, 2, 0x100, 0x107]);
  assert.deepEqual(cpuid(cpu, bench, 0x1f, 2), [4, 16, 0x502, 0x107]);
  assert.deepEqual(cpuid(cpu, bench, 0x1f, 5), [0, 0, 5, 0x107]);
  assert.deepEqual(cpuid(cpu, bench, 0xb, 0), [1, 2, 0x100, 0x107]);
  assert.deepEqual(cpuid(cpu, bench, 0xb, 1), [4, 16, 0x201, 0x107], 'all that is above threads');
  assert.deepEqual(cpuid(cpu, bench, 0xb, 2), [0, 0, 2, 0x107]);
  assert.equal(cpuid(cpu, bench, 0xb, 3), '#VE');
  assert.equal((cpuid(cpu, bench, 1) as number[])[1]! >>> 24, 7, 'the low 8 bits');
  assert.equal(rdmsr(cpu, bench, 0x802), 0x107n);
});

test('ids are unique, of 32 bits, and for all vCPUs or for none', () => {
  const bench = withIds([7]);
  const unfinished = new Bench(1, { version: MODULE_2_0 });
  unfinished.create({ maxVcpus: 4, cpuidConfig });
  assert.equal(initialize(unfinished, 7), Code.SUCCESS);
  assert.equal(initialize(unfinished, 7), Code.X2APIC_ID_NOT_UNIQUE);
  assert.equal(unfinished.details, 7);
  assert.equal(initialize(unfinished, 1n << 32n), Code.OPERAND_INVALID);
  assert.equal(unfinished.details, OperandId.R8);
  assert.equal(enumerate(bench), Code.SUCCESS);
  assert.equal(enumerate(withIds([7, undefined])), Code.METADATA_FIELD_VALUE_NOT_VALID);
});

test('module 1.5 knows one version of TDH.VP.INIT', () => {
  const bench = new Bench();
  bench.create({ maxVcpus: 1 });
  assert.equal(initialize(bench, 7), Code.OPERAND_INVALID);
  assert.equal(bench.details, OperandId.RAX);
});

test('levels start with threads, grow, and end', () => {
  assert.ok(isLegalTopology(LEVELS));
  assert.ok(isLegalTopology(LEVELS.map(() => NONE)), 'none at all');
  const wrong = [
    [LEVELS[1]!, LEVELS[0]!],
    [LEVELS[1]!],
    [LEVELS[0]!, { ...LEVELS[1]!, eax: 0 }],
    [LEVELS[0]!, NONE, LEVELS[1]!],
    [LEVELS[0]!, { ...LEVELS[1]!, ecx: 0x601 }],
  ];
  for (const levels of wrong) assert.equal(isLegalTopology(levels), false);
  assert.deepEqual(
    legacyTopology([]).map(({ ecx }) => ecx),
    [0, 1, 2],
  );
});
