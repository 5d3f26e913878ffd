import assert from 'node:assert/strict';
import test from 'node:test';
import { count, memorySize, seed, vcpuCount, word64 } from './option-values.ts';

test('memory sizes', () => {
  assert.equal(memorySize('512M'), 512 * 2 ** 20);
  assert.equal(memorySize('1g'), 2 ** 30);
  assert.equal(memorySize('1.5GiB'), 1.5 * 2 ** 30);
  for (const wrong of ['', '0M', '512', '1K', '-1M', 'many', '0.3M'])
    assert.throws(() => memorySize(wrong), /whole number/, wrong);
});

test('counts', () => {
  assert.equal(count('5G'), 5e9);
  assert.equal(count('1200'), 1200);
  for (const wrong of ['', '0', '1.5', '-3', '1e9']) assert.throws(() => count(wrong), /whole number/, wrong);
});

test('seeds and numbers of vCPUs', () => {
  assert.equal(seed('0'), 0);
  assert.equal(seed('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const wrong of ['', '-1', '1.5', '0x10', '9007199254740992'])
    assert.throws(() => seed(wrong), /whole number/, wrong);
  assert.equal(vcpuCount('255'), 255);
  for (const wrong of ['', '0', '-4', '2.5', '256']) assert.throws(() => vcpuCount(wrong), /from 1 to 255/, wrong);
});

test('64-bit words', () => {
  assert.equal(word64('0x3f8'), 0x3f8n);
  assert.equal(word64('-1'), 0xffff_ffff_ffff_ffffn);
  assert.equal(word64('18446744073709551615'), 0xffff_ffff_ffff_ffffn);
  for (const wrong of ['', 'x', '18446744073709551616', '-0x8000000000000001'])
    assert.throws(() => word64(wrong), wrong);
});
