/**
 * Interpreter, compiler and both in turn execute the same random programs and must agree on every register, flag, byte and count, at every stop.
 *
 *   SEAMULATOR_FUZZ_INSTRUCTIONS=1000000000 node dist/tests/engines/fuzz.test.js     a longer run
 *   SEAMULATOR_FUZZ_SEED=17 ...                                                    from another seed: a failure names its own
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImmediateRegionCompiler, OPERATIONS } from '../../src/cpu/index.ts';
import { mixedEngine } from '../../src/machine/index.ts';
import { Random } from '../isa/random.ts';
import { FuzzMachine } from './fuzz-machine.ts';
import { randomProgram, randomVocabulary } from './fuzz-program.ts';

const { SEAMULATOR_FUZZ_INSTRUCTIONS, SEAMULATOR_FUZZ_SEED } = process.env;
const INSTRUCTIONS = Number(SEAMULATOR_FUZZ_INSTRUCTIONS ?? 1_000_000);
const SEED = Number(SEAMULATOR_FUZZ_SEED ?? 20261126);
/** Programs that the same machines execute one after the other. */
const PROGRAMS = 12;
const PROGRAM_INSTRUCTIONS = 90_000;

/** Runs the programs of one seed; instructions that were compared, or what differs. */
function fuzz(seed: number): number {
  const reference = new FuzzMachine({ compiler: null });
  const others: readonly (readonly [string, FuzzMachine])[] = [
    ['compiler', new FuzzMachine({ compiler: new ImmediateRegionCompiler(OPERATIONS, 3) })],
    ['mixed', new FuzzMachine(mixedEngine(seed))],
    ['mixed, with a small code cache', new FuzzMachine({ ...mixedEngine(seed + 1), cacheBytes: 3 << 19 })],
  ];
  const vocabulary = randomVocabulary(new Random(seed));
  for (let number = 0; number < PROGRAMS; number++) {
    const random = new Random(seed + number * 0x1_0001);
    const program = randomProgram(random, vocabulary);
    const dataSeed = random.next();
    for (const machine of [reference, ...others.map(([, machine]) => machine)])
      machine.load(program, new Random(dataSeed));
    const end = reference.retired + PROGRAM_INSTRUCTIONS;
    const before = reference.where;
    while (reference.retired < end) {
      const slice = 1 + random.below(1 << random.below(14));
      const disturbance = random.next();
      const isAlive = reference.run(slice);
      for (const [name, machine] of others) {
        machine.run(slice);
        const difference = reference.differenceTo(machine);
        const where = `program ${number}, interpreter at ${reference.where}, ${name} at ${machine.where}, last stop at ${before}`;
        assert.equal(difference, undefined, `SEAMULATOR_FUZZ_SEED=${seed} shows it again: ${difference}; ${where}`);
      }
      if (!isAlive) break;
      for (const machine of [reference, ...others.map(([, machine]) => machine)])
        machine.disturb(new Random(disturbance));
    }
  }
  return reference.retired;
}

test(`random programs give the same bits in every engine, ${INSTRUCTIONS} instructions from seed ${SEED} on`, () => {
  let compared = 0;
  for (let seed = SEED; compared < INSTRUCTIONS; seed++) compared += fuzz(seed);
});
