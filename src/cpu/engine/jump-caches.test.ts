/** What gives the entries of a jump cache changes in each way there is: compiled code must go where the guest does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostMemory } from '../../memory/index.ts';
import { ExitReason } from '../exit.ts';
import { S } from '../state.ts';
import { type FlatBench, flatBench } from './flat-bench.ts';
import { JUMP_CACHE_BYTES, JUMP_FILLS, JUMP_TAG, JumpCaches } from './jump-caches.ts';
import { RECORD_BYTES } from './record.ts';

const LINEAR = 0x2_0000_0000;
const [CALLER, CALLEE, THUNK] = [0x10_000, 0x11_000, 0x12_000];
const ROUNDS = 200;
const RET = 0xc3;
const relative = (from: number, to: number): number[] => [0, 8, 16, 24].map((shift) => ((to - from) >> shift) & 255);
const addToRax = (immediate: number): number[] => [0x48, 0x83, 0xc0, immediate];

/** A loop in one page that calls a function in the next, which returns by way of a third. */
function caller(): FlatBench & { sum(): number; hosts: Record<'callee' | 'thunk' | 'other', number> } {
  const b = flatBench();
  b.engine.code.compileAfter = 2;
  const page = (index: number): number => b.memory.ramBase + 0x20_0000 + index * 0x5000;
  const hosts = { callee: page(1), thunk: page(2), other: page(3) };
  b.map(CALLER, page(0));
  b.map(CALLEE, hosts.callee);
  b.map(THUNK, hosts.thunk);
  // mov ecx, ROUNDS; l: call CALLEE; dec ecx; jnz l; hlt
  b.memory.u8.set([0xb9, ROUNDS, 0, 0, 0, 0xe8, ...relative(10, 0x1000), 0xff, 0xc9, 0x75, 0xf7, 0xf4], page(0));
  // add rax, n; jmp THUNK
  for (const [host, n] of [
    [hosts.callee, 1],
    [hosts.other, 7],
  ] as const)
    b.memory.u8.set([...addToRax(n), 0xe9, ...relative(9, 0x1000)], host);
  b.memory.u8[hosts.thunk] = RET;
  const sum = (): number => {
    b.cpu.state.set(S.gpr, 0, 0);
    b.cpu.state.set(S.gpr + 4 * 8, b.at, 0);
    b.cpu.state.set(S.rip, CALLER, LINEAR / 2 ** 32);
    assert.equal(b.cpu.run().reason, ExitReason.Hlt);
    assert.equal(b.cpu.state.low(S.gpr + 4 * 8), b.at);
    return b.cpu.state.low(S.gpr) / ROUNDS;
  };
  return { ...b, sum, hosts };
}

const entriesFilled = ({ cpu, memory }: FlatBench): number => memory.i32[cpu.state.low(S.jumpFills) >> 2]!;

test('a call, and a return by way of a third page, go by the jump cache, and count as many instructions as they are', () => {
  const b = caller();
  for (let run = 1; run <= 5; run++) {
    assert.equal(b.sum(), 1);
    assert.equal(b.cpu.retired, run * (1 + ROUNDS * 6));
  }
  assert.ok(b.engine.code.regionsCompiled >= 2);
  assert.ok(entriesFilled(b) >= 3, 'the function, the return thunk, and the place behind the call');
});

test('when the bytes of the function change, or of the return thunk, the new ones are executed', () => {
  const b = caller();
  b.sum();
  b.memory.u8.set(addToRax(5), b.hosts.callee);
  b.cpu.hostPageReplaced(b.hosts.callee);
  assert.equal(b.sum(), 5);
  b.memory.u8.set([...addToRax(2), RET], b.hosts.thunk);
  b.cpu.hostPageReplaced(b.hosts.thunk);
  assert.equal(b.sum(), 7);
  b.memory.u8[b.hosts.thunk] = RET;
  b.cpu.hostPageReplaced(b.hosts.thunk);
  assert.equal(b.sum(), 5);
});

test('when the page is another one, the function there is called, once the translation is given up', () => {
  const changes: ((b: FlatBench) => void)[] = [
    ({ cpu }) => cpu.flushTlbPage((LINEAR + CALLEE) | 0, LINEAR / 2 ** 32),
    ({ cpu }) => cpu.flushTlb(false),
    ({ cpu }) => cpu.flushTlb(true),
    ({ cpu }) => cpu.invalidateSecondLevel(),
  ];
  for (const change of changes) {
    const b = caller();
    assert.equal(b.sum(), 1);
    b.map(CALLEE, b.hosts.other);
    change(b);
    assert.equal(b.sum(), 7);
    assert.equal(b.sum(), 7);
  }
});

test('when compiled code is dropped, or everything decoded, the interpreter goes on', () => {
  const b = caller();
  b.sum();
  const before = b.engine.code.regionsCompiled;
  for (const page of b.engine.code.compiledPages) b.engine.code.dropRegions(page);
  assert.equal(entriesFilled(b), 0);
  assert.equal(b.sum(), 1);
  b.engine.code.dropAll();
  for (const user of b.engine.users) user.forgetCodeTlb();
  assert.equal(b.sum(), 1);
  assert.ok(b.engine.code.regionsCompiled > before);
});

test('forgetting leaves no entry that any address finds, however many were filled', () => {
  const memory = new HostMemory(1 << 20);
  const caches = new JumpCaches(memory);
  const pairs = [caches.add(), caches.add()];
  const tagAt = (entry: number): number => (entry + JUMP_TAG) >> 2;
  for (const filled of [3, JUMP_FILLS, JUMP_FILLS + 1, 2000])
    for (const { fills, caches: first } of pairs) {
      for (let i = 0; i < filled; i++) {
        const entry = first + i * RECORD_BYTES;
        memory.i32[tagAt(entry)] = i; // an address below 1024 is its own index
        if (i < JUMP_FILLS) memory.i32[(fills >> 2) + 1 + i] = entry;
      }
      memory.i32[fills >> 2] = filled;
      caches.forget();
      assert.equal(memory.i32[fills >> 2], 0);
      for (let i = 0; i < (2 * JUMP_CACHE_BYTES) / RECORD_BYTES; i++) {
        const index = i % (JUMP_CACHE_BYTES / RECORD_BYTES);
        assert.notEqual(memory.i32[tagAt(first + i * RECORD_BYTES)], index);
      }
    }
});
