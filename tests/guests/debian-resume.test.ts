/** Debian kept at its shell and taken up again from the file: at once, and the same run to the last bit. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, type SnapshotAbout, type Td, TdxPlatform } from '../../src/machine/index.ts';
import { busyboxInitramfs, consoleMark, debianGuest, openSnapshot, writeSnapshot } from '../../src/node/index.ts';

const MEMORY_BYTES = 256 << 20;
const SLICE = 50_000_000;
const LONGEST = 4_000_000_000;
const LONGEST_RESTORE_MS = 1000;
const TYPED = "echo $((6 * 7)) | sed 's/4/forty-/'; head -c 300000 /dev/urandom | sha256sum; poweroff -f\n";

test('a booted Debian is kept at its shell and resumed within a second; what is typed then has the same outcome', async (context) => {
  const guest = await debianGuest().catch((error: Error) => error.message);
  if (typeof guest === 'string') return context.skip(`no Debian guest: ${guest}`);
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-resume-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'shell.snap');

  let text = '';
  const consoleOutput = (byte: number): void => {
    text += String.fromCharCode(byte);
  };
  const finish = (platform: TdxPlatform, td: Td) => {
    text = '';
    td.type(new TextEncoder().encode(TYPED));
    const { end, instructions } = td.run({ instructions: LONGEST });
    const { memory, clock } = platform;
    const ram = memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes);
    const hash = createHash('sha256').update(ram).digest('hex');
    return { text, cause: end.cause, instructions, ticks: clock.nowTicks, hash };
  };

  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES });
  const plan = planLinuxBoot({
    kernel: { name: 'debian', bytes: readFileSync(guest.kernel) },
    initrd: { name: 'busybox', bytes: busyboxInitramfs(readFileSync(guest.busybox)) },
    commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    board: BOARD,
    shim: buildShimRom(),
  });
  const td = platform.buildTd(plan, { consoleOutput });
  let instructions = 0;
  while (!text.includes(consoleMark('ready')) && instructions < LONGEST)
    instructions += td.run({ instructions: SLICE }).instructions;
  const about: SnapshotAbout = {
    kind: 'boot',
    command: ['boot'],
    inputs: [],
    instructions,
    atShell: true,
    platform: { memoryBytes: MEMORY_BYTES, seed: 1, cpu: 'minimal', tdxModule: '1.5', vmm: 'qemu', quoteVersion: 4 },
  };
  await writeSnapshot(file, platform, about);
  const whole = finish(platform, td);
  assert.equal(whole.cause, 'power-off');
  assert.match(whole.text, /\nforty-2\r\n/);

  const fresh = new TdxPlatform({ memoryBytes: MEMORY_BYTES });
  const started = performance.now();
  const snapshot = await openSnapshot(file);
  assert.deepEqual(snapshot.head.about, about);
  await snapshot.restore(fresh, { consoleOutput });
  const milliseconds = performance.now() - started;
  assert.deepEqual(finish(fresh, fresh.tds[0]!), whole);
  assert.ok(milliseconds < LONGEST_RESTORE_MS, `restored in ${milliseconds.toFixed(0)} ms`);
});
