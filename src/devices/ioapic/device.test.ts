import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InterruptMessage, IoApic } from './device.ts';
import { ENTRY_COUNT, Offset } from './spec.ts';

function ioapic() {
  const messages: InterruptMessage[] = [];
  const device = new IoApic((message) => messages.push(message));
  const get = (index: number) => {
    device.write(Offset.Index, 4, index);
    return device.read(Offset.Data, 4);
  };
  const set = (index: number, value: number) => {
    device.write(Offset.Index, 4, index);
    device.write(Offset.Data, 4, value);
  };
  return { device, messages, get, set };
}

test('the version register tells 24 entries', () => {
  assert.equal(ioapic().get(1), 0x170020);
});

test('every entry starts masked and keeps what is written, except the status bits', () => {
  const { get, set } = ioapic();
  for (let entry = 0; entry < ENTRY_COUNT; entry++) {
    assert.equal(get(0x10 + 2 * entry), 0x10000);
    set(0x10 + 2 * entry, 0xffff_ffff);
    set(0x11 + 2 * entry, 0xffff_ffff);
    assert.equal(get(0x10 + 2 * entry), 0x1afff);
    assert.equal(get(0x11 + 2 * entry), 0xff00_0000);
  }
  assert.equal(get(0x10 + 2 * ENTRY_COUNT), 0);
});

test('a rising unmasked input sends its entry, once per edge', () => {
  const { device, messages, set } = ioapic();
  set(0x10 + 8, 0x31);
  set(0x11 + 8, 0x0200_0000);
  device.setInput(4, true);
  device.setInput(4, true);
  device.setInput(4, false);
  device.setInput(4, true);
  const expected = { vector: 0x31, deliveryMode: 0, destination: 2, logical: false };
  assert.deepEqual(messages, [expected, expected]);
});

test('an edge at a masked input is lost', () => {
  const { device, messages, set } = ioapic();
  device.setInput(4, true);
  set(0x10 + 8, 0x31);
  assert.deepEqual(messages, []);
});

test('the id is four bits; odd sizes and offsets answer all ones', () => {
  const { device, get, set } = ioapic();
  set(0, 0xff00_0000);
  assert.equal(get(0), 0x0f00_0000);
  assert.equal(device.read(Offset.Data, 1), 0xff);
  assert.equal(device.read(0x20, 4), 0xffff_ffff);
});
