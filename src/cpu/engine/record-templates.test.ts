/** Records copied from templates against those that decoder and binder make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstruction, DecodeResult, Decoder, OPTIONAL_FEATURES } from '../../isa/index.ts';
import { OPERATIONS } from '../index.ts';
import { Binder } from './binder.ts';
import { flatBench } from './flat-bench.ts';
import { RECORD_BYTES } from './record.ts';
import { RecordTemplates } from './record-templates.ts';

const PAGE_BYTES = 4096;
const ROUNDS = 150_000;
const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x65, 0x41, 0x44, 0x48, 0x4d];
const MODRMS = [0x00, 0x04, 0x05, 0x0c, 0x45, 0x54, 0x85, 0x94, 0xc1, 0xd8, 0xe7, 0xff];
const SIBS = [0x05, 0x20, 0x25, 0x44, 0xe1, 0xfd];

/** A small generator of numbers below `limit`, the same in each run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 0) / 0x1_0000_0000) * limit);
  };
}

test('a template gives the record that decoder and binder would make', () => {
  const { engine } = flatBench();
  const { memory } = engine;
  const decoder = new Decoder(OPTIONAL_FEATURES);
  let handlers = 16;
  const indices = new Map<string, number>();
  const index = ({ key }: { key: string }): number => {
    if (!indices.has(key)) indices.set(key, handlers++);
    return indices.get(key)!;
  };
  const binder = new Binder(memory.wasm, { index }, OPERATIONS);
  let templates = new RecordTemplates(memory);
  const made = memory.reserveProcessorArea(RECORD_BYTES);
  const copied = memory.reserveProcessorArea(RECORD_BYTES);
  const page = memory.ramBase;
  const instruction = createInstruction();
  const below = numbers(0x7e3a);
  const words = (record: number) => [...memory.i32.subarray(record >> 2, (record + RECORD_BYTES) >> 2)];
  let copies = 0;
  let copiesBefore = 0;
  const codings = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    if (round === ROUNDS / 2) {
      // another run goes on with what it may know
      const kept = templates.kept(handlers / 2);
      templates = new RecordTemplates(memory);
      templates.restore(kept);
      assert.equal(templates.kept(handlers).length, kept.length);
      copiesBefore = copies;
    }
    const prefixes = Array.from({ length: below(4) }, () => PREFIXES[below(PREFIXES.length)]!);
    const opcode = below(2) === 0 ? [below(256)] : [0x0f, below(256)];
    const rest = [
      MODRMS[below(MODRMS.length)]!,
      SIBS[below(SIBS.length)]!,
      ...Array.from({ length: 12 }, () => below(256)),
    ];
    const offset = below(8) === 0 ? PAGE_BYTES - 1 - below(15) : below(PAGE_BYTES - 15);
    memory.u8.set([...prefixes, ...opcode, ...rest], page + offset);
    const traits = templates.write(copied, page, offset);
    const result = decoder.decode(memory.u8, page + offset, page + PAGE_BYTES, 64, instruction);
    if (result !== DecodeResult.Ok) {
      assert.equal(traits, -1);
      continue;
    }
    const bound = binder.write(made, instruction, offset, true);
    if (traits < 0) templates.learn(made, page, offset, instruction, bound);
    else {
      copies++;
      codings.add(instruction.immediateCoding);
      const text = `${instruction.form.mnemonic} ${Buffer.from(memory.u8.subarray(page + offset, page + offset + 15)).toString('hex')}`;
      assert.deepEqual(words(copied), words(made), text);
      assert.equal(traits, bound.traits, text);
    }
  }
  assert.ok(copies > ROUNDS / 8 && copies > 2 * copiesBefore, `${copiesBefore} and ${copies - copiesBefore} copies`);
  assert.equal(codings.size, 7);
});
