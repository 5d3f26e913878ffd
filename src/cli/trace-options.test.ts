import assert from 'node:assert/strict';
import test from 'node:test';
import { traceFilter } from './trace-options.ts';

test('filters add up; names and numbers become the names of the specification', () => {
  const leaves = traceFilter('leaf=tdg.vp.info,6');
  assert.deepEqual(leaves, { leaves: ['TDG.VP.INFO', 'TDG.MEM.PAGE.ACCEPT'] });
  assert.deepEqual(traceFilter('sub-function=0x10001', leaves), { ...leaves, subFunctions: ['MapGPA'] });
  assert.deepEqual(traceFilter('vcpu=0,3'), { vcpus: [0, 3] });
  assert.deepEqual(traceFilter('gpa=0x1000..0x3000'), { gpa: { startGpa: 0x1000, endGpa: 0x3000 } });
  assert.deepEqual(traceFilter('time=0.5..1s'), { time: { fromTicks: 5e8, toTicks: 1e9 } });
});

test('what cannot be meant is refused with a sentence', () => {
  assert.throws(() => traceFilter('leaf=TDG.NOPE'), /There is no leaf TDG\.NOPE\./);
  assert.throws(() => traceFilter('sub-function=Nope'), /There is no sub-function Nope\./);
  assert.throws(() => traceFilter('gpa=3..1'), /is no range/);
  assert.throws(() => traceFilter('vcpu=x'), /no number of a vCPU/);
  assert.throws(() => traceFilter('colour=red'), /one of leaf, sub-function, vcpu, gpa, time/);
});
