import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuProfile, phasesOf } from './phases.ts';

test('a sample counts for the phase of its source file, else of the nearest caller that has one', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 0 });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 5, 8, 9] },
      { id: 2, callFrame: frame('#decodeRun', 'file:///x/src/cpu/engine/code-cache.js'), children: [3, 4] },
      { id: 3, callFrame: frame('push', 'file:///x/src/cpu/engine/graph.js') },
      { id: 4, callFrame: frame('Module') },
      { id: 5, callFrame: frame('#runUntilExit', 'file:///x/src/cpu/cpu.js'), children: [6, 7, 10] },
      { id: 6, callFrame: frame('wasm-function[1]', 'wasm://wasm/regions-0016a99e') },
      { id: 7, callFrame: frame('#codeEntry', 'file:///x/src/cpu/cpu.js') },
      { id: 10, callFrame: frame('wasm-function[2]', 'wasm://wasm/walks-0016a99e') },
      { id: 8, callFrame: frame('(garbage collector)') },
      { id: 9, callFrame: frame('toString') },
    ],
    samples: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    timeDeltas: [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000],
  };
  const times = phasesOf(profile);
  const { other, decode, webAssembly, leaving, compiled, walks, garbage } = times;
  assert.deepEqual(
    { other, decode, webAssembly, leaving, compiled, walks, garbage },
    { other: 257, decode: 6, webAssembly: 8, leaving: 16, compiled: 32, walks: 576, garbage: 128 },
  );
  assert.equal(
    Object.values(times).reduce((sum, value) => sum + value, 0),
    1023,
  );
});
