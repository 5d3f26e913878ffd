import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstruction } from '../../isa/index.ts';
import { HostMemory } from '../../memory/index.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { Segment } from '../segments.ts';
import { CpuState, S, STATE_BYTES } from '../state.ts';
import { fxsaveOperations } from './fxsave.ts';
import { xsaveOperations } from './xsave.ts';

const IMAGE_BYTES = 4096;

/** A processor whose memory operand is a buffer of its own. */
class Bench {
  readonly image = new Uint8Array(IMAGE_BYTES);
  readonly view = new DataView(this.image.buffer);
  readonly state: CpuState;
  readonly #cpu: Processor;

  constructor() {
    const memory = new HostMemory(65536);
    this.state = new CpuState(memory.wasm, memory.reserveProcessorArea(STATE_BYTES));
    const cpu = {
      state: this.state,
      memory,
      addressLow: 0,
      addressHigh: 0,
      loadBytes: (low: number, _high: number, bytes: Uint8Array) =>
        bytes.set(this.image.subarray(low, low + bytes.length)),
      storeBytes: (low: number, _high: number, bytes: Uint8Array) => this.image.set(bytes, low),
      writePkru: (value: number) => this.state.setLow(S.pkru, value),
    };
    this.#cpu = cpu as unknown as Processor;
    this.state.set(S.cr4, 1 << 18, 0);
    this.state.set(S.xcr0, 7, 0);
  }

  set alignment(bytes: number) {
    this.state.setLow(S.segmentBase + Segment.Ds * 8, bytes);
  }

