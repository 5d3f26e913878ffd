/** What is worth asking the compiler for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { S } from '../state.ts';
import { flatBench } from './flat-bench.ts';
import type { RegionCompiler } from './region-compiler.ts';

const VISITS = 10;
/** mov ebx, 1000; then, at 5, l: an instruction; dec ebx; jnz l; hlt */
const loop = (...instruction: number[]): number[] =>
  [0xbb, 0xe8, 3, 0, 0, ...instruction].concat([0xff, 0xcb, 0x75, 256 - 4 - instruction.length, 0xf4]);
const LOOP_OFFSET = 5;

/** Page offsets that a compiler, which never answers, is asked for while the loop runs. */
function asked(program: readonly number[]): number[] {
  const offsets: number[] = [];
  const compiler: RegionCompiler = {
    visits: VISITS,
    begin: () => {},
    takes: (waiting) => waiting,
    submit: (requests) => {
      offsets.push(...requests.map(({ pageOffset }) => pageOffset));
    },
    collect: () => [],
  };
  const { cpu, memory, at } = flatBench({ compiler, operations: { CPUID: { host: () => {} } } });
  memory.u8.set(program, at);
  cpu.state.set(S.rip, at, 0);
  cpu.run();
  return offsets;
}

test('a loop is asked for, once, but of one that begins with what only the host executes the rest', () => {
  assert.deepEqual(asked(loop(0xff, 0xc0)), [LOOP_OFFSET], 'inc eax');
  assert.deepEqual(asked(loop(0x0f, 0xa2)), [LOOP_OFFSET + 2], 'cpuid, and what follows it');
});
