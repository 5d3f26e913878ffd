/** A run that was kept and taken up again is the run that was never stopped, to the last bit. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { SnapshotError, StateReader, type StateTree, StateWriter } from '../../src/bits/index.ts';
import { type Assembler, mem8, mem32, mem64, r } from '../../src/isa/index.ts';
import type { LoadPlan } from '../../src/loader/index.ts';
import {
  decodeSnapshotHead,
  encodeSnapshotHead,
  MemorySnapshot,
  type PlatformOptions,
  pagesInUse,
  TdxPlatform,
} from '../../src/machine/index.ts';
import { smallTd } from './small-td.ts';
import { powerOff, print, vmmCall, writeMsr } from './small-td-calls.ts';
import { DATA_GPA, endOfInterrupt, loadIdt, setGate, takeStack, wake, X2apicMsr } from './smp-calls.ts';

const MEMORY_BYTES = 16 << 20;
const TIMER_VECTOR = 0x60;
const Timer = { lvt: 0x832, initialCount: 0x838, divide: 0x83e } as const;
const SHARED_BIT = 2 ** 47;
const ABOUT = {
  kind: 'boot',
  command: ['boot'],
  inputs: [],
  instructions: 0,
  atShell: false,
  platform: { memoryBytes: MEMORY_BYTES, seed: 1, cpu: 'minimal', tdxModule: '1.5', vmm: 'qemu', quoteVersion: 4 },
} as const;

/** Two vCPUs with stacks, a periodic timer, random numbers, a page that becomes shared, code that is changed, and console output. */
function busy(a: Assembler): void {
  takeStack(a, 0);
  setGate(a, TIMER_VECTOR, 'tick');
  loadIdt(a);
  vmmCall(a, TdvmcallLeaf.MAP_GPA, SHARED_BIT + 0x10_0000, 0x1000);
  writeMsr(a, X2apicMsr.spuriousVector, 0x1ff);
  writeMsr(a, Timer.lvt, TIMER_VECTOR | (1 << 17));
  writeMsr(a, Timer.divide, 0xb);
  writeMsr(a, Timer.initialCount, 300);
  wake(a, 1, 'second');
  a.sti();
  a.mov(r.ebp, 60);
  a.label('round');
  a.rdrand(r.rax);
  a.mov(r.rbx, DATA_GPA);
  a.add(mem64(r.rbx, 0x40), r.rax);
  a.mov(r.ecx, 2000);
  a.label('work');
  a.xor(mem8(r.rbx, 0x80, { index: r.rcx }), r.cl);
  a.add(mem32(r.rbx, 8), r.ecx);
  a.sub(r.ecx, 1);
  a.jne('work');
  a.mov(r.r15, r.rbp);
  a.and(r.r15d, 15);
  a.add(r.r15d, 'a'.charCodeAt(0));
  print(a, r.r15);
  a.sub(r.ebp, 1);
  a.jne('round');
  powerOff(a);

  a.label('second');
  takeStack(a, 1);
  a.mov(r.rbx, DATA_GPA);
  a.label('spin');
  a.add(mem32(r.rbx, 0x10), 1);
  a.pause();
  a.jmp('spin');

  a.label('tick');
  a.push(r.rbx);
  a.mov(r.rbx, DATA_GPA);
  a.add(mem32(r.rbx, 0x20), 1);
  endOfInterrupt(a);
  a.pop(r.rbx);
  a.iretq();
}

type Options = Partial<PlatformOptions>;

function built(plan: LoadPlan, options: Options = {}) {
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, ...options });
  let text = '';
  const td = platform.buildTd(plan, { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
  return { platform, td, text: () => text };
}

/** In a fresh platform, as from a file. */
function resumed(of: TdxPlatform, options: Options = {}) {
  const writer = new StateWriter();
  of.visitState(writer);
  const runs = pagesInUse(of.memory);
  const head = decodeSnapshotHead(encodeSnapshotHead({ about: ABOUT, tree: writer.tree, runs }));
  assert.deepEqual(head.about, ABOUT);
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, ...options });
  for (const { hpa, lengthBytes } of head.runs)
    platform.memory.u8.set(of.memory.u8.subarray(hpa, hpa + lengthBytes), hpa);
  let text = '';
  platform.visitState(new StateReader(head.tree), { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
  return { platform, td: platform.tds[0]!, text: () => text };
}

function bits({ platform, td }: { platform: TdxPlatform; td: { readMrtd(): Uint8Array } }) {
  const { memory, clock } = platform;
  const ram = memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes);
  return {
    memory: createHash('sha256').update(ram).digest('hex'),
    ticks: clock.nowTicks,
    mrtd: Buffer.from(td.readMrtd()).toString('hex'),
  };
}

