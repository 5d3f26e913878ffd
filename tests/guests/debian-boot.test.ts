/** Debian's stock kernel as a TD, with every engine: the guest's own words, and the same bits either way. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { CrossingRecorder, findOrcTable, GuestProfile, GuestSymbols, GuestView } from '../../src/debug/index.ts';
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
  /** where the guest spent its instructions, folded; empty: nobody looked */
  readonly profile: string;
  /** what two runs must share, to the last bit */
  readonly facts: Record<string, unknown>;
}

let guest: DebianGuest | undefined;
let whyNot = '';

/** @param withProfile somebody looks at the stacks of the guest meanwhile */
async function boot(engine: EngineChoice, withProfile = false): Promise<Boot> {
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
  const symbols = new GuestSymbols(new GuestView(platform, td, 0).pages, () => platform.clock.nowTicks);
  const profile = new GuestProfile((looked) => findOrcTable(looked, symbols));
  if (withProfile) profile.attach(platform);
  const { end, instructions, ticks } = td.run();
  const console = Buffer.from(bytes).toString('latin1');
  const { memory } = platform;
  const ram = memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes);
  const counts = Object.entries(CrossingKind).map(([name, kind]) => [name, crossings.counts(kind)]);
  return {
    console,
    end: end.cause,
    profile: profile.folded(symbols.functionAt),
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

/** A kernel that was moved and has no frame pointers: nearly each sample knows its callers, up to where the kernel begins a stack. */
function assertChains(profile: string): void {
  const stacks = profile
    .trimEnd()
    .split('\n')
    .map((line) => /^(.+) (\d+)$/.exec(line)!)
    .map(([, stack, samples]) => ({ frames: stack!.split(';'), samples: Number(samples) }));
  const sum = (wanted: (frames: readonly string[]) => boolean): number =>
    stacks.reduce((total, { frames, samples }) => total + (wanted(frames) ? samples : 0), 0);
  const running = sum((frames) => frames[0] === 'kernel' && frames[1] !== 'identity map');
  const unknown = sum((frames) => frames[1] === 'unknown caller');
  assert.ok(running > 2000 && unknown < running / 50, `${unknown} of ${running} samples have no known caller`);
  const deep = sum((frames) => frames.length > 4 && frames.includes('start_kernel'));
  assert.ok(deep > 500, `${deep} samples below start_kernel`);
  const later = sum((frames) => /^ret_from_fork/.test(frames[1]!) && frames.includes('do_one_initcall'));
  assert.ok(later > 500, `${later} samples in a thread that initialises the kernel`);
  const met = sum((frames) => frames.indexOf('exc_virtualization_exception') > 3);
  assert.ok(met > 0, `${met} samples in a #VE, below what met it`);
  const called = sum((frames) => /^entry_SYSCALL_64/.test(frames[1]!) && frames[2] === 'do_syscall_64');
  assert.ok(called > 100, `${called} samples in a system call`);
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
    const again = await boot('compiler', true);
    assert.deepEqual(again.facts, compiled.facts, 'a profile changes nothing');
    assertChains(again.profile);
    for (const engine of ['interpreter', 'mixed'] as const) {
      const other = await boot(engine, engine === 'interpreter');
      assert.deepEqual(other.facts, compiled.facts, engine);
      if (engine === 'interpreter') assert.equal(other.profile, again.profile);
    }
  });
});
