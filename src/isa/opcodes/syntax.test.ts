import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from './index.ts';
import { FormIndex, parseRows } from './syntax.ts';

test('each form is found where it stands, and nowhere else', () => {
  const index = new FormIndex(rows, []);
  const forms = parseRows(rows);
  for (let map = 0; map < 4; map++)
    for (let opcode = 0; opcode < 256; opcode++) {
      const there = forms.filter((form) => form.map === map && form.opcode === opcode);
      assert.deepEqual(index.at(map, opcode), there, `${map} ${opcode.toString(16)}`);
    }
});
