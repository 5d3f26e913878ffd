/** Debian's stock kernel on four vCPUs: it brings all of them up, switches one off and on again, and the engines stay together to the last bit. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { CrossingRecorder } from '../../src/debug/index.ts';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, type PlatformOptions, TdxPlatform } from '../../src/machine/index.ts';
import { busyboxInitramfs, type DebianGuest, debianGuest } from '../../src/node/index.ts';
import { CrossingKind } from '../../src/probe/index.ts';

const MEMORY_BYTES = 256 << 20;
const VCPUS = 4;
const COMMAND = [
  'nproc',
  'grep -c tdx_guest /proc/cpuinfo',
  'grep "^apicid" /proc/cpuinfo | tr -d "\\n\\t"; echo',
  'grep -c "cpu cores.*: 4" /proc/cpuinfo',
  // one is switched off, and comes back from where the firmware keeps it
  'cd /sys/devices/system/cpu/cpu2; echo 0 >online; echo "off $(cat online) $(nproc)"; echo 1 >online; echo "on $(cat online) $(nproc)"; cd /',
  // processes on every vCPU, whose memory comes and goes
  'for i in 0 1 2 3; do taskset $((1 << i)) sh -c "dd if=/dev/zero bs=64k count=64 2>/dev/null | md5sum" & done; wait',
  'awk \'/^ *(CAL|RES|LOC):/ { for (i = 2; i <= 5; i++) if ($i + 0 == 0) print "no", $1, "on", i - 2 }\' /proc/interrupts',
  'dmesg | grep -E "detected stall|soft lockup|BUG:|WARNING: CPU"',
].join('; ');
/** past the start of the other vCPUs */
const COMPARED_INSTRUCTIONS = 350_000_000;

function start(guest: { kernel: Uint8Array; initrd: Uint8Array }, options: Partial<PlatformOptions>) {
  const crossings = new CrossingRecorder();
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, observer: crossings, ...options });
  const plan = planLinuxBoot({
    kernel: { name: 'debian', bytes: guest.kernel },
    initrd: { name: 'busybox', bytes: guest.initrd },
    commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
    memoryBytes: MEMORY_BYTES,
    vcpus: VCPUS,
    board: BOARD,
    shim: buildShimRom(),
  });
  const bytes: number[] = [];
  const td = platform.buildTd(plan, { consoleOutput: (byte) => bytes.push(byte) });
  const run = (instructions?: number) => {
    const { end } = td.run(instructions === undefined ? {} : { instructions });
    const { memory, clock } = platform;
    return {
      end: end.cause,
      ticks: clock.nowTicks,
      crossings: Object.values(CrossingKind).map((kind) => crossings.counts(kind)),
      last: crossings.last(),
      memory: createHash('sha256')
        .update(memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes))
        .digest('hex'),
      text: Buffer.from(bytes).toString('latin1'),
    };
  };
  return run;
}

test('four vCPUs come up, work, and interrupt each other; all engines end with the same bits', async (t) => {
  let debian: DebianGuest;
  try {
    debian = await debianGuest();
  } catch (error) {
    return t.skip(`no Debian guest: ${(error as Error).message}`);
  }
  const guest = {
    kernel: await readFile(debian.kernel),
    initrd: busyboxInitramfs(await readFile(debian.busybox), COMMAND),
  };
  const run = start(guest, { engine: 'compiler' });
  const compiled = run(COMPARED_INSTRUCTIONS);
  assert.equal(compiled.end, 'instruction-limit');
  for (const engine of ['interpreter', 'mixed'] as const)
    assert.deepEqual(start(guest, { engine })(COMPARED_INSTRUCTIONS), compiled, engine);

  const { end, text } = run();
  assert.equal(end, 'power-off');
  assert.match(text, /begin\W*4\s+4\s+apicid: 0apicid: 1apicid: 2apicid: 3\s+4\s+off 0 3\s+on 1 4\s/);
  const zeros = createHash('md5')
    .update(new Uint8Array(4 << 20))
    .digest('hex');
  assert.equal(text.split(`${zeros}  -`).length - 1, VCPUS);
  assert.doesNotMatch(text, /no (CAL|RES|LOC)|detected stall|soft lockup|BUG:|WARNING: CPU/);
});
