import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from '../time/index.ts';
import { type ApicMessage, X2Apic, X2ApicMsr } from './x2apic.ts';

function apic(apicId = 0, enabled = true) {
  const clock = new Clock();
  const posted: number[] = [];
  const sent: [ApicMessage, boolean][] = [];
  let nmis = 0;
  const local = new X2Apic({
    apicId,
    bootstrap: apicId === 0,
    clock,
    tscOriginTicks: 0,
    post: (vector) => posted.push(vector),
    postNmi: () => nmis++,
    send: (message, exceptSender) => sent.push([message, exceptSender]),
  });
  if (enabled) local.write(X2ApicMsr.SpuriousVector, 0x1ffn);
  const run = (ticks: number) => {
    clock.advance(ticks);
    clock.ringDue();
  };
  return { local, posted, sent, run, clock, nmis: () => nmis };
}

test('says that it is an enabled x2APIC', () => {
  assert.equal(apic(0).local.read(X2ApicMsr.ApicBase), 0xfee0_0d00n);
  const { local } = apic(0x23);
  assert.equal(local.read(X2ApicMsr.ApicBase), 0xfee0_0c00n);
  assert.equal(local.read(X2ApicMsr.Id), 0x23n);
  assert.equal(local.read(X2ApicMsr.Version), 0x50014n);
  assert.equal(local.read(X2ApicMsr.LogicalDestination), 0x2_0008n);
});

test('registers of the other half, and unknown ones, are not here', () => {
  const { local } = apic();
  for (const msr of [0x808, 0x80b, 0x820, 0x83f, 0x800, 0x82f]) {
    assert.equal(local.read(msr), undefined);
    assert.equal(local.write(msr, 0n), false);
  }
  assert.equal(local.write(X2ApicMsr.Id, 1n), false);
  assert.equal(local.write(X2ApicMsr.ErrorStatus, 1n), false);
});

test('a TSC deadline fires once, at its time', () => {
  const { local, posted, run } = apic();
  local.write(X2ApicMsr.LvtTimer, 0x400ecn);
  local.write(X2ApicMsr.TscDeadline, 1000n);
  assert.equal(local.read(X2ApicMsr.TscDeadline), 1000n);
  run(999);
  assert.deepEqual(posted, []);
  run(1);
  assert.deepEqual(posted, [0xec]);
  assert.equal(local.read(X2ApicMsr.TscDeadline), 0n);
  run(5000);
  assert.deepEqual(posted, [0xec]);
});

test('a deadline is moved, disarmed, and needs its mode', () => {
  const { local, posted, run } = apic();
  local.write(X2ApicMsr.TscDeadline, 10n);
  assert.equal(local.read(X2ApicMsr.TscDeadline), 0n, 'one-shot mode ignores it');
  local.write(X2ApicMsr.LvtTimer, 0x400ecn);
  local.write(X2ApicMsr.TscDeadline, 100n);
  local.write(X2ApicMsr.TscDeadline, 200n);
  run(150);
  assert.deepEqual(posted, []);
  local.write(X2ApicMsr.TscDeadline, 0n);
  run(100);
  assert.deepEqual(posted, []);
  local.write(X2ApicMsr.TscDeadline, 0xffff_ffff_ffff_ffffn);
  assert.equal(local.read(X2ApicMsr.TscDeadline), 0xffff_ffff_ffff_ffffn);
  local.write(X2ApicMsr.LvtTimer, 0xecn);
  assert.equal(local.read(X2ApicMsr.TscDeadline), 0n, 'leaving the mode disarms');
});

test('a deadline in the past fires at the next chance', () => {
  const { local, posted, run } = apic();
  run(500);
  local.write(X2ApicMsr.LvtTimer, 0x400ecn);
  local.write(X2ApicMsr.TscDeadline, 1n);
  run(0);
  assert.deepEqual(posted, [0xec]);
});

