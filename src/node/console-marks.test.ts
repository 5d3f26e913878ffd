import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConsoleMarkFilter, consoleMark } from './console-marks.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function filter(pieces: readonly Uint8Array[]): { text: string; marks: string[] } {
  const seen: number[] = [];
  const marks: string[] = [];
  const marked = new ConsoleMarkFilter({
    onBytes: (bytes) => seen.push(...bytes),
    onMark: (kind, value) => marks.push(`${kind}=${value}@${seen.length}`),
  });
  for (const piece of pieces) marked.write(piece);
  marked.end();
  return { text: new TextDecoder().decode(Uint8Array.from(seen)), marks };
}

test('marks are taken out wherever the stream is cut', () => {
  const stream = encode(`boot\r\n${consoleMark('begin')}a\x1b[1mb\x07${consoleMark('end', '7')}down`);
  for (let cut = 0; cut <= stream.length; cut++) {
    assert.deepEqual(filter([stream.subarray(0, cut), stream.subarray(cut)]), {
      text: 'boot\r\na\x1b[1mb\x07down',
      marks: ['begin=@6', 'end=7@13'],
    });
  }
});

test('what only looks like a mark stays', () => {
  const plain = `\x1b\x1b]seamulator\x1b]0;title\x07 \x1b]seamulator;${'x'.repeat(80)}\x07\x1b]sea`;
  assert.deepEqual(filter([encode(plain)]), { text: plain, marks: [] });
  const late = `\x1b\x1b]seam${consoleMark('ready')}`;
  assert.deepEqual(filter([encode(late)]), { text: '\x1b\x1b]seam', marks: ['ready=@7'] });
});

test('a stream without marks passes unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'\x1b]seamultor;\x07x'), { maxLength: 60 }), (characters) => {
      const text = characters.join('');
      fc.pre(!text.includes('\x1b]seamulator;'));
      assert.deepEqual(filter([encode(text)]), { text, marks: [] });
    }),
  );
});
