import assert from 'node:assert/strict';
import test from 'node:test';
import { KeyReader } from './terminal.ts';

const read = (...pieces: string[]): [keys: string, commands: string[]] => {
  const reader = new KeyReader();
  const results = pieces.map((piece) => reader.read(new TextEncoder().encode(piece)));
  return [
    results.map(({ keys }) => new TextDecoder().decode(keys)).join(''),
    results.flatMap(({ commands }) => [...commands]),
  ];
};

test('keys pass, control characters too', () => {
  assert.deepEqual(read('ls\r', '\x03\x04\x1a'), ['ls\r\x03\x04\x1a', []]);
});

test('Ctrl-A X, in either case and in pieces', () => {
  assert.deepEqual(read('a\x01xb'), ['ab', ['leave']]);
  assert.deepEqual(read('a\x01', 'X'), ['a', ['leave']]);
  assert.deepEqual(read('\x01?\x01c'), ['', ['help', 'crossings']]);
});

test('Ctrl-A twice is one Ctrl-A for the guest; unknown commands do nothing', () => {
  assert.deepEqual(read('\x01\x01x\x01q'), ['\x01x', []]);
});