test('the count runs at 25 MHz over the divider', () => {
  const { local, posted, run } = apic();
  local.write(X2ApicMsr.DivideConfiguration, 3n); // 16
  local.write(X2ApicMsr.LvtTimer, 0x30n);
  local.write(X2ApicMsr.InitialCount, 100n);
  run(50 * 16 * 40);
  assert.equal(local.read(X2ApicMsr.CurrentCount), 50n);
  run(50 * 16 * 40);
  assert.deepEqual(posted, [0x30]);
  assert.equal(local.read(X2ApicMsr.CurrentCount), 0n);
});

test('every divider code', () => {
  const dividers = [2, 4, 8, 16, 32, 64, 128, 1];
  for (const [code, divider] of dividers.entries()) {
    const { local, posted, run } = apic();
    local.write(X2ApicMsr.DivideConfiguration, BigInt(((code & 4) << 1) | (code & 3)));
    local.write(X2ApicMsr.LvtTimer, 0x30n);
    local.write(X2ApicMsr.InitialCount, 1n);
    run(divider * 40 - 1);
    assert.deepEqual(posted, []);
    run(1);
    assert.deepEqual(posted, [0x30]);
  }
});

test('a periodic count reloads without drift, and a new divider applies to what is left', () => {
  const { local, posted, run } = apic();
  local.write(X2ApicMsr.DivideConfiguration, 0xbn); // 1
  local.write(X2ApicMsr.LvtTimer, 0x20030n);
  local.write(X2ApicMsr.InitialCount, 10n);
  run(405);
  run(395);
  assert.deepEqual(posted, [0x30, 0x30]);
  run(200);
  local.write(X2ApicMsr.DivideConfiguration, 0n); // 2
  run(399);
  assert.equal(posted.length, 2);
  run(1);
  assert.equal(posted.length, 3);
});

test('a masked or disabled timer fires into the void', () => {
  const { local, posted, run } = apic();
  local.write(X2ApicMsr.LvtTimer, 0x500ecn);
  local.write(X2ApicMsr.TscDeadline, 10n);
  run(20);
  assert.deepEqual(posted, []);
  local.write(X2ApicMsr.LvtTimer, 0x400ecn);
  local.write(X2ApicMsr.SpuriousVector, 0xffn);
  assert.equal(local.read(X2ApicMsr.LvtTimer), 0x500ecn, 'disabling masks');
});

test('interrupt commands: shorthands, destinations, NMI', () => {
  const { local, posted, sent, nmis } = apic();
  local.write(X2ApicMsr.InterruptCommand, (3n << 32n) | 0xfdn);
  local.write(X2ApicMsr.InterruptCommand, 0xc00fbn);
  local.write(X2ApicMsr.InterruptCommand, 0x40041n);
  local.write(X2ApicMsr.InterruptCommand, 0x40400n);
  assert.deepEqual(sent, [
    [{ vector: 0xfd, deliveryMode: 0, logical: false, destination: 3 }, false],
    [{ vector: 0xfb, deliveryMode: 0, logical: false, destination: 0xffff_ffff }, true],
  ]);
  assert.deepEqual(posted, [0x41]);
  assert.equal(nmis(), 1);
  assert.equal(local.read(X2ApicMsr.InterruptCommand), 0x40400n);
});

test('a message matches by id, by cluster and bit, or for everyone', () => {
  const { local } = apic(0x12);
  const message = (logical: boolean, destination: number) => ({ vector: 0x40, deliveryMode: 0, logical, destination });
  assert.equal(local.matches(message(false, 0x12)), true);
  assert.equal(local.matches(message(false, 0x13)), false);
  assert.equal(local.matches(message(false, 0xffff_ffff)), true);
  assert.equal(local.matches(message(true, 0x1_0006)), true);
  assert.equal(local.matches(message(true, 0x1_0001)), false);
  assert.equal(local.matches(message(true, 0x0004)), false);
});

test('a disabled APIC takes no fixed interrupts; vectors below 16 are illegal', () => {
  const off = apic(0, false);
  off.local.accept(0x40, 0);
  off.local.accept(0, 4);
  assert.deepEqual(off.posted, []);
  assert.equal(off.nmis(), 1);
  const on = apic();
  on.local.accept(15, 0);
  on.local.accept(0x40, 5);
  assert.deepEqual(on.posted, []);
});
