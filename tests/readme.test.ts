/** What the README shows is what the software makes: a death, a session of gdb, the picture of a boot. Numbers may be others. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { debianGuest } from '../src/node/index.ts';
import { whyNoGdb } from './debug/gdb.ts';
import { LINUX_6_1, linuxTdcall } from './exec/objects.ts';
import { root } from './repository.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-readme-'));
after(() => rmSync(directory, { recursive: true }));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const seamulator = join(root, 'bin/seamulator');

/** of docs/boot-trace.svg */
const TITLE = "Debian's boot as a TD: what crossed its border, and its memory";

/** The fenced block that has this line in it: the command typed, and what came of it. */
function block(marker: string): { readonly command: string; readonly shown: readonly string[] } {
  const found = [...readme.matchAll(/```\n(\$ [\s\S]*?)```/g)].find(([, text]) => text!.includes(marker));
  assert.ok(found !== undefined, `README shows no ${marker}`);
  const lines = found[1]!.trimEnd().split('\n');
  const last = lines.findLastIndex((line, i) => line.startsWith('$ ') || lines[i - 1]?.endsWith('\\'));
  return { command: lines.slice(0, last + 1).join('\n'), shown: lines.slice(last + 1) };
}

/** Numbers, addresses and registers' names may differ from run to run and from kernel to kernel. */
function shape(line: string): string {
  return line
    .replace(/0x[0-9a-f]+/g, '#')
    .replace(/\b[0-9a-f]{2}( [0-9a-f]{2})*\b/g, '#')
    .replace(/\d+(\.\d+)?/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Every line that is shown has been printed, in this order; what was left out is said in parentheses. */
function assertShown(shown: readonly string[], printed: string): void {
  const real = printed.split('\n').map(shape);
  let at = 0;
  for (const line of shown) {
    if (line === '' || /^\(shortened here/.test(line)) continue;
    const next = real.indexOf(shape(line), at);
    assert.ok(next >= 0, `README shows "${line}", which is not printed (any more), or not there:\n${printed}`);
    at = next + 1;
  }
}

test('the death, and the picture of a boot', async (context) => {
  const guest = await debianGuest().catch((error: Error) => error.message);
  if (typeof guest === 'string') return context.skip(`no Debian guest: ${guest}`);
  const { command, shown } = block('The TD died.');
  const [, guestCommand] = /^\$ bin\/seamulator boot --exec '([^']+)'$/.exec(command) ?? [];
  assert.ok(guestCommand !== undefined, command);
  const trace = join(directory, 'boot.ndjson');
  const died = spawnSync(process.execPath, [seamulator, 'boot', '--exec', guestCommand, '--trace', trace], {
    encoding: 'utf8',
  });
  assert.equal(died.status, 2, died.stderr);
  assertShown(shown, died.stderr);

  const { stdout } = spawnSync(process.execPath, [seamulator, 'trace', 'picture', trace, '--title', TITLE], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.match(readme, /\(docs\/boot-trace\.svg\)/);
  const words = (svg: string): string[] =>
    [...new Set([...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => shape(text!)))].sort();
  const [kept, made] = [words(readFileSync(join(root, 'docs/boot-trace.svg'), 'utf8')), words(stdout)];
  for (const text of kept)
    assert.ok(
      made.includes(text) || text.startsWith('seamulator'),
      `"${text}" is in no picture that is made now: ${made.join(', ')}`,
    );
});

test('the session of gdb', async (context) => {
  const skip = await whyNoGdb();
  if (skip !== undefined) return context.skip(skip);
  const found = await linuxTdcall(LINUX_6_1);
  if ('skip' in found) return context.skip(found.skip);
  writeFileSync(join(directory, 'tdcall.o'), (found.object as { bytes: Uint8Array }).bytes);
  const { command, shown } = block('gdb -batch');
  const session = [...command.matchAll(/-ex (?:'([^']+)'|(\S+))/g)].map(([, quoted, word]) => quoted ?? word!);
  assert.ok(session.length > 10, command);

  const call = ['--arg', '1', '--arg', '0', '--arg', '0', '--arg', '0', '--arg', '0', '--arg', 'out={0,0,0,0,0,0}'];
  const run = spawn(
    process.execPath,
    [seamulator, 'exec', 'tdcall.o', '__tdx_module_call', ...call, '--gdb', '0', '--paused'],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  context.after(() => run.kill());
  let said = '';
  const port = await new Promise<string>((resolve, reject) => {
    run.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const open = /gdb: target remote \S+:(\d+)\n/.exec(said);
      if (open !== null) resolve(open[1]!);
    });
    run.on('close', () => reject(new Error(`no port was opened: ${said}`)));
  });
  const commands = session.map((one) => one.replace(/^target remote :\d+$/, `target remote :${port}`));
  const { stdout, stderr } = spawnSync(
    'gdb',
    [
      '-nx',
      '-batch',
      '-ex',
      'set confirm off',
      '-ex',
      'set remotetimeout 120',
      ...commands.flatMap((one) => ['-ex', one]),
    ],
    {
      cwd: directory,
      encoding: 'utf8',
      timeout: 120_000,
    },
  );
  assertShown(shown, `${stdout}\n${stderr}`); // what monitor says goes to the second
});
