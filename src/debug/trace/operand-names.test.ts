import assert from 'node:assert/strict';
import test from 'node:test';
import { SEAMCALL_ROWS, TDCALL_ROWS } from '../../seam/index.ts';
import { parseOperands } from './operand-names.ts';

test('every row of a leaf names its registers, or says that there are none', () => {
  for (const { name, operands } of [...TDCALL_ROWS, ...SEAMCALL_ROWS]) {
    const { inputs, outputs } = parseOperands(operands);
    assert.equal(inputs.length + outputs.length > 0, operands !== 'none', `${name}: ${operands}`);
    for (const { meaning } of [...inputs, ...outputs]) assert.ok(meaning.length > 0, `${name}: ${operands}`);
  }
});

test('the notation: registers, their meaning up to the next, several of one meaning', () => {
  const { inputs, outputs } = parseOperands(
    'in: RCX = GPA, 8-byte aligned, RDX = TDR HPA; out: R8 = value, or RCX, RDX = entry and its level and state',
  );
  assert.deepEqual(
    inputs.map(({ registerName, meaning }) => [registerName, meaning]),
    [
      ['RCX', 'GPA, 8-byte aligned'],
      ['RDX', 'TDR HPA'],
    ],
  );
  assert.deepEqual(
    outputs.map(({ registerName, meaning }) => [registerName, meaning]),
    [
      ['R8', 'value'],
      ['RCX', 'entry and its level and state'],
      ['RDX', 'entry and its level and state'],
    ],
  );
});
