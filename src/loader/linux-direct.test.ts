import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { wholeOf } from '../bits/index.ts';
import type { BoardAddresses } from './acpi/index.ts';
import { parseEventLog } from './event-log.ts';
import { type LinuxBoot, planLinuxBoot } from './linux-direct.ts';
import { LoadError, regionBytes } from './plan.ts';
import { SetupHeader } from './setup-header.ts';
import { SHIM_ROM_BYTES, ShimParameter } from './shim-rom.ts';

const MIB = 1 << 20;
const TDX_SIGNATURE = new TextEncoder().encode('IntelTDX    ');

const board: BoardAddresses = {
  ramCeiling: 0xc000_0000,
  localApic: 0xfee0_0000,
  ioApic: { address: 0xfec0_0000, id: 1, firstInterrupt: 0 },
  serial: { port: 0x3f8, interrupt: 4 },
  power: { sleepControlPort: 0x600, sleepStatusPort: 0x601, resetPort: 0x602, resetValue: 1, powerOffType: 5 },
};

/** The smallest thing that is a bzImage: a header sector, one more sector of setup, 8 KiB of protected-mode part. */
function bzImage(change: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = new Uint8Array(1024 + 8192);
  const view = new DataView(bytes.buffer);
  view.setUint8(SetupHeader.setupSectors, 1);
  view.setUint32(SetupHeader.systemSizeParagraphs, 8192 / 16, true);
  view.setUint16(SetupHeader.bootFlag, 0xaa55, true);
  view.setUint8(SetupHeader.jump, 0xeb);
  view.setUint8(SetupHeader.jump + 1, 0x6a);
  view.setUint32(SetupHeader.magic, 0x53726448, true);
  view.setUint16(SetupHeader.version, 0x020f, true);
  view.setUint8(SetupHeader.loadFlags, 0x81);
  view.setUint32(SetupHeader.initrdAddressMaximum, 0x7fff_ffff, true);
  view.setUint16(SetupHeader.extendedLoadFlags, 0x7f, true);
  view.setUint32(SetupHeader.commandLineSize, 2047, true);
  view.setBigUint64(SetupHeader.preferredAddress, 0x100_0000n, true);
  view.setUint32(SetupHeader.initSize, 4 * MIB, true);
  bytes.set(TDX_SIGNATURE, 1024 + 100);
  bytes[1024] = 0xf4;
  change(view);
  return bytes;
}

function cpio(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  bytes.set(new TextEncoder().encode('070701'));
  return bytes;
}

function boot(changes: Partial<LinuxBoot> = {}): LinuxBoot {
  return {
    kernel: { name: 'vmlinuz', bytes: bzImage() },
    initrd: { name: 'initrd.cpio', bytes: cpio(5000) },
    commandLine: 'console=ttyS0',
    memoryBytes: 64 * MIB,
    vcpus: 1,
    board,
    shim: { bytes: new Uint8Array(SHIM_ROM_BYTES), switchedOffGpa: 0xffff_7000, parametersOffset: 0x2000 },
    ...changes,
  };
}

function refused(changes: Partial<LinuxBoot>, sentence: RegExp): void {
  assert.throws(
    () => planLinuxBoot(boot(changes)),
    (error: unknown) => {
      assert.ok(error instanceof LoadError, String(error));
      assert.match(error.message, sentence);
      assert.ok(!error.message.includes('\n'));
      return true;
    },
  );
}

const kernel = (bytes: Uint8Array) => ({ kernel: { name: 'vmlinuz', bytes } });

test('a kernel, its initramfs and its tables become measured regions, the rest of RAM is pending', () => {
  const plan = planLinuxBoot(boot());
  const measured = plan.regions.filter((region) => region.treatment === 'added-measured').map((region) => region.name);
  assert.deepEqual(measured, [
    'boot_params',
    'command line',
    'ACPI tables',
    'event log',
    'wakeup mailbox',
    'kernel',
    'initramfs',
    'shim',
  ]);
  const kernelRegion = plan.regions.find((region) => region.name === 'kernel')!;
  assert.equal(kernelRegion.startGpa, 0x100_0000);
  assert.equal((kernelRegion.content as Uint8Array)[0], 0xf4);
  assert.deepEqual(plan.warnings, []);
});

