import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serial16550 } from './device.ts';
import { Fcr, FIFO_BYTES, Ier, Iir, Lcr, Lsr, Mcr, Msr, Register } from './spec.ts';

function port() {
  const sent: number[] = [];
  let level = false;
  let edges = 0;
  const uart = new Serial16550({
    transmit: (byte) => sent.push(byte),
    interrupt: (asserted) => {
      if (asserted && !level) edges++;
      level = asserted;
    },
  });
  const write = (register: number, value: number) => uart.write(register, 1, value);
  return { uart, sent, write, read: (register: number) => uart.read(register), level: () => level, edges: () => edges };
}
const text = (string: string) => new TextEncoder().encode(string);

test('transmits at once and is always empty', () => {
  const { sent, write, read } = port();
  write(Register.Data, 0x41);
  assert.deepEqual(sent, [0x41]);
  assert.equal(read(Register.Lsr), Lsr.TransmitterHoldingEmpty | Lsr.TransmitterEmpty);
});

test('a driver that looks for FIFOs finds a 16550A', () => {
  const { write, read } = port();
  assert.equal(read(Register.IirFcr) & 0xc0, 0);
  write(Register.IirFcr, Fcr.Enable);
  assert.equal(read(Register.IirFcr) & 0xc0, 0xc0);
  write(Register.Scratch, 0x5a);
  assert.equal(read(Register.Scratch), 0x5a);
  write(Register.Ier, 0xff);
  assert.equal(read(Register.Ier), 0x0f, 'upper bits do not exist');
});

test('the divisor latch hides data and interrupt enable', () => {
  const { sent, write, read } = port();
  write(Register.Lcr, Lcr.DivisorLatch);
  write(Register.Data, 0x34);
  write(Register.Ier, 0x12);
  assert.deepEqual([read(Register.Data), read(Register.Ier)], [0x34, 0x12]);
  write(Register.Lcr, 3);
  assert.equal(read(Register.Ier), 0);
  assert.deepEqual(sent, []);
});

test('loopback returns data and modem outputs, and nothing leaves', () => {
  const { sent, write, read } = port();
  write(Register.Mcr, Mcr.Loopback | Mcr.Out2 | Mcr.Rts);
  assert.equal(read(Register.Msr) & 0xf0, Msr.Dcd | Msr.Cts);
  write(Register.Data, 0x55);
  assert.equal(read(Register.Lsr) & Lsr.DataReady, Lsr.DataReady);
  assert.equal(read(Register.Data), 0x55);
  assert.deepEqual(sent, []);
  write(Register.Mcr, 0);
  assert.equal(read(Register.Msr) & 0xf0, Msr.Cts | Msr.Dsr | Msr.Dcd);
});

test('loopback overruns when the receiver is full', () => {
  const { write, read } = port();
  write(Register.Mcr, Mcr.Loopback);
  write(Register.Data, 1);
  write(Register.Data, 2);
  assert.equal(read(Register.Lsr) & Lsr.Overrun, Lsr.Overrun);
  assert.equal(read(Register.Lsr) & Lsr.Overrun, 0, 'reading clears');
  assert.equal(read(Register.Data), 1);
});

test('received bytes queue behind the FIFO and none is lost', () => {
  const { uart, write, read } = port();
  write(Register.IirFcr, Fcr.Enable);
  const typed = text('a line longer than sixteen bytes, by far\n');
  uart.receive(typed);
  const got: number[] = [];
  while (read(Register.Lsr) & Lsr.DataReady) got.push(read(Register.Data));
  assert.deepEqual(got, [...typed]);
  assert.equal(uart.unreadBytes, 0);
});

test('received data raises the line through the OUT2 gate only', () => {
  const { uart, write, read, level } = port();
  write(Register.Ier, Ier.ReceivedData);
  uart.receive(text('x'));
  assert.equal(level(), false);
  write(Register.Mcr, Mcr.Out2);
  assert.equal(level(), true);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.ReceivedData);
  read(Register.Data);
  assert.equal(level(), false);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.None);
});

test('below the trigger level data is reported as a character timeout', () => {
  const { uart, write, read } = port();
  write(Register.Ier, Ier.ReceivedData);
  write(Register.IirFcr, Fcr.Enable | 0xc0);
  uart.receive(text('x'));
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.CharacterTimeout);
  uart.receive(text('0123456789abc'));
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.ReceivedData);
});

test('each transmitted byte gives a new edge; reading IIR takes the cause away', () => {
  const { write, read, level, edges } = port();
  write(Register.Mcr, Mcr.Out2);
  write(Register.Ier, Ier.TransmitterEmpty);
  assert.equal(edges(), 1, 'enabling while empty');
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.TransmitterEmpty);
  assert.equal(level(), false);
  write(Register.Data, 1);
  write(Register.Data, 2);
  assert.equal(edges(), 3);
  write(Register.Ier, 0);
  assert.equal(level(), false);
});

test('causes come in the order of the data sheet', () => {
  const { uart, write, read } = port();
  write(Register.Ier, Ier.All);
  write(Register.Mcr, Mcr.Loopback); // changes modem inputs
  write(Register.Mcr, Mcr.Out2);
  uart.receiveBreak();
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.LineStatus);
  assert.equal(read(Register.Lsr) & (Lsr.Break | Lsr.DataReady), Lsr.Break | Lsr.DataReady);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.ReceivedData);
  assert.equal(read(Register.Data), 0);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.TransmitterEmpty);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.ModemStatus);
  read(Register.Msr);
  assert.equal(read(Register.IirFcr) & 0x0f, Iir.None);
});

test('clearing or switching the FIFO drops what it held, not what waits behind it', () => {
  const { uart, write, read } = port();
  write(Register.IirFcr, Fcr.Enable);
  uart.receive(new Uint8Array(FIFO_BYTES + 1).map((_, i) => i));
  write(Register.IirFcr, Fcr.Enable | Fcr.ClearReceiver);
  assert.equal(read(Register.Data), FIFO_BYTES);
});
