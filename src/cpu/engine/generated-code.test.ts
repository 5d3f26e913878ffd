/** Code of an earlier run is found by its bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { S } from '../state.ts';
import { type FlatBench, flatBench } from './flat-bench.ts';

const RAX = S.gpr;
const LOOPS = 10_000;

const bytes32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 255);

function benchOf(earlier?: FlatBench): FlatBench {
  const bench = flatBench(earlier === undefined ? {} : { ready: earlier.engine.generated });
  bench.engine.code.compileAfter = 100;
  return bench;
}

function run({ cpu }: FlatBench, at: number): void {
  cpu.state.set(S.rip, at, 0);
  cpu.run();
}

/** mov ecx, loops; l: nop; add rax, addend; dec ecx; jnz l; hlt */
const loop = (loops: number, addend: number): number[] =>
  [0xb9, ...bytes32(loops), 0x90, 0x48, 0x83, 0xc0, addend].concat([0xff, 0xc9, 0x75, 0xf7, 0xf4]);

/** The guest writes a byte: mov byte [rip + distance], value; hlt */
function patch(bench: FlatBench, address: number, value: number): void {
  const at = bench.at + 0x1000;
  bench.memory.u8.set([0xc6, 0x05, ...bytes32(address - (at + 7)), value, 0xf4], at);
  run(bench, at);
}

test('code is found that the guest makes by changing its code', () => {
  const first = benchOf();
  first.memory.u8.set(loop(LOOPS, 2), first.at);
  for (let i = 0; i < 20; i++) run(first, first.at);
  assert.ok(first.engine.code.regionsCompiled > 0);

  const second = benchOf(first);
  const { memory, at, engine, cpu } = second;
  memory.u8.set(loop(10, 1), at);
  run(second, at);
  patch(second, at + 9, 2);
  assert.equal(engine.code.compiledPages.length, 0);
  for (let i = 0; i < 40; i++) run(second, at);
  assert.ok(engine.code.compiledPages.includes(at));
  assert.equal(engine.code.regionsCompiled, 0, 'nothing had to be compiled');
  assert.equal(cpu.state.big(RAX), BigInt(10 + 40 * 10 * 2));
});

test('a return that stands alone is found, whatever follows it', () => {
  // mov ecx, LOOPS; l: call f; dec ecx; jnz l; hlt; and f, in the next page: ret
  const program = [0xb9, ...bytes32(LOOPS), 0xe8, ...bytes32(0x1000 - 10), 0xff, 0xc9, 0x75, 0xf7, 0xf4];
  const runCalls = (bench: FlatBench, next: number): void => {
    bench.memory.u8.set(program, bench.at);
    bench.memory.u8.set([0xc3, next], bench.at + 0x1000);
    bench.cpu.state.set(S.gpr + 4 * 8, bench.at + 0x8000, 0);
    for (let i = 0; i < 20; i++) run(bench, bench.at);
  };
  const first = benchOf();
  runCalls(first, 0x90);
  assert.ok(first.engine.code.regionsCompiled > 0);
  const second = benchOf(first);
  runCalls(second, 0xcc);
  assert.equal(second.engine.code.regionsCompiled, 0);
});
