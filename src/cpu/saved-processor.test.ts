import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateReader, StateWriter } from '../bits/index.ts';
import { flatBench } from './engine/flat-bench.ts';
import { S } from './state.ts';

test('translations that a processor got back from a snapshot are forgotten like those it made', () => {
  const { cpu, memory, at, map } = flatBench();
  // mov rax, [rbx]; hlt
  memory.u8.set([0x48, 0x8b, 0x03, 0xf4], at);
  const [first, second] = [memory.ramBase + 0x80_0000, memory.ramBase + 0x80_1000];
  memory.u8[first] = 1;
  memory.u8[second] = 2;
  map(0x5000, first);
  const read = (): number => {
    cpu.state.set(S.rip, at, 0);
    cpu.state.set(S.gpr + 3 * 8, 0x5000, 2);
    cpu.run();
    return cpu.state.low(S.gpr);
  };
  assert.equal(read(), 1);
  const writer = new StateWriter();
  cpu.visitState(writer);
  cpu.flushTlb(false);
  cpu.visitState(new StateReader(writer.tree));
  map(0x5000, second);
  assert.equal(read(), 1, 'remembered still');
  cpu.flushTlb(false);
  assert.equal(read(), 2);
});
