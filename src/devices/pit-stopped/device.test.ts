import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PitStopped, SystemControlPortB } from './device.ts';
import { Port } from './spec.ts';

test('counters stand at zero whatever is programmed', () => {
  const pit = new PitStopped();
  pit.write();
  assert.equal(pit.read(Port.Counter2), 0);
  assert.equal(pit.read(Port.Counter0), 0);
  assert.equal(pit.read(Port.Control), 0xff, 'the control word cannot be read');
});

test('port B keeps the gate, toggles refresh and has no output', () => {
  const port = new SystemControlPortB();
  port.write(0, 1, 0xff);
  const [first, second] = [port.read(), port.read()];
  assert.equal(first & 0x0f, 0x0f);
  assert.equal((first ^ second) & 0xff, 0x10);
  assert.equal((first | second) & 0x20, 0);
});
