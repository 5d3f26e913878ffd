import assert from 'node:assert/strict';
import test from 'node:test';
import { TdgLeaf } from '../abi/index.ts';
import { CrossingKind, NO_REGISTERS } from '../probe/index.ts';
import { SeptState } from '../seam/index.ts';
import { CrossingRecorder } from './crossing-recorder.ts';
import { LIVE_VIEW_LINES, liveView } from './live-view.ts';
import { PageCounts } from './page-counts.ts';

function facts() {
  const crossings = new CrossingRecorder();
  const pages = new PageCounts();
  for (let i = 0; i < 3; i++) crossings.crossing(CrossingKind.ModuleCall, 0, TdgLeaf.VP_INFO, 0, 0, 0, 0, NO_REGISTERS);
  crossings.crossing(CrossingKind.VirtualizationException, 0, 10, 0, 0, 0, 0, NO_REGISTERS);
  const change = (before: number, after: number, level: number) =>
    pages.crossing(CrossingKind.PrivatePage, -1, after, level + 256 * before);
  change(SeptState.FREE, SeptState.PENDING, 1);
  change(SeptState.PENDING, SeptState.MAPPED, 1);
  change(SeptState.FREE, SeptState.PENDING, 0);
  pages.crossing(CrossingKind.SharedPage, -1, 1, 0);
  return { crossings, pages, phase: 'kernel', instructions: 5e6, virtualSeconds: 0.005, mips: 212.4 } as const;
}

test('crossings by kind, causes of #VE, pages by state, phase and speed', () => {
  const lines = liveView(facts(), 100);
  assert.equal(lines.length, LIVE_VIEW_LINES);
  assert.match(lines[0]!, /^-- kernel -- 5 M instructions -- 0\.005 s -- 212 MIPS -+$/);
  assert.match(lines[1]!, /module calls 3, VMM calls 0, #VE 1,/);
  assert.match(lines[2]!, /#VE causes +CPUID 1$/);
  assert.match(lines[3]!, /module +TDG\.VP\.INFO 3$/);
  assert.match(lines[5]!, /pages +MAPPED 512, PENDING 1, shared 1$/);
});

test('no line is longer than the terminal is wide, and no count is cut in two', () => {
  for (const columns of [20, 40, 61]) {
    for (const line of liveView(facts(), columns)) assert.ok(line.length <= columns);
  }
  assert.match(liveView(facts(), 40)[1]!, /module calls 3, VMM calls 0$/);
});