/** State of a platform, as a snapshot has it. */
function state(platform: TdxPlatform): StateTree {
  const writer = new StateWriter();
  platform.visitState(writer);
  return writer.tree;
}

/** The same without the processors, whose rows also say where generated code happened to stop. */
function stateOfParts(platform: TdxPlatform): StateTree {
  const { processors, ...parts } = state(platform);
  assert.ok(processors !== undefined);
  return parts;
}

describe('snapshots', () => {
  const plan = smallTd(busy, 2);

  for (const [before, after] of [
    ['compiler', 'compiler'],
    ['interpreter', 'interpreter'],
    ['compiler', 'interpreter'],
    ['mixed', 'mixed'],
    ['mixed', 'compiler'],
  ] as const) {
    test(`taken with the ${before}, gone on with in the ${after}: the same bits at the end`, () => {
      const whole = built(plan, { engine: before });
      const { end } = whole.td.run({ instructions: 50_000_000 });
      assert.equal(end.cause, 'power-off');
      const total = whole.platform.clock.nowTicks;
      for (const share of [0.2, 0.7]) {
        const first = built(plan, { engine: before });
        first.td.run({ instructions: Math.floor(total * share) });
        const second = resumed(first.platform, { engine: after });
        assert.equal(second.td.run({ instructions: 50_000_000 }).end.cause, 'power-off');
        assert.equal(first.text() + second.text(), whole.text());
        assert.deepEqual(bits(second), bits(whole));
      }
    });
  }

  test('a platform can be taken back to an earlier moment, again and again', () => {
    const run = built(plan);
    run.td.run({ instructions: 60_000 });
    const snapshot = new MemorySnapshot(run.platform);
    run.td.run({ instructions: 90_000 });
    const [later, where] = [bits(run), stateOfParts(run.platform)];
    for (let i = 0; i < 2; i++) {
      snapshot.restore(run.platform);
      run.td.run({ instructions: 90_000 });
      assert.deepEqual(bits(run), later);
      assert.deepEqual(stateOfParts(run.platform), where);
    }
    assert.equal(run.td.run().end.cause, 'power-off');
    snapshot.restore(run.platform);
    assert.equal(run.td.run().end.cause, 'power-off', 'even after its end');
  });

  test('what cannot be kept, and what does not fit, is said', () => {
    const run = built(plan);
    run.platform.clock.schedule(1e9, () => {});
    assert.throws(() => new MemorySnapshot(run.platform), /alarm that nobody could set again/);
    const ended = built(smallTd(powerOff));
    ended.td.run();
    assert.throws(() => new MemorySnapshot(ended.platform), SnapshotError);
    const other = new StateWriter();
    built(smallTd(powerOff)).platform.visitState(other);
    const small = new TdxPlatform({ memoryBytes: MEMORY_BYTES / 2 });
    assert.throws(() => small.visitState(new StateReader(other.tree)), /elements in place of/);
  });

  test('a head that is damaged or of another version is refused with the reason', () => {
    const run = built(plan);
    const bytes = encodeSnapshotHead({ about: ABOUT, tree: state(run.platform), runs: [] });
    const changed = (change: (copy: Uint8Array) => void): Uint8Array => {
      const copy = bytes.slice();
      change(copy);
      return copy;
    };
    assert.throws(() => decodeSnapshotHead(changed((copy) => copy.fill(0x20, 0, 4))), /it is no snapshot/);
    assert.throws(() => decodeSnapshotHead(changed((copy) => copy.fill(9, 8, 9))), /it has format 9/);
    assert.throws(() => decodeSnapshotHead(bytes.subarray(0, 8192)), /cut short/);
    assert.throws(() => decodeSnapshotHead(changed((copy) => copy.fill(0x20, 24, 30))), /its head is damaged/);
    assert.throws(
      () => decodeSnapshotHead(changed((copy) => copy.fill(0xee, bytes.length - 64, bytes.length - 63))),
      /its head is damaged/,
    );
    const layout = new TextEncoder().encode('"layout":"4');
    const at = bytes.findIndex((_, i) => layout.every((byte, j) => bytes[i + j] === byte));
    const ofAnother = changed((copy) => {
      copy.fill(0x35, at + 10, at + 11);
      const sum = copy.subarray(24).reduce((hash, byte) => Math.imul(hash ^ byte, 0x0100_0193), 0x811c_9dc5); // FNV-1a
      new DataView(copy.buffer).setInt32(20, sum, true);
    });
    assert.throws(() => decodeSnapshotHead(ofAnother), /another version/);
  });
});
