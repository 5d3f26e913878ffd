/** `npm run bench -- boot [--rounds N] [--json FILE]`: measures, prints one table, and fails when a promise of SPECIFICATION.md is not met. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BootTime, benchBoot } from './boot.ts';

/** SPECIFICATION.md, "Speed": ours / QEMU's TCG to the marker, and memory beyond the guest's 512 MiB. */
const MOST_TIMES_QEMU = 4;
const MOST_PEAK_MIB = 512 + 300;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (positionals.join() !== 'boot' || !(rounds >= 1)) {
  console.error('usage: npm run bench -- boot [--rounds N] [--json FILE]');
  process.exit(1);
}

const result = await benchBoot(rounds, (text) => console.error(text));
const row = (name: string, time: BootTime): string =>
  `${name.padEnd(28)}${time.markerSeconds.toFixed(2).padStart(12)}${time.exitSeconds.toFixed(2).padStart(14)}${time.peakMib.toFixed(0).padStart(12)}`;
console.log(`medians of ${rounds}                to marker s   to power-off s    peak MiB`);
console.log(row('seamulator, compiler', result.median.compiler));
console.log(row('seamulator, interpreter', result.median.interpreter));
if (result.median.qemu !== undefined) console.log(row('qemu-system-x86_64 tcg', result.median.qemu));
if (result.ratio !== undefined)
  console.log(
    `times QEMU: compiler ${result.ratio.compiler.toFixed(2)}, interpreter ${result.ratio.interpreter.toFixed(2)} (promised: at most ${MOST_TIMES_QEMU})`,
  );
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);

const slowest = result.ratio === undefined ? 0 : Math.max(result.ratio.compiler, result.ratio.interpreter);
if (slowest > MOST_TIMES_QEMU) {
  console.error(`slower than promised: ${slowest.toFixed(2)} times QEMU, at most ${MOST_TIMES_QEMU} is promised`);
  process.exitCode = 1;
}
const peakMib = Math.max(result.median.compiler.peakMib, result.median.interpreter.peakMib);
if (peakMib > MOST_PEAK_MIB) {
  console.error(`more memory than promised: ${peakMib.toFixed(0)} MiB, at most ${MOST_PEAK_MIB} is promised`);
  process.exitCode = 1;
}
