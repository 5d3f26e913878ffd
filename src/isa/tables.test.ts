import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitNames, Cr0Bit, Cr4Bit } from './control-registers.ts';
import { exceptions, pushesErrorCode, Vector, vectorName } from './exceptions.ts';
import { msrName } from './msrs.ts';
import { rflagsText } from './rflags.ts';

test('exceptions: constants and rows agree, error codes as in the SDM', () => {
  for (const [name, vector] of Object.entries(Vector)) {
    assert.equal(vectorName(vector).replace('#', ''), name);
  }
  const withCode = exceptions.filter((row) => row.errorCode).map((row) => row.vector);
  assert.deepEqual(withCode, [8, 10, 11, 12, 13, 14, 17, 21]);
  assert.equal(pushesErrorCode(32), false);
  assert.equal(vectorName(0xec), 'vector 236');
});

test('MSR names: single, numbered, unknown, given as signed number', () => {
  assert.equal(msrName(0xc0000080), 'IA32_EFER');
  assert.equal(msrName(0xc0000080 | 0), 'IA32_EFER');
  assert.equal(msrName(0x203), 'IA32_MTRR_PHYSMASK1');
  assert.equal(msrName(0x405), 'IA32_MC1_STATUS');
  assert.equal(msrName(0x123), 'MSR 0x123');
});

test('bits as text', () => {
  assert.equal(bitNames(Cr0Bit, 0x80050033), 'PE MP ET NE WP AM PG');
  assert.equal(bitNames(Cr4Bit, 0x20), 'PAE');
  assert.equal(rflagsText(0x3246), 'IOPL=3 IF ZF PF');
});
