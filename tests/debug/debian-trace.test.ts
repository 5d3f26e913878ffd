/** A whole boot of Debian's stock kernel as a trace. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import {
  Checker,
  diffTraces,
  GuestSymbols,
  GuestView,
  RULES,
  readGuestSymbols,
  readTrace,
  type SymbolLookup,
  summarizeTrace,
} from '../../src/debug/index.ts';
import { type LoadPlan, planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom } from '../../src/machine/index.ts';
import { busyboxInitramfs, type DebianGuest, debianGuest } from '../../src/node/index.ts';
import { root } from '../repository.ts';
import { traceEventFormatViolations } from './trace-event-format.ts';
import { tracedRun } from './traced-run.ts';

const MEMORY_BYTES = 256 << 20;
/** after the shim and into the kernel's own code that unpacks it */
const EARLY = { instructions: 400_000 };

async function plan(guest: DebianGuest): Promise<LoadPlan> {
  return planLinuxBoot({
    kernel: { name: 'debian', bytes: await readFile(guest.kernel) },
    initrd: { name: 'busybox', bytes: busyboxInitramfs(await readFile(guest.busybox), 'true') },
    commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    board: BOARD,
    shim: buildShimRom(),
  });
}

/** Whatever the contract checker finds on a boot stands in the table of docs/check.md: rule and function. */
async function eachIsExplained(findings: Checker['findings']): Promise<void> {
  const page = await readFile(join(root, 'docs/check.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  for (const { rule, symbol, message } of findings)
    assert.ok(
      rows.some((row) => row.includes(`| \`${rule}\` | \`${symbol?.replace(/\+.*/, '')}\` |`)),
      `${rule} at ${symbol}: ${message}`,
    );
  assert.ok(
    findings.some(({ rule }) => rule === 'hlt-interrupt-rule'),
    'Linux idles without STI',
  );
}

test("Debian's boot: a trace that viewers open; equal runs have equal traces; one CPUID bit is found where it is first seen; the contract checker changes nothing, and all that it finds is explained", async (t) => {
  let guest: DebianGuest;
  try {
    guest = await debianGuest();
  } catch (error) {
    return t.skip(`no Debian guest: ${(error as Error).message}`);
  }
  const debian = await plan(guest);
  let names: SymbolLookup = () => undefined;
  const checker = new Checker({ rules: RULES, symbols: (address) => names(address) });
  const { json, events, end, platform, td } = tracedRun(debian, {
    observer: checker.observer,
    built: (built, its) => {
      names = new GuestSymbols(new GuestView(built, its, 0).pages, () => built.clock.nowTicks).functionAt;
      checker.attach(built, its);
    },
  });
  checker.end();
  await eachIsExplained(checker.findings);
  assert.equal(end.cause, 'power-off');
  assert.deepEqual(traceEventFormatViolations(json), []);
  assert.equal(readTrace(json, 'json').length, events.length);
  const { rows, mapGpa } = summarizeTrace(events);
  for (const name of ['TDG.MEM.PAGE.ACCEPT', 'TDG.VP.VEINFO.GET', 'Instruction.IO', 'TDH.MEM.PAGE.AUG'])
    assert.ok(
      rows.some((row) => row.name === name && row.count > 100),
      name,
    );
  assert.match(mapGpa.join(), /shall be shared: SUCCESS/);

  const symbols = readGuestSymbols(new GuestView(platform, td, 0).pages);
  assert.ok(symbols !== undefined && symbols.functionCount > 10_000, 'the stripped kernel knows its own names');
  const out = events.find(({ kind, details }) => kind === '#VE' && details === 'OUT to port 0x3f8, 1 byte')!;
  assert.match(symbols.functionAt(BigInt(out.rip!))!, /^(io_serial_out|outb)/);

  const early = tracedRun(debian, { limits: EARLY }).events;
  assert.equal(early.at(-1)!.name, 'EXTERNAL_INTERRUPT', 'the limit');
  assert.equal(diffTraces(early.slice(0, -1), events)?.left.length, 0, 'else the beginning of the long run');
  const withoutDeadline = { eax: 0, ebx: 1 << 16, ecx: 0, edx: 1 << 27 };
  const other = tracedRun(debian, { limits: EARLY, td: { params: { cpuidConfig: [withoutDeadline] } } }).events;
  const difference = diffTraces(early, other)!;
  assert.equal(difference.left[0]!.name, 'CPUID');
  assert.equal(difference.right[0]!.name, 'CPUID');
  assert.ok(difference.common > 1000);
  return undefined;
});
