import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CPUID_CONFIG_ORDER, cpuidConfigOrder, MODULE_2_0 } from '../abi/index.ts';
import { cpuidConfig } from './cpuid-config.ts';

const all = CPUID_CONFIG_ORDER.map(([leaf, subleaf]) => ({ leaf, subleaf, eax: -1, ebx: -1, ecx: -1, edx: -1 }));
const row = (leaf: number, subleaf: number) => CPUID_CONFIG_ORDER.findIndex(([l, s]) => l === leaf && s === subleaf);

test('offers the TSC deadline timer and tells the number of vCPUs', () => {
  const one = cpuidConfig(all, 1)[row(1, -1)]!;
  const four = cpuidConfig(all, 4)[row(1, -1)]!;
  assert.equal(one.ecx & (1 << 24), 1 << 24);
  assert.equal(one.edx & (1 << 28), 0);
  assert.equal(four.ebx >> 16, 4);
  assert.equal(four.edx & (1 << 28), 1 << 28);
});

test('caches have the sizes their fields say', () => {
  const sizes = [0, 1, 2, 3].map((subleaf) => {
    const { ebx, ecx } = cpuidConfig(all, 1)[row(4, subleaf)]!;
    return ((ebx >>> 22) + 1) * ((ebx & 0xfff) + 1) * (ecx + 1);
  });
  assert.deepEqual(sizes, [32 << 10, 32 << 10, 1 << 20, 16 << 20]);
});

test('asks for nothing beyond what the module lets it choose', () => {
  const none = all.map((row) => ({ ...row, eax: 0, ebx: 0, ecx: 0, edx: 0 }));
  for (const value of cpuidConfig(none, 2)) assert.deepEqual(value, { eax: 0, ebx: 0, ecx: 0, edx: 0 });
});

test('module 2.0 is told a topology: a thread a core, all cores in one package', () => {
  const order = cpuidConfigOrder(MODULE_2_0);
  const config = cpuidConfig(
    order.map(([leaf, subleaf]) => ({ leaf, subleaf, eax: -1, ebx: -1, ecx: -1, edx: -1 })),
    6,
  );
  const levels = config.filter((_, index) => order[index]![0] === 0x1f);
  assert.deepEqual(
    levels.map(({ eax, ebx, ecx }) => [eax, ebx, ecx]),
    [
      [0, 1, 0x100],
      [3, 6, 0x201],
      [0, 0, 2],
      [0, 0, 3],
      [0, 0, 4],
      [0, 0, 5],
    ],
  );
});
