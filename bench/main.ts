/** `npm run bench -- boot|crossings|trace [--rounds N] [--json FILE]`: measures, prints one table, and fails when a promise of SPECIFICATION.md is not met. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchBoot, reportBoot } from './boot.ts';
import { benchCrossings, reportCrossings } from './crossings.ts';
import { benchTrace, reportTrace } from './trace.ts';

type Progress = (text: string) => void;

interface Bench {
  readonly rounds: number;
  /** measures, prints, and returns a sentence for each promise that is not met */
  readonly run: (rounds: number, progress: Progress) => Promise<{ result: unknown; complaints: string[] }>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  boot: {
    rounds: 3,
    run: async (rounds, progress) => {
      const result = await benchBoot(rounds, progress);
      return { result, complaints: reportBoot(result, rounds) };
    },
  },
  crossings: {
    rounds: 9,
    run: async (rounds, progress) => {
      const result = await benchCrossings(rounds, progress);
      return { result, complaints: reportCrossings(result, rounds) };
    },
  },
  trace: {
    rounds: 3,
    run: async (rounds, progress) => {
      const result = await benchTrace(rounds, progress);
      return { result, complaints: reportTrace(result, rounds) };
    },
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, json: { type: 'string' } },
});
const bench = BENCHES[positionals[0] ?? ''];
const rounds = Number(values.rounds ?? bench?.rounds);
if (bench === undefined || positionals.length !== 1 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds N] [--json FILE]`);
  process.exit(1);
}

const { result, complaints } = await bench.run(rounds, (text) => console.error(text));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;