test('regions are page-aligned, ascending, disjoint; everything below 1 MiB but the VGA hole is backed, up to the last byte of RAM', () => {
  fc.assert(
    fc.property(fc.integer({ min: 24, max: 256 }), fc.integer({ min: 6, max: 3 * MIB }), (mebibytes, initrdBytes) => {
      const memoryBytes = mebibytes * MIB;
      const plan = planLinuxBoot(boot({ memoryBytes, initrd: { name: 'i', bytes: cpio(initrdBytes) } }));
      let end = 0;
      let backed = 0;
      for (const region of plan.regions) {
        assert.equal(region.startGpa % 4096, 0);
        assert.equal(region.lengthBytes % 4096, 0);
        assert.ok(region.lengthBytes > 0 && region.startGpa >= end, region.name);
        assert.ok(regionBytes(region).length <= region.lengthBytes);
        end = region.startGpa + region.lengthBytes;
        backed += region.lengthBytes;
      }
      assert.equal(backed, memoryBytes - 0x2_0000 + SHIM_ROM_BYTES);
    }),
    { numRuns: 30 },
  );
});

test('the shim is told the entry, boot_params, the mailbox and exactly the pending ranges', () => {
  const plan = planLinuxBoot(boot());
  const rom = wholeOf(regionBytes(plan.regions.at(-1)!));
  const parameters = new DataView(rom.buffer, 0x2000);
  const number = (offset: number) => Number(parameters.getBigUint64(offset, true));
  assert.equal(number(ShimParameter.entry), 0x100_0200);
  const pending = plan.regions.filter((region) => region.treatment === 'pending');
  assert.equal(number(ShimParameter.rangeCount), pending.length);
  pending.forEach((region, index) => {
    assert.equal(number(ShimParameter.ranges + 16 * index), region.startGpa);
    assert.equal(number(ShimParameter.ranges + 16 * index + 8), region.startGpa + region.lengthBytes);
  });
  const mailbox = plan.regions.find((region) => region.startGpa === number(ShimParameter.mailbox))!;
  assert.equal(mailbox.name, 'wakeup mailbox');
  const bootParams = plan.regions.find((region) => region.startGpa === number(ShimParameter.bootParams))!;
  const page = new DataView((bootParams.content as Uint8Array).buffer);
  assert.equal(page.getUint32(SetupHeader.magic, true), 0x53726448);
  assert.equal(page.getUint8(SetupHeader.loadFlags), 0x01, 'CAN_USE_HEAP is a matter of the real-mode part');
  assert.equal(page.getUint8(0x1ef), 0, 'sentinel');
  const initrd = plan.regions.find((region) => region.name === 'initramfs')!;
  assert.equal(page.getUint32(SetupHeader.ramdiskImage, true), initrd.startGpa);
  assert.equal(page.getUint32(SetupHeader.ramdiskSize, true), 5000);
  assert.equal(page.getUint8(0x1e8), plan.memoryMap.length);
});

test('without an initramfs its fields stay zero', () => {
  const { initrd: _, ...rest } = boot();
  const plan = planLinuxBoot(rest);
  const bootParams = plan.regions.find((region) => region.name === 'boot_params')!;
  const page = new DataView((bootParams.content as Uint8Array).buffer);
  assert.equal(page.getUint32(SetupHeader.ramdiskImage, true), 0);
  assert.equal(page.getUint32(SetupHeader.ramdiskSize, true), 0);
});

test('a kernel that never heard of TDX is a warning', () => {
  const bytes = bzImage();
  bytes.fill(0, 1024 + 100, 1024 + 112);
  const plan = planLinuxBoot(boot(kernel(bytes)));
  assert.match(plan.warnings[0]!, /vmlinuz shows no sign of TDX guest support/);
});

