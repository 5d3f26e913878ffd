import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileError } from '../node/index.ts';
import { NO_PLACES, placesIn } from './code-places.ts';

const MAGIC = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);

/** An ELF file of which the beginning can be read, and then no more. */
function unreadable(error: Error) {
  const read = (_start: number, end: number): Uint8Array => {
    if (end > MAGIC.length) throw error;
    return MAGIC.subarray(0, end);
  };
  return { length: 100, read };
}

test('a file that is gone when names are asked for names nothing, and nobody loses a report by it', () => {
  const places = placesIn(unreadable(new FileError('gone')), 'vmlinux');
  assert.equal(places.symbols(0x1000n), undefined);
  assert.equal(places.sources(0x1000n), undefined);
});

test('another error is not hidden; what is no ELF file is not read at all', () => {
  const places = placesIn(unreadable(new Error('a bug')), 'vmlinux');
  assert.throws(() => places.symbols(0x1000n), /a bug/);
  assert.equal(placesIn(new Uint8Array(1000), 'vmlinuz'), NO_PLACES);
});
