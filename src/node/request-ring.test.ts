import assert from 'node:assert/strict';
import test from 'node:test';
import { RequestRing } from './request-ring.ts';

test('requests come out as they went in, in order and round the ring, and are counted while under way', () => {
  const here = new RequestRing();
  const there = new RequestRing(here.buffer);
  for (let id = 0; id < 300; id++) {
    const page = new Uint8Array(4096).fill(id);
    const known = new Uint8Array(4096).fill(id % 3);
    here.put({ id, place: id * 16, page, known, pageOffset: id * 7, forbidden: id % 4 });
    assert.equal(here.underWay, 1);
    assert.deepEqual(there.take(8), [{ id, place: id * 16, page, known, pageOffset: id * 7, forbidden: id % 4 }]);
    assert.equal(here.underWay, 0);
  }
  there.countAnswer(2.5);
  there.countAnswer(1);
  assert.equal(here.answers, 2);
  assert.equal(here.busyMilliseconds, 3.5);
});