test('kernels that cannot be loaded are refused in one sentence', () => {
  refused(kernel(bzImage().subarray(0, 300)), /vmlinuz is not a Linux kernel: 300 bytes/);
  refused(kernel(bzImage((view) => view.setUint32(SetupHeader.magic, 0, true))), /no "HdrS"/);
  refused(kernel(bzImage((view) => view.setUint16(SetupHeader.version, 0x0204, true))), /boot protocol 2\.4, too old/);
  refused(kernel(bzImage((view) => view.setUint16(SetupHeader.extendedLoadFlags, 0, true))), /no 64-bit entry point/);
  refused(kernel(bzImage().subarray(0, 5000)), /vmlinuz is truncated: .* 9216 bytes, the file has 5000/);
  refused(kernel(bzImage((view) => view.setUint32(SetupHeader.initSize, 16, true))), /damaged header/);
  refused(
    kernel(bzImage((view) => view.setUint32(SetupHeader.initSize, 100 * MIB, true))),
    /needs memory up to 116 MiB/,
  );
  refused(kernel(new TextEncoder().encode('#!/bin/sh\n'.repeat(100))), /is not a Linux kernel/);
});

test('no cut or overwritten kernel brings anything but a plan or a LoadError', () => {
  fc.assert(
    fc.property(fc.nat(9216), fc.integer({ min: 0x1f0, max: 0x268 }), fc.nat(255), (length, offset, value) => {
      const bytes = bzImage();
      bytes[offset] = value;
      try {
        planLinuxBoot(boot(kernel(bytes.subarray(0, length))));
      } catch (error) {
        assert.ok(error instanceof LoadError, String(error));
      }
    }),
  );
});

test('an initramfs that cannot be used is refused in one sentence', () => {
  refused({ initrd: { name: 'rd', bytes: new Uint8Array(0) } }, /rd is empty/);
  refused({ initrd: { name: 'rd', bytes: new Uint8Array(100) } }, /rd is not an initramfs/);
  refused({ initrd: { name: 'rd', bytes: cpio(50 * MIB) } }, /rd \(50 MiB\) does not fit .* at least 72 MiB/);
  const low = bzImage((view) => view.setUint32(SetupHeader.initrdAddressMaximum, 22 * MIB - 1, true));
  refused(
    { ...kernel(low), initrd: { name: 'rd', bytes: cpio(4 * MIB) } },
    /rd \(4 MiB\) is too large for this kernel/,
  );
});

test('a machine that cannot be built is refused in one sentence', () => {
  refused({ memoryBytes: 0 }, /whole number of MiB/);
  refused({ memoryBytes: 64 * MIB + 1 }, /whole number of MiB/);
  refused({ memoryBytes: 4096 * MIB }, /4096 MiB of memory do not fit .* at most 3072 MiB/);
  refused({ vcpus: 0 }, /0 vCPUs do not work/);
  refused({ commandLine: 'x'.repeat(2048) }, /the command line has 2048 bytes, this kernel takes 2047/);
});

test('the longest command line keeps its terminating zero', () => {
  const plan = planLinuxBoot(boot({ commandLine: 'x'.repeat(2047) }));
  const page = plan.regions.find((region) => region.name === 'command line')!.content as Uint8Array;
  assert.equal(page[2046], 0x78);
  assert.equal(page[2047], 0);
});

test('the shim extends what the event log says, and the log is what was measured', () => {
  const plan = planLinuxBoot(boot());
  const contentOf = (name: string) => wholeOf(regionBytes(plan.regions.find((region) => region.name === name)!));
  const events = parseEventLog(contentOf('event log'))!;
  assert.deepEqual(events, plan.events);
  const digestOf = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('hex');
  const rows = events.map(({ rtmr, digest, data }) => [
    rtmr,
    Buffer.from(digest).toString('hex'),
    Buffer.from(data).toString(),
  ]);
  assert.deepEqual(rows, [
    [0, digestOf(contentOf('ACPI tables')), 'ACPI DATA'],
    [1, digestOf(bzImage()), 'kernel'],
    [2, digestOf(Buffer.from('console=ttyS0')), 'kernel_cmdline: console=ttyS0'],
    [2, digestOf(boot().initrd!.bytes), 'initrd'],
  ]);
  const shim = contentOf('shim').subarray(0x2000);
  const parameters = new DataView(shim.buffer, shim.byteOffset);
  assert.equal(parameters.getBigUint64(ShimParameter.extensionCount, true), 4n);
  events.forEach(({ rtmr, digest }, index) => {
    const at = ShimParameter.extensions + 64 * index;
    assert.deepEqual(shim.slice(at, at + 48), digest);
    assert.equal(parameters.getBigUint64(at + 48, true), BigInt(rtmr));
  });
});
