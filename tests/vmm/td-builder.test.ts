import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, plan, region } from './scripted-module.ts';

const names = (calls: readonly string[]) => calls.map((call) => call.split(' ')[0]);

test('a TD is built in the order of the specification', () => {
  const { module } = bench({}, plan([region(0x20_0000, 0x1000, 'added-measured'), region(0x40_0000, 0x20_0000)], 2));
  const vcpu = ['TDH.VP.CREATE', ...Array(5).fill('TDH.VP.ADDCX'), 'TDH.VP.INIT'];
  assert.deepEqual(names(module.calls), [
    'TDH.SYS.INIT',
    'TDH.SYS.LP.INIT',
    'TDH.SYS.RD',
    'TDH.SYS.CONFIG',
    'TDH.SYS.KEY.CONFIG',
    'TDH.SYS.TDMR.INIT',
    ...Array(2).fill('TDH.SYS.RD'),
    'TDH.SYS.INFO',
    'TDH.MNG.CREATE',
    'TDH.MNG.KEY.CONFIG',
    ...Array(4).fill('TDH.MNG.ADDCX'),
    'TDH.MNG.INIT',
    ...vcpu,
    ...vcpu,
    ...Array(3).fill('TDH.MEM.SEPT.ADD'),
    'TDH.MEM.PAGE.ADD',
    ...Array(16).fill('TDH.MR.EXTEND'),
    'TDH.MR.FINALIZE',
  ]);
});

test('table pages are added once per range they cover, from the top', () => {
  const regions = [
    region(0x1000, 0x2000, 'added'),
    region(0x20_0000, 0x1000, 'added'),
    region(0xffff_f000, 0x1000, 'added'),
  ];
  const { module } = bench({}, plan(regions));
  assert.deepEqual(module.takeCalls('TDH.MEM.SEPT.ADD'), ['3', '2', '1', '200001', 'c0000002', 'ffe00001']);
});

test('no host page is used twice, and pending memory uses none', () => {
  const { module } = bench({}, plan([region(0, 0x10_0000, 'added'), region(0x20_0000, 0x60_0000)]));
  const pages = module.calls.filter((call) => /CREATE|ADDCX/.test(call)).map((call) => call.split(' ')[1]);
  assert.equal(new Set(pages).size, pages.length);
  assert.equal(module.calls.filter((call) => call.startsWith('TDH.MEM.PAGE.ADD')).length, 256);
});

test('what is known late is added last, and no longer than its region', () => {
  const late = (bytes: number) => ({ ...region(0x1000, 0x1000, 'added'), content: () => new Uint8Array(bytes) });
  const { module } = bench({}, plan([late(4096), region(0x3000, 0x1000, 'added')]));
  assert.deepEqual(module.takeCalls('TDH.MEM.PAGE.ADD'), ['3000', '1000']);
  assert.throws(() => bench({}, plan([late(4097)])), /holds 4097 bytes in 4096/);
});

test('a wrong plan is refused in one sentence', () => {
  assert.throws(() => bench({}, plan([region(0x800, 0x1000)])), /region at 800 of the plan is not made of 4 KiB pages/);
  assert.throws(
    () => bench({}, plan([region(0, 0x2000), region(0x1000, 0x1000)])),
    /overlaps its predecessor at 0x1000/,
  );
  assert.throws(
    () => bench({}, plan([{ ...region(0, 0x1000), content: new Uint8Array(4097) }])),
    /holds 4097 bytes in 4096/,
  );
  assert.throws(() => bench({}, plan([], 0)), /a plan of 0 vCPUs/);
});
