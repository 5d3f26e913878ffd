/** Debian's stock kernel as a TD, with every engine: the guest's own words, and the same bits either way. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { CrossingRecorder } from '../../src/debug/index.ts';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, type EngineChoice, TdxPlatform } from '../../src/machine/index.ts';
import { type DebianGuest, debianGuest, debianInitramfs } from '../../src/node/index.ts';
import { CrossingKind } from '../../src/probe/index.ts';

const MEMORY_BYTES = 256 << 20;
const COMMAND =
  'grep -c tdx_guest /proc/cpuinfo; dmesg | grep -i tdx; uname -a; sha256sum /bin/busybox; printf "%.3f\\n" 2.5';

interface Boot {
  readonly console: string;
  readonly end: string;
  /** what two runs must share, to the last bit */
  readonly facts: Record<string, unknown>;
}

let guest: DebianGuest | undefined;
let whyNot = '';

async function boot(engine: EngineChoice): Promise<Boot> {
  const crossings = new CrossingRecorder();
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, engine, observer: crossings });
  const plan = planLinuxBoot({
    kernel: { name: 'debian', bytes: await readFile(guest!.kernel) },
    initrd: { name: 'busybox', bytes: debianInitramfs(guest!, COMMAND) },
    commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    board: BOARD,
    shim: buildShimRom(),
  });
  const bytes: number[] = [];
  const td = platform.buildTd(plan, { consoleOutput: (byte) => bytes.push(byte) });
  const mrtd = Buffer.from(td.readMrtd()).toString('hex');
  const { end, instructions, ticks } = td.run();
  const console = Buffer.from(bytes).toString('latin1');
  const { memory } = platform;
  const ram = memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes);
  const counts = Object.entries(CrossingKind).map(([name, kind]) => [name, crossings.counts(kind)]);
  return {
    console,
    end: end.cause,
    facts: {
      mrtd,
      instructions,
      ticks,
      crossings: counts,
      lastCrossings: crossings.last(),
      unimplemented: [...platform.unimplementedInstructions],
      console,
      memory: createHash('sha256').update(ram).digest('hex'),
    },
  };
}

describe('Debian as a TD', () => {
  before(async () => {
    guest = await debianGuest().catch((error: Error) => {
      whyNot = error.message;
      return undefined;
    });
  });

  test('the kernel finds TDX, the shell runs, and two runs, the interpreter, and both in turn, end with the same bits', async (t) => {
    if (guest === undefined) return t.skip(`no Debian guest: ${whyNot}`);
    const compiled = await boot('compiler');
    assert.match(compiled.console, /tdx: Guest detected/);
    assert.match(compiled.console, /Memory Encryption Features active: Intel TDX/);
    assert.match(compiled.console, /Linux \(none\) 6\.\d+/);
    assert.match(compiled.console, /\n?1\n/);
    assert.match(compiled.console, /2\.500/);
    const busybox = createHash('sha256')
      .update(await readFile(guest.busybox))
      .digest('hex');
    assert.ok(compiled.console.includes(busybox), 'the guest computes SHA-256 as we do');
    assert.equal(compiled.end, 'power-off');
    assert.deepEqual(compiled.facts.unimplemented, []);
    const again = await boot('compiler');
    assert.deepEqual(again.facts, compiled.facts);
    for (const engine of ['interpreter', 'mixed'] as const) {
      const other = await boot(engine);
      assert.deepEqual(other.facts, compiled.facts, engine);
    }
  });
});
