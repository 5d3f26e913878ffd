/**
 * Attestation from inside Debian as a TD, with the kernel's own means: one boot runs Linux's selftest of /dev/tdx_guest and gets a
 * quote through configfs-tsm; verifiers that no one here wrote look at it.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { parseQuote, QuoteVersion, quoteField } from '../../src/attestation/index.ts';
import { firstDifference, measurePlan, readReported } from '../../src/debug/index.ts';
import { type LoadPlan, parseEventLog, planLinuxBoot, writeCpio } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../../src/machine/index.ts';
import { debianGuest, debianInitramfs } from '../../src/node/index.ts';
import { TestPki } from '../../src/vmm/index.ts';
import { acceptedOf, mutationsOf, NOW } from '../attestation/mutations.ts';
import { tdxGuestTest } from '../attestation/tdx-guest-test.ts';
import { anotherRoot, verifiersOf } from '../attestation/verifiers.ts';

const MEMORY_BYTES = 256 << 20;
const REPORTDATA = Buffer.alloc(64, 'what the relying party asked for');
const COMMAND = `
report=/sys/kernel/config/tsm/report/one
mkdir $report
printf %s '${REPORTDATA.toString()}' >$report/inblob
echo "provider $(cat $report/provider) generation $(cat $report/generation)"
echo "quote $(base64 -w 0 $report/outblob)"
echo "log $(base64 -w 0 /sys/firmware/acpi/tables/data/CCEL)"
[ ! -x /bin/tdx_guest_test ] || tdx_guest_test
echo "the selftest ended with $?"
`;

interface Attested {
  readonly console: string;
  readonly quote: Uint8Array;
  /** the event log as the guest's kernel shows it */
  readonly log: Uint8Array;
  readonly plan: LoadPlan;
  readonly measured: { readonly mrtd: Uint8Array; readonly rtmrs: readonly Uint8Array[] };
  readonly wasSelftestBuilt: true | string;
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString('hex');

async function attest(): Promise<Attested> {
  const debian = await debianGuest();
  const selftest = await tdxGuestTest();
  const archives = [debianInitramfs(debian, COMMAND)];
  // the kernel unpacks one archive after the other
  if (selftest instanceof Uint8Array)
    archives.push(writeCpio([{ path: 'bin/tdx_guest_test', mode: 0o100755, content: selftest }]));
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, quoteVersion: QuoteVersion.V4 });
  const plan = planLinuxBoot({
    kernel: { name: 'debian', bytes: await readFile(debian.kernel) },
    initrd: { name: 'busybox', bytes: Buffer.concat(archives) },
    commandLine: 'console=ttyS0 panic=-1 reboot=a cryptomgr.notests quiet',
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    board: BOARD,
    shim: buildShimRom(),
  });
  const bytes: number[] = [];
  const td = platform.buildTd(plan, { consoleOutput: (byte) => bytes.push(byte) });
  const { end } = td.run();
  const console = Buffer.from(bytes).toString('latin1');
  assert.equal(end.cause, 'power-off', console.slice(-2000));
  const blob = (name: string) => {
    const [, base64 = ''] = new RegExp(`^${name} (\\S+)`, 'm').exec(console) ?? [];
    return new Uint8Array(Buffer.from(base64, 'base64'));
  };
  return {
    console,
    quote: blob('quote'),
    log: blob('log'),
    plan,
    measured: platform.module.measurementsOf(td.host.tdrHpa),
    wasSelftestBuilt: selftest instanceof Uint8Array || selftest.skip,
  };
}

describe('attestation from inside Debian', () => {
  let attested: Attested | undefined;
  let whyNot = '';
  before(async () => {
    attested = await attest().catch((error: Error) => {
      if (error.name !== 'AptUnavailable') throw error;
      whyNot = error.message;
      return undefined;
    });
  });
  const check = (title: string, body: (attested: Attested) => void | Promise<void>, needsSelftest = false) =>
    test(title, async (t) => {
      if (attested === undefined) return t.skip(`no Debian guest: ${whyNot}`);
      if (needsSelftest && attested.wasSelftestBuilt !== true)
        return t.skip(`the selftest cannot be built: ${attested.wasSelftestBuilt}`);
      await body(attested);
    });

  check(
    "Linux's own selftest of /dev/tdx_guest passes",
    ({ console }) => {
      assert.match(console, /^ok 1 .*verify_report/m);
      assert.doesNotMatch(console, /^not ok/m);
      assert.match(console, /^the selftest ended with 0/m);
    },
    true,
  );

  check('a quote through configfs-tsm holds what was asked for and what the TD is', ({ console, quote, measured }) => {
    assert.match(console, /provider tdx_guest generation 1\n/);
    const parsed = parseQuote(quote);
    assert.equal(hex(quoteField(parsed, 'REPORTDATA')), REPORTDATA.toString('hex'));
    assert.equal(hex(quoteField(parsed, 'MRTD')), hex(measured.mrtd));
    measured.rtmrs.forEach((rtmr, index) => {
      assert.equal(hex(quoteField(parsed, `RTMR${index}`)), hex(rtmr));
    });
  });

  check('measure had said so: MRTD, RTMRs and the event log', ({ plan, quote, log }) => {
    const predicted = measurePlan(plan);
    assert.equal(firstDifference(predicted, readReported(quote)!), undefined);
    assert.equal(firstDifference(predicted, readReported(log)!), undefined);
  });

  check("the guest's event log replays to the quote's RTMRs, and says what was planned", ({ log, quote, plan }) => {
    const events = parseEventLog(log)!;
    assert.deepEqual(events, plan.events);
    const rtmrs = Array.from({ length: 4 }, () => Buffer.alloc(48));
    for (const { rtmr, digest } of events)
      rtmrs[rtmr] = createHash('sha384').update(rtmrs[rtmr]!).update(digest).digest();
    const parsed = parseQuote(quote);
    rtmrs.forEach((rtmr, index) => {
      assert.equal(hex(quoteField(parsed, `RTMR${index}`)), hex(rtmr));
    });
    assert.notEqual(hex(rtmrs[2]), hex(Buffer.alloc(48)), 'the command line was measured');
  });

  check('every verifier accepts it, and refuses it with one thing wrong', async ({ quote }) => {
    const pki = new TestPki();
    const cases = mutationsOf(quote);
    for (const verifier of await verifiersOf(pki.root)) {
      assert.equal(verifier.verify(quote, pki.collateral(), NOW), 'UpToDate', verifier.name);
      assert.deepEqual(acceptedOf(verifier, cases), verifier.overlooks, verifier.name);
    }
    for (const verifier of await verifiersOf(anotherRoot()))
      assert.throws(() => verifier.verify(quote, pki.collateral(), NOW), `${verifier.name} accepted another root`);
  });
});
