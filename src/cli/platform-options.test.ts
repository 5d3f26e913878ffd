import assert from 'node:assert/strict';
import test from 'node:test';
import { MODULE_2_0 } from '../machine/index.ts';
import { cpuProfile, moduleVersion } from './platform-options.ts';

test('module versions go by their names', () => {
  assert.equal(moduleVersion('2.0'), MODULE_2_0);
  for (const wrong of ['', '2', '1.6']) assert.throws(() => moduleVersion(wrong), /one of 1\.5, 2\.0/, wrong);
});

test('processors go by their names', () => {
  assert.equal(cpuProfile('spr').name, 'spr');
  for (const wrong of ['', 'SPR', 'sapphire']) assert.throws(() => cpuProfile(wrong), /one of minimal, spr/, wrong);
});
