/** Debian's stock kernel under the answers of each host but the default one, which every other boot has. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { planLinuxBoot } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, DEFAULT_HOST_PROFILE, HOST_PROFILES, TdxPlatform } from '../../src/machine/index.ts';
import { busyboxInitramfs, type DebianGuest, debianGuest } from '../../src/node/index.ts';

const MEMORY_BYTES = 256 << 20;
const VCPUS = 2;
const COMMAND = 'nproc; dmesg | grep -E "Hypervisor detected|Isolation Config|unchecked MSR|Call Trace"';

let guest: DebianGuest | undefined;
let whyNot = '';

describe('Debian under', () => {
  before(async () => {
    guest = await debianGuest().catch((error: Error) => {
      whyNot = error.message;
      return undefined;
    });
  });

  for (const hostProfile of HOST_PROFILES.filter((profile) => profile !== DEFAULT_HOST_PROFILE))
    test(hostProfile.name, async (t) => {
      if (guest === undefined) return t.skip(`no Debian guest: ${whyNot}`);
      const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, hostProfile });
      const plan = planLinuxBoot({
        kernel: { name: 'debian', bytes: await readFile(guest.kernel) },
        initrd: { name: 'busybox', bytes: busyboxInitramfs(await readFile(guest.busybox), COMMAND) },
        commandLine: 'console=ttyS0 panic=-1 cryptomgr.notests quiet',
        memoryBytes: MEMORY_BYTES,
        vcpus: VCPUS,
        board: BOARD,
        shim: buildShimRom(),
      });
      const bytes: number[] = [];
      const td = platform.buildTd(plan, { consoleOutput: (byte) => bytes.push(byte) });
      const { end } = td.run({ instructions: 4e9 });
      const text = Buffer.from(bytes).toString('latin1');
      assert.equal(end.cause, 'power-off', text);
      assert.match(text, new RegExp(`begin\\W*${VCPUS}\\s`));
      const hypervisor = hostProfile.name === 'hyperv-like' ? 'Microsoft Hyper-V' : 'KVM';
      assert.match(text, new RegExp(`Hypervisor detected: ${hypervisor}`));
      if (hostProfile.name === 'hyperv-like')
        assert.match(text, /Isolation Config: Group A 0x0, Group B 0x3/, 'TDX without a paravisor');
      assert.doesNotMatch(text, /unchecked MSR|Call Trace/);
    });
});
