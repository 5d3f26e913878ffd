/** Debian's stock kernel on the faithful processor, under both modules: it finds what the profile has and uses it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isModule20 } from '../../src/abi/index.ts';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, MODULE_VERSIONS, SPR_PROFILE, TdxPlatform } from '../../src/machine/index.ts';
import { busyboxInitramfs, type DebianGuest, debianGuest } from '../../src/node/index.ts';

const MEMORY_BYTES = 256 << 20;
/** busybox is linked with a C library that picks its string functions by CPUID: it runs AVX2 code from here on */
const COMMAND = 'grep -m1 ^flags /proc/cpuinfo; dmesg | grep -E "x86/fpu|unchecked|tdx:"; sha256sum /bin/busybox';

/** Words of /proc/cpuinfo that the profile stands for, beyond those of the minimal one. */
const FLAGS = (
  'pclmulqdq dtes64 ds_cpl fma pcid movbe aes xsave avx f16c avx2 bmi1 bmi2 abm erms invpcid adx clflushopt clwb sha_ni ' +
  'xsaveopt xsavec xgetbv1 xsaves umip gfni vaes vpclmulqdq rdpid fsrm wbnoinvd md_clear flush_l1d fsgsbase smep smap ' +
  'cldemote serialize movdiri movdir64b rdrand rdseed pku ospke tdx_guest hypervisor'
).split(' ');
/** Module 1.5 shows it only with AVX-512. */
const FLAGS_2_0 = ['avx_vnni'];
/** What it lacks of a Sapphire Rapids, and what no TD has. */
const ABSENT = 'avx512f amx_tile shstk user_shstk ibt uintr vmx smx sgx tsc_adjust pse36 rtm'.split(' ');

test('the faithful profile boots Debian under both modules, and /proc/cpuinfo shows it', async (t) => {
  let guest: DebianGuest;
  try {
    guest = await debianGuest();
  } catch (error) {
    return t.skip(`no Debian guest: ${(error as Error).message}`);
  }
  const [kernel, busybox] = await Promise.all([readFile(guest.kernel), readFile(guest.busybox)]);
  for (const moduleVersion of MODULE_VERSIONS) {
    const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, cpu: SPR_PROFILE, moduleVersion });
    const plan = planLinuxBoot({
      kernel: { name: 'debian', bytes: kernel },
      initrd: { name: 'busybox', bytes: busyboxInitramfs(busybox, COMMAND) },
      commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
      memoryBytes: MEMORY_BYTES,
      vcpus: 1,
      board: BOARD,
      shim: buildShimRom(),
    });
    const bytes: number[] = [];
    const { end } = platform.buildTd(plan, { consoleOutput: (byte) => bytes.push(byte) }).run();
    const console = Buffer.from(bytes).toString('latin1');
    const shown = new Set(/flags\s*: (.*)/.exec(console)?.[1]?.trim().split(' '));
    assert.deepEqual(
      [...FLAGS, ...(isModule20(moduleVersion) ? FLAGS_2_0 : [])].filter((flag) => !shown.has(flag)),
      [],
      `module ${moduleVersion.name} hides\n${console}`,
    );
    assert.deepEqual(
      ABSENT.filter((flag) => shown.has(flag)),
      [],
    );
    assert.match(
      console,
      /x86\/fpu: Enabled xstate features 0x207, context size is 840 bytes, using 'compacted' format/,
    );
    assert.doesNotMatch(console, /unchecked MSR access/);
    assert.ok(
      console.includes(createHash('sha256').update(busybox).digest('hex')),
      'the guest computes SHA-256 as we do',
    );
    assert.equal(end.cause, 'power-off');
    assert.deepEqual([...platform.unimplementedInstructions], []);
  }
});
