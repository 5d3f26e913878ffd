import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PciConfigPorts } from './device.ts';

test('the address register is there, the functions are not', () => {
  const ports = new PciConfigPorts();
  ports.write(0, 4, 0x8000_0000);
  assert.equal(ports.read(0, 4), 0x8000_0000);
  assert.equal(ports.read(4, 4), 0xffff_ffff);
  assert.equal(ports.read(6, 2), 0xffff);
});

test('the address register is only a doubleword', () => {
  const ports = new PciConfigPorts();
  ports.write(3, 1, 0x01);
  ports.write(0, 2, 0x1234);
  assert.equal(ports.read(0, 4), 0);
  assert.equal(ports.read(0, 1), 0xff);
});
