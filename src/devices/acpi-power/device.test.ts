import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcpiPower, type PowerEvent } from './device.ts';
import { Register } from './spec.ts';

function power() {
  const events: PowerEvent[] = [];
  return { events, device: new AcpiPower({ powerOffType: 5, resetValue: 0x2a, event: (event) => events.push(event) }) };
}

test('SLP_EN with the S5 type powers off, as Linux writes it', () => {
  const { events, device } = power();
  device.write(Register.SleepStatus, 1, 0x80);
  device.write(Register.SleepControl, 1, 0x34);
  assert.deepEqual(events, ['power-off']);
});

test('without SLP_EN, or with another type, the machine stays on', () => {
  const { events, device } = power();
  device.write(Register.SleepControl, 1, 0x14);
  assert.equal(device.read(Register.SleepControl), 0x14);
  device.write(Register.SleepControl, 1, 0x20 | (3 << 2));
  assert.equal(device.read(Register.SleepStatus), 0x80, 'woke at once');
  device.write(Register.SleepStatus, 1, 0x80);
  assert.equal(device.read(Register.SleepStatus), 0);
  assert.deepEqual(events, []);
});

test('the reset register knows one value', () => {
  const { events, device } = power();
  device.write(Register.Reset, 1, 0x06);
  assert.deepEqual(events, []);
  device.write(Register.Reset, 1, 0x2a);
  assert.deepEqual(events, ['reset']);
});
