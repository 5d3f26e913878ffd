import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateReader, StateWriter } from '../bits/index.ts';
import { Cr4 } from './architecture.ts';
import { flatBench } from './engine/flat-bench.ts';
import type { GeneratedCode } from './engine/generated-code.ts';
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

test('code in global pages goes on after a snapshot where an earlier run knows its places', () => {
  // xor eax, eax; l: inc eax; cmp eax, 3; jne l; hlt
  const program = [0x31, 0xc0, 0xff, 0xc0, 0x83, 0xf8, 0x03, 0x75, 0xf9, 0xf4];
  const GLOBAL = 0x100;
  const benchOf = (ready?: GeneratedCode) => {
    const bench = flatBench(ready === undefined ? {} : { ready });
    const { cpu, memory, at, map } = bench;
    memory.u8.set(program, at);
    map(0x5000, at + GLOBAL);
    cpu.state.setLow(S.cr4, cpu.state.low(S.cr4) | Cr4.PGE);
    const run = (): number => {
      cpu.state.set(S.rip, 0x5000, 2);
      cpu.state.setLow(S.gpr, 7);
      cpu.run();
      return cpu.state.low(S.gpr);
    };
    return { ...bench, run };
  };
  const first = benchOf();
  assert.equal(first.run(), 3);
  const writer = new StateWriter();
  first.cpu.visitState(writer);
  const second = benchOf(first.engine.generated);
  second.cpu.visitState(new StateReader(writer.tree));
  assert.equal(second.run(), 3);
});
