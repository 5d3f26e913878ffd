/** gdb on Debian's stock kernel, from the reset vector to start_kernel; the address comes from the table in the guest's own memory. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { TdAttribute } from '../../src/abi/index.ts';
import { TdTarget } from '../../src/debug/index.ts';
import { readGuestSymbols } from '../../src/debug/post-mortem/guest-symbols.ts';
import { GuestView } from '../../src/debug/post-mortem/guest-view.ts';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../../src/machine/index.ts';
import { busyboxInitramfs, type DebianGuest, debianGuest } from '../../src/node/index.ts';
import { whyNoGdb, withGdb } from './gdb.ts';

const MEMORY_BYTES = 256 << 20;
const SLICE = 50_000_000;
const LONGEST = 1_500_000_000;

async function debianTd(guest: DebianGuest, attributes: bigint = TdAttribute.SEPT_VE_DISABLE) {
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES });
  const plan = planLinuxBoot({
    kernel: { name: 'debian', bytes: await readFile(guest.kernel) },
    initrd: { name: 'busybox', bytes: busyboxInitramfs(await readFile(guest.busybox), 'true') },
    commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet nokaslr',
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    board: BOARD,
    shim: buildShimRom(),
  });
  return { platform, td: platform.buildTd(plan, { params: { attributes } }) };
}

test('break at start_kernel of the stock kernel', async (context) => {
  const skip = await whyNoGdb();
  if (skip !== undefined) return context.skip(skip);
  const guest = await debianGuest().catch((error: Error) => error.message);
  if (typeof guest === 'string') return context.skip(`no Debian guest: ${guest}`);

  const first = await debianTd(guest);
  const view = new GuestView(first.platform, first.td, 0);
  let symbols: ReturnType<typeof readGuestSymbols>;
  let instructions = 0;
  while (symbols === undefined && instructions < LONGEST) {
    instructions += first.td.run({ instructions: SLICE }).instructions;
    symbols = readGuestSymbols(view.pages);
  }
  const address = symbols?.addressOf('start_kernel');
  assert.ok(address !== undefined, `${symbols?.functionCount} functions after ${instructions} instructions`);
  const startKernel = `0x${address.toString(16)}`;
  const { text } = await withGdb(
    await debianTd(guest),
    [
      'p/x $pc',
      `break *${startKernel}`,
      'continue',
      'p/x $pc',
      'p/x $cs_rights',
      'stepi',
      'p $pc > 0',
      'reverse-stepi',
      'p/x $pc',
    ],
    instructions + SLICE,
  );
  assert.match(text, /\$1 = 0xfffffff0\n/);
  assert.match(text, new RegExp(`\\$2 = ${startKernel}\\n`));
  assert.match(text, /\$3 = 0xa09b\n/);
  assert.match(text, new RegExp(`\\$5 = ${startKernel}\\n`));

  const ofProduction = ['p $rax', 'monitor status', 'monitor physical 0x1000000', 'monitor field ATTRIBUTES'];
  const production = await withGdb(first, ofProduction, SLICE, new TdTarget(first.td.host));
  assert.match(production.text, /Could not read registers; remote failure reply 'E\.TDH\.VP\.RD of Guest RIP: TDX_/);
  assert.match(production.text, /\nTDH\.MEM\.RD of GPA 0x1000000: TDX_TD_NON_DEBUG\nATTRIBUTES 0x10000000\n/);

  const debug = await debianTd(guest, TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE);
  const ofDebug = [`break *${startKernel}`, 'continue', 'p/x $pc', 'p/x $cs', 'x/s $rip', 'stepi', 'p $pc > 0'];
  const seen = await withGdb(debug, ofDebug, instructions + SLICE, new TdTarget(debug.td.host));
  assert.match(seen.text, new RegExp(`\\$1 = ${startKernel}\\n\\$2 = 0x10\\n.*\\$3 = `, 's'));
  assert.doesNotMatch(seen.text, /Cannot access memory/);
});
