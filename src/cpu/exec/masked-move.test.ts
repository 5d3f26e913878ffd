/** Masked moves and gathers at the edge of memory: what is not chosen is not touched, and what came before a fault stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createInstruction, type Instruction, OperandKind } from '../../isa/index.ts';
import { HostMemory } from '../../memory/index.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { Segment } from '../segments.ts';
import { CpuState, S, STATE_BYTES } from '../state.ts';
import { maskedMoveOperations } from './masked-move.ts';

const PAGE = 4096;
const PAGE_FAULT = 14;
const [TARGET, MASK, INDEX] = [1, 2, 3];

/** One page of memory at address 0; everything else faults. The memory operand is at `address`. */
class Bench {
  readonly image = Uint8Array.from({ length: PAGE }, (_, i) => (i * 13 + 7) & 0xff);
  readonly state: CpuState;
  readonly #cpu: Processor;

  constructor() {
    const memory = new HostMemory(65536);
    this.state = new CpuState(memory.wasm, memory.reserveProcessorArea(STATE_BYTES));
    const place = (low: number, length: number) => {
      if (low < 0 || low + length > PAGE) throw new GuestFault(PAGE_FAULT, 0);
      return low;
    };
    const cpu = {
      state: this.state,
      memory,
      addressLow: 0,
      addressHigh: 0,
      dataLow: 0,
      dataHigh: 0,
      load: (low: number, _high: number, size: number) => {
        const view = new DataView(this.image.buffer, place(low, size));
        cpu.dataLow = view.getInt32(0, true);
        cpu.dataHigh = size === 8 ? view.getInt32(4, true) : 0;
        return cpu.dataLow;
      },
      loadBytes: (low: number, _high: number, bytes: Uint8Array) =>
        bytes.set(this.image.subarray(place(low, bytes.length), low + bytes.length)),
      storeBytes: (low: number, _high: number, bytes: Uint8Array) => this.image.set(bytes, place(low, bytes.length)),
    };
    this.#cpu = cpu as unknown as Processor;
  }

  set address(low: number) {
    this.state.setLow(S.segmentBase + Segment.Ds * 8, low);
  }

  register(number: number): Uint8Array {
    const at = this.state.base + S.vector + 32 * number;
    return new Uint8Array(this.state.gprs.buffer, at, 32);
  }

  /** Executes; true: it faulted. */
  faults(
    name: string,
    operands: readonly Partial<Instruction['operands'][number]>[],
    change: Partial<Instruction> = {},
  ): boolean {
    const instruction = createInstruction();
    operands.forEach((operand, i) => {
      Object.assign(instruction.operands[i]!, operand);
    });
    Object.assign(instruction, change);
    try {
      (maskedMoveOperations[name]!.host as HostOperation)(this.#cpu, instruction);
      return false;
    } catch (error) {
      assert.ok(error instanceof GuestFault);
      return true;
    }
  }
}

const vector = (register: number, size = 256) => ({ kind: OperandKind.Ymm, register, size });
const memory = (size = 256) => ({ kind: OperandKind.Memory, size });

test('masked moves: only chosen elements are loaded, stored, or can fault', () => {
  const scene = fc.record({
    elementBytes: fc.constantFrom(4, 8),
    chosen: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    address: fc.integer({ min: PAGE - 48, max: PAGE + 40 }),
    stores: fc.boolean(),
  });
  fc.assert(
    fc.property(scene, ({ elementBytes, chosen, address, stores }) => {
      const bench = new Bench();
      bench.address = address;
      const before = bench.image.slice();
      const count = 32 / elementBytes;
      const mask = bench.register(MASK).fill(0x7f);
      for (let i = 0; i < count; i++) if (chosen[i]) mask[(i + 1) * elementBytes - 1] = 0x80;
      const target = bench.register(TARGET).fill(0xaa);
      const name = elementBytes === 4 ? 'VMASKMOVPS' : 'VPMASKMOVQ';
      const operands = stores ? [memory(), vector(MASK), vector(TARGET)] : [vector(TARGET), vector(MASK), memory()];
      const inRange = (i: number) => address + (i + 1) * elementBytes <= PAGE;
      const mustFault = Array.from({ length: count }, (_, i) => i).some((i) => chosen[i] && !inRange(i));
      assert.equal(bench.faults(name, operands), mustFault);
      for (let byte = 0; byte < 32; byte++) {
        const takes = chosen[Math.floor(byte / elementBytes)]! && !mustFault;
        if (stores && address + byte < PAGE)
          assert.equal(bench.image[address + byte], takes ? 0xaa : before[address + byte], `stored byte ${byte}`);
        if (!stores)
          assert.equal(target[byte], mustFault ? 0xaa : takes ? before[address + byte] : 0, `loaded byte ${byte}`);
      }
    }),
    { numRuns: 400, seed: 3 },
  );
});

test('a gather that faults keeps what it has loaded, and says in the mask what is left', () => {
  for (const faulting of [0, 1, 3, 7, 8]) {
    const bench = new Bench();
    const indexes = new Int32Array(8);
    for (let i = 0; i < 8; i++) indexes[i] = i === faulting ? PAGE : 8 * i - 2;
    bench.address = 100;
    bench.register(INDEX).set(new Uint8Array(indexes.buffer));
    const mask = bench.register(MASK).fill(0x80);
    mask[2 * 4 + 3] = 0; // element 2 is not wanted
    const target = bench.register(TARGET).fill(0xaa);
    const operands = [vector(TARGET), memory(32), vector(MASK)];
    const gather = () => bench.faults('VPGATHERDD', operands, { index: INDEX, vectorIndex: 256, scaleShift: 1 });
    assert.equal(gather(), faulting < 8);
    const view = new DataView(target.buffer, target.byteOffset, 32);
    const wanted = (i: number) => new DataView(bench.image.buffer).getInt32(100 + 2 * (8 * i - 2), true);
    const kept = 0xaaaa_aaaa | 0;
    for (let i = 0; i < 8; i++) {
      const isDone = i < faulting;
      assert.equal(view.getInt32(4 * i, true), isDone && i !== 2 ? wanted(i) : kept, `element ${i} of ${faulting}`);
      assert.equal(mask[4 * i + 3], isDone || i === 2 ? 0 : 0x80, `mask ${i} of ${faulting}`);
    }
    if (faulting === 8) continue;
    bench.register(INDEX).set(new Uint8Array(new Int32Array([8 * faulting - 2]).buffer), 4 * faulting);
    assert.equal(gather(), false, 'and goes on when it is executed again');
    for (let i = 0; i < 8; i++) assert.equal(view.getInt32(4 * i, true), i === 2 ? kept : wanted(i));
    assert.ok(mask.every((byte) => byte === 0));
  }
});
