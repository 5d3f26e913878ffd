/** V8's profiler tells compiled from interpreted code by the names of the engine's modules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatBench } from '../../src/cpu/engine/flat-bench.ts';
import { S } from '../../src/cpu/index.ts';
import { PhaseSampler } from '../../src/node/index.ts';

/** Phases of a loop of a hundred million instructions. */
function timesOfLoop(compileAfter: number) {
  const { cpu, engine, memory, at } = flatBench();
  engine.code.compileAfter = compileAfter;
  // mov ecx, 50000000; l: dec ecx; jnz l; hlt
  memory.u8.set([0xb9, 0x80, 0xf0, 0xfa, 0x02, 0xff, 0xc9, 0x75, 0xfc, 0xf4], at);
  cpu.state.set(S.rip, at, 0);
  const sampler = PhaseSampler.start();
  cpu.run();
  return sampler.stop();
}

test('a loop counts as interpreted, or as compiled', () => {
  const interpreted = timesOfLoop(0);
  assert.ok(interpreted.interpreted > 20, `${interpreted.interpreted} ms`);
  assert.equal(interpreted.compiled, 0);
  const compiled = timesOfLoop(1000);
  assert.ok(compiled.compiled > 5, `${compiled.compiled} ms`);
  assert.ok(compiled.compiled > compiled.interpreted);
});
