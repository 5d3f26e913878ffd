import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from '../../time/index.ts';
import { RtcCmos } from './device.ts';
import { Register, StatusB } from './spec.ts';

const START = Date.UTC(2024, 1, 29, 23, 59, 58) / 1000;

function rtc(start = START) {
  const clock = new Clock();
  const device = new RtcCmos(clock, start);
  const get = (register: number) => {
    device.write(0, 1, register);
    return device.read(1);
  };
  const set = (register: number, value: number) => {
    device.write(0, 1, register);
    device.write(1, 1, value);
  };
  const date = () =>
    [
      Register.Century,
      Register.Year,
      Register.Month,
      Register.DayOfMonth,
      Register.Hours,
      Register.Minutes,
      Register.Seconds,
    ]
      .map((register) => get(register).toString(16).padStart(2, '0'))
      .join(' ');
  return { clock, get, set, date };
}

test('tells the configured date in BCD, 24 hours', () => {
  const { date, get } = rtc();
  assert.equal(date(), '20 24 02 29 23 59 58');
  assert.equal(get(Register.DayOfWeek), 5);
});

test('is never in the middle of an update and has a good battery', () => {
  const { get } = rtc();
  assert.equal(get(Register.StatusA), 0x26);
  assert.equal(get(Register.StatusB), StatusB.Hours24);
  assert.equal(get(Register.StatusC), 0);
  assert.equal(get(Register.StatusD), 0x80);
});

test('advances with virtual time, over a leap day', () => {
  const { clock, date } = rtc();
  clock.advance(2e9);
  assert.equal(date(), '20 24 03 01 00 00 00');
});

test('can be set, and goes on from there', () => {
  const { clock, set, date } = rtc();
  set(Register.StatusB, StatusB.Hours24 | StatusB.Set);
  set(Register.Year, 0x31);
  set(Register.Month, 0x12);
  set(Register.DayOfMonth, 0x31);
  clock.advance(5e9);
  assert.equal(date(), '20 31 12 31 23 59 58', 'stands still while being set');
  set(Register.StatusB, StatusB.Hours24);
  clock.advance(1e9);
  assert.equal(date(), '20 31 12 31 23 59 59');
  set(Register.Minutes, 0x00);
  assert.equal(date(), '20 31 12 31 23 00 59', 'without SET a register is changed in place');
});

test('speaks binary and 12 hours when asked', () => {
  const { get, set } = rtc(Date.UTC(2025, 0, 1, 13, 45, 0) / 1000);
  set(Register.StatusB, StatusB.Binary);
  assert.equal(get(Register.Hours), 0x80 | 1);
  assert.equal(get(Register.Minutes), 45);
});

test('the rest is RAM, also under a masked NMI', () => {
  const { get, set } = rtc();
  set(0x80 | 0x0f, 0x0a);
  assert.equal(get(0x0f), 0x0a);
});
