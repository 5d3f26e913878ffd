import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bus } from './bus.ts';
import type { Device } from './device.ts';

class Recorder implements Device {
  readonly accesses: string[] = [];
  read(offset: number, sizeBytes: number): number {
    this.accesses.push(`r${sizeBytes}@${offset}`);
    return 0x10 + offset;
  }
  write(offset: number, sizeBytes: number, value: number): void {
    this.accesses.push(`w${sizeBytes}@${offset}=${value.toString(16)}`);
  }
}

const window = (base: number, lengthBytes: number, accessBytes: 1 | 2 | 4, device: Device) => ({
  name: `at ${base}`,
  base,
  lengthBytes,
  accessBytes,
  device,
});

test('absent addresses read all ones and swallow writes', () => {
  const bus = new Bus([]);
  assert.deepEqual([bus.read(0x80, 1), bus.read(0x80, 2), bus.read(0x80, 4)], [0xff, 0xffff, 0xffff_ffff]);
  bus.write(0x80, 4, 1);
});

test('a device sees offsets, not addresses', () => {
  const device = new Recorder();
  const bus = new Bus([window(0x100, 8, 4, device)]);
  assert.equal(bus.read(0x104, 4), 0x14);
  bus.write(0x107, 1, 0xab);
  assert.deepEqual(device.accesses, ['r4@4', 'w1@7=ab']);
});

test('a wide access to a byte device arrives byte by byte, in order', () => {
  const device = new Recorder();
  const bus = new Bus([window(0x3f8, 8, 1, device)]);
  assert.equal(bus.read(0x3f8, 4), 0x13121110);
  bus.write(0x3fa, 2, 0x2211);
  assert.deepEqual(device.accesses, ['r1@0', 'r1@1', 'r1@2', 'r1@3', 'w1@2=11', 'w1@3=22']);
});

test('an access over the edge of a window is part device, part nothing', () => {
  const device = new Recorder();
  const bus = new Bus([window(0x100, 2, 2, device)]);
  assert.equal(bus.read(0x101, 2), 0xff11);
  assert.equal(bus.read(0xff, 2), 0x10ff);
  assert.equal(bus.read(0xfe, 4), 0x10ffff);
  assert.deepEqual(device.accesses, ['r1@1', 'r1@0', 'r2@0']);
});

test('overlapping windows are refused by name', () => {
  const device = new Recorder();
  assert.throws(
    () => new Bus([window(0x100, 8, 1, device), window(0x107, 1, 1, device)]),
    /at 256 and at 263 overlap at 0x107/,
  );
});
