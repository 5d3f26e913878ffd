/** Examples are programs: each runs, and ends with the line it is there to show. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const lastLines: Readonly<Record<string, RegExp>> = {
  'check-a-helper': /^__tdx_hypercall\+0x\w+: TDG\.VP\.VMCALL failed .* \[bare-trap\]$/,
  'hello-td': /^power-off after \d+ instructions$/,
  'hostile-host': /^The guest stopped: hello-td: the host refuses to write to the serial port$/,
  'why-did-it-die': /^The trace has \d+ crossings\.$/,
};

/** Sources run from `.ts`, the build from `.js`. */
const extension = fileURLToPath(import.meta.url).slice(-3);

for (const [name, lastLine] of Object.entries(lastLines)) {
  test(`example ${name}`, () => {
    const file = fileURLToPath(new URL(`../examples/${name}${extension}`, import.meta.url));
    const loader = extension === '.ts' ? ['--import', 'tsx'] : [];
    const { stdout, stderr, status } = spawnSync(process.execPath, [...loader, file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout.trimEnd().split('\n').at(-1)!, lastLine);
  });
}
