import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InterruptMessage, PowerEvent } from '../devices/index.ts';
import { Clock } from '../time/index.ts';
import { BOARD, MMIO, PORTS } from './board.ts';
import { solderBoard } from './devices.ts';

function board() {
  const sent: number[] = [];
  const events: PowerEvent[] = [];
  const messages: InterruptMessage[] = [];
  const devices = solderBoard({
    clock: new Clock(),
    startUnixSeconds: 0,
    consoleOutput: (byte) => sent.push(byte),
    power: (event) => events.push(event),
    interrupt: (message) => messages.push(message),
  });
  return { ...devices, sent, events, messages };
}

test('what the tables are told is where the devices are', () => {
  const { ports, mmio, sent, events } = board();
  ports.write(BOARD.serial.port, 1, 0x41);
  assert.deepEqual(sent, [0x41]);
  ports.write(BOARD.power.sleepControlPort, 1, 0x20 | (BOARD.power.powerOffType << 2));
  ports.write(BOARD.power.resetPort, 1, BOARD.power.resetValue);
  assert.deepEqual(events, ['power-off', 'reset']);
  assert.equal(BOARD.power.sleepStatusPort - BOARD.power.sleepControlPort, 1);
  assert.equal(BOARD.power.resetPort - BOARD.power.sleepControlPort, 2);
  mmio.write(BOARD.ioApic.address, 4, 1);
  assert.equal(mmio.read(BOARD.ioApic.address + 0x10, 4), 0x170020);
});

test('the serial port interrupts through its input of the I/O APIC', () => {
  const { ports, mmio, serial, messages } = board();
  mmio.write(MMIO.ioApic.base, 4, 0x10 + 2 * BOARD.serial.interrupt);
  mmio.write(MMIO.ioApic.base + 0x10, 4, 0x24);
  ports.write(PORTS.serial.base + 4, 1, 0x08);
  ports.write(PORTS.serial.base + 1, 1, 0x01);
  serial.receive(Uint8Array.of(0x61));
  assert.deepEqual(messages, [{ vector: 0x24, deliveryMode: 0, destination: 0, logical: false }]);
});

test('what Linux probes and must not find is not there', () => {
  const { ports } = board();
  for (const port of [0x2f9, 0x3e9, 0x2e9]) {
    ports.write(port, 1, 0);
    assert.equal(ports.read(port, 1), 0xff);
  }
  assert.equal(ports.read(0x42, 1), 0);
  ports.write(0xcf8, 4, 0x8000_0000);
  assert.equal(ports.read(0xcf8, 4), 0xffff_ffff, 'no PCI');
});