  run(name: string): void {
    const instruction = createInstruction();
    instruction.mode = 64;
    const operation = { ...fxsaveOperations, ...xsaveOperations }[name]!;
    (operation.host as HostOperation)(this.#cpu, instruction);
  }

  /** Different values in every register; ST(0) is R3. */
  fill(): void {
    const { state } = this;
    state.setLow(S.fpuControl, 0x27f);
    state.setLow(S.fpuStatus, 0x1801);
    state.setLow(S.fpuTag, 0x18);
    state.set(S.fpuIp, 0x1234_5678, 0x9abc);
    state.setLow(S.mxcsr, 0x1fa0);
    for (let i = 0; i < 8; i++) {
      state.setBig(S.fpuRegister + 16 * i, 0x8000_0000_0000_0000n | BigInt(i));
      state.setLow(S.fpuRegister + 16 * i + 8, 0x3ff0 + i);
    }
    for (let i = 0; i < 16; i++)
      for (let half = 0; half < 4; half++) state.setBig(S.vector + 32 * i + 8 * half, BigInt(0x1000 * i + half + 1));
  }

  snapshot(): string {
    const rows = [S.fpuControl, S.fpuStatus, S.fpuTag, S.mxcsr].map((row) => this.state.low(row));
    const wide = [S.fpuIp, ...Array.from({ length: 16 }, (_, i) => S.fpuRegister + 8 * i)];
    const vectors = Array.from({ length: 64 }, (_, i) => S.vector + 8 * i);
    return [...rows, ...[...wide, ...vectors].map((row) => this.state.big(row))].join(' ');
  }
}

test('FXSAVE64 lays out control words, registers in stack order and XMM registers', () => {
  const bench = new Bench();
  bench.fill();
  bench.image.fill(0xee);
  bench.run('FXSAVE64');
  const { view } = bench;
  assert.equal(view.getUint16(0, true), 0x27f);
  assert.equal(view.getUint16(2, true), 0x1801);
  assert.equal(view.getUint8(4), 0x18);
  assert.equal(view.getBigUint64(8, true), 0x9abc_1234_5678n);
  assert.equal(view.getUint32(24, true), 0x1fa0);
  assert.equal(view.getUint16(32 + 8, true), 0x3ff3, 'ST(0) is R3');
  assert.equal(view.getUint16(32 + 16 * 6 + 8, true), 0x3ff1, 'ST(6) is R1');
  assert.equal(view.getBigUint64(160 + 16 * 15 + 8, true), 0xf002n);
  assert.equal(view.getUint8(416), 0xee, "the rest is the system's");
});

for (const [saves, restores] of [
  ['FXSAVE64', 'FXRSTOR64'],
  ['XSAVE64', 'XRSTOR64'],
  ['XSAVEOPT64', 'XRSTOR64'],
  ['XSAVEC64', 'XRSTOR64'],
  ['XSAVES64', 'XRSTORS64'],
] as const)
  test(`${restores} brings back what ${saves} stored`, () => {
    const bench = new Bench();
    bench.fill();
    bench.state.set(S.gpr, -1, -1);
    const before = bench.snapshot();
    bench.run(saves);
    for (let row = S.mxcsr; row < S.vector + 512; row += 4)
      if (row < S.fpuIp || row >= S.fpuRegister) bench.state.setLow(row, 0);
    if (saves.startsWith('FX')) {
      // FXSAVE knows no upper halves
      for (let i = 0; i < 16; i++)
        for (const half of [2, 3]) bench.state.setBig(S.vector + 32 * i + 8 * half, BigInt(0x1000 * i + half + 1));
    }
    bench.run(restores);
    assert.equal(bench.snapshot(), before);
  });

const RFBM_ALL = 7;
const header = ({ view }: Bench): bigint[] => [view.getBigUint64(512, true), view.getBigUint64(520, true)];

test('what is in its initial configuration is told by XSTATE_BV and XGETBV, and left out by XSAVEOPT, XSAVEC and XSAVES', () => {
  const bench = new Bench();
  const { state, view, image } = bench;
  state.setLow(S.mxcsr, 0x1f80);
  state.setLow(S.fpuControl, 0x37f);
  state.set(S.gpr, RFBM_ALL, 0);
  image.fill(0xee, 0, 512);
  image.fill(0xee, 576);
  bench.run('XSAVE');
  assert.deepEqual(header(bench), [0n, 0n]);
  assert.equal(view.getUint32(576, true), 0, 'XSAVE stores it all the same');

  // one bit in the upper half of YMM9: AVX alone is in use
  state.setBig(S.vector + 32 * 9 + 24, 1n);
  image.fill(0xee, 0, 512);
  bench.run('XSAVEOPT');
  assert.deepEqual(header(bench), [4n, 0n]);
  assert.equal(view.getUint16(0, true), 0xeeee, 'no x87 state');
  assert.equal(view.getUint32(24, true), 0x1f80, 'MXCSR is stored with either SSE or AVX');
  assert.equal(view.getUint32(160, true), 0xeeee_eeee, 'no XMM registers');
  assert.equal(view.getBigUint64(576 + 16 * 9 + 8, true), 1n);

  image.fill(0xee);
  bench.run('XSAVEC');
  assert.deepEqual(header(bench), [4n, (1n << 63n) | 7n]);
  assert.equal(view.getUint32(24, true), 0xeeee_eeee, 'in the compacted format MXCSR belongs to SSE');
  assert.equal(view.getUint32(528, true), 0xeeee_eeee, 'the rest of the header is not written');

  state.setLow(S.mxcsr, 0x1fa0);
  bench.run('XSAVES');
  assert.deepEqual(header(bench), [6n, (1n << 63n) | 7n]);
  assert.equal(view.getUint32(24, true), 0x1fa0);

  state.set(S.gpr + 8, 1, 0);
  bench.run('XGETBV');
  assert.equal(state.low(S.gpr), 4);
  state.set(S.gpr + 8, 0, 0);
  bench.run('XGETBV');
  assert.equal(state.low(S.gpr), 7);
});

test('PKRU is component 9: at 2688, or behind what comes before it in the compacted format', () => {
  const bench = new Bench();
  const { state, view, image } = bench;
  const PKRU = 1 << 9;
  state.set(S.xcr0, 7 | PKRU, 0);
  bench.fill();
  const places = [
    ['XSAVE', 7 | PKRU, 2688],
    ['XSAVEC', 7 | PKRU, 832],
    ['XSAVES', 3 | PKRU, 576],
  ] as const;
  for (const [saves, components, offset] of places) {
    state.setLow(S.pkru, 0x5555_5554);
    state.set(S.gpr, components, 0);
    image.fill(0);
    image.fill(0xee, 576);
    bench.run(saves);
    assert.equal(view.getBigUint64(512, true) & BigInt(PKRU), BigInt(PKRU), saves);
    assert.equal(view.getBigUint64(offset, true), 0x5555_5554n, saves);
    state.setLow(S.pkru, 3);
    bench.run(saves === 'XSAVES' ? 'XRSTORS' : 'XRSTOR');
    assert.equal(state.low(S.pkru), 0x5555_5554, saves);
    view.setBigUint64(512, BigInt(components & ~PKRU), true);
    bench.run(saves === 'XSAVES' ? 'XRSTORS' : 'XRSTOR');
    assert.equal(state.low(S.pkru), 0, `${saves}: not in the image is 0`);
  }
  state.setLow(S.pkru, 5);
  state.set(S.gpr, 7, 0);
  bench.run('XRSTOR');
  assert.equal(state.low(S.pkru), 5, 'not asked for');
  state.set(S.gpr + 8, 1, 0);
  bench.run('XGETBV');
  assert.equal(state.low(S.gpr) & PKRU, PKRU);
  state.setLow(S.pkru, 0);
  bench.run('XGETBV');
  assert.equal(state.low(S.gpr) & PKRU, 0, 'in its initial configuration');
});

test('XSAVE keeps the bits of XSTATE_BV that it was not asked for', () => {
  const bench = new Bench();
  bench.fill();
  bench.state.set(S.gpr, 2, 0);
  bench.view.setBigUint64(512, 5n, true);
  bench.run('XSAVE');
  assert.deepEqual(header(bench), [7n, 0n]);
});

test('XRSTOR initialises components that the image does not hold', () => {
  const bench = new Bench();
  bench.fill();
  bench.state.set(S.gpr, 7, 0);
  bench.view.setUint32(24, 0x1f80, true);
  bench.run('XRSTOR');
  assert.equal(bench.state.low(S.fpuControl), 0x37f);
  assert.equal(bench.state.low(S.fpuTag), 0);
  assert.equal(bench.state.big(S.vector + 32 * 5), 0n);
  assert.equal(bench.state.big(S.vector + 32 * 5 + 16), 0n);
});

test('misaligned images, reserved MXCSR bits, bad headers and a missing FPU fault', () => {
  const faultOf = (prepare: (bench: Bench) => void, name: string): number | undefined => {
    const bench = new Bench();
    bench.state.set(S.gpr, 7, 0);
    prepare(bench);
    try {
      bench.run(name);
    } catch (fault) {
      assert.ok(fault instanceof GuestFault);
      return fault.vector;
    }
    return undefined;
  };
  assert.equal(
    faultOf((bench) => (bench.alignment = 8), 'FXSAVE'),
    13,
  );
  assert.equal(
    faultOf((bench) => (bench.alignment = 32), 'XSAVE'),
    13,
  );
  assert.equal(
    faultOf((bench) => bench.view.setUint32(24, 0x1_0000, true), 'FXRSTOR'),
    13,
  );
  assert.equal(
    faultOf((bench) => bench.view.setUint32(512, 8, true), 'XRSTOR'),
    13,
  );
  assert.equal(
    faultOf((bench) => bench.view.setUint32(520, 1, true), 'XRSTOR'),
    13,
  );
  assert.equal(
    faultOf(() => {}, 'XRSTORS'),
    13,
  );
  assert.equal(
    faultOf((bench) => bench.state.set(S.cr0, 8, 0), 'FXSAVE'),
    7,
  );
  assert.equal(
    faultOf((bench) => bench.state.set(S.cr0, 4, 0), 'XSAVE'),
    undefined,
  );
  assert.equal(
    faultOf((bench) => bench.state.set(S.cr0, 8, 0), 'XSAVE'),
    7,
  );
  assert.equal(
    faultOf((bench) => bench.state.set(S.cr4, 0, 0), 'XSAVE'),
    6,
  );
  assert.equal(
    faultOf(() => {}, 'XRSTOR'),
    undefined,
  );
});
