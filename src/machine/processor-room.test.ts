import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessorComplex } from '../cpu/index.ts';
import { MAXIMUM_VCPUS } from '../loader/index.ts';
import { HostMemory, PROCESSOR_AREA_BYTES } from '../memory/index.ts';
import { Clock } from '../time/index.ts';
import { hostMemoryFor } from './config.ts';
import { SeededEntropy } from './entropy.ts';

/** The most that linux-direct.ts accepts. */
const LARGEST_GUEST_BYTES = 3072 * 2 ** 20;

test('there is room for as many processors as a TD may have vCPUs, beside the memory of the largest guest', () => {
  const processors = new ProcessorComplex(new HostMemory(1 << 20), new Clock(), { compiler: null });
  for (let index = 0; index < MAXIMUM_VCPUS; index++) processors.create(new SeededEntropy(1, index));
  assert.ok(PROCESSOR_AREA_BYTES + hostMemoryFor(LARGEST_GUEST_BYTES) <= 2 ** 32);
});
