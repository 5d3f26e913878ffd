import assert from 'node:assert/strict';
import test from 'node:test';
import { CompletionCode, TdExitReason, TdgLeaf, TdvmcallLeaf } from '../abi/index.ts';
import { CrossingKind, NO_REGISTERS } from '../probe/index.ts';
import { describeCrossing } from './crossing-names.ts';
import { CrossingRecorder } from './crossing-recorder.ts';
import { formatRunReport, runReport } from './run-report.ts';

const textLow = 0x8100_0000 | 0;
const textHigh = 0xffff_ffff | 0;

function recorded(): CrossingRecorder {
  const recorder = new CrossingRecorder(2);
  recorder.crossing(CrossingKind.ModuleCall, 0, TdgLeaf.VP_INFO, 0, 0, textLow, textHigh, NO_REGISTERS);
  recorder.crossing(CrossingKind.VmmCall, 0, TdvmcallLeaf.INSTRUCTION_IO, 1, 0x3f8, textLow, textHigh, NO_REGISTERS);
  recorder.crossing(CrossingKind.VmmCall, 0, TdvmcallLeaf.INSTRUCTION_IO, 1, 0x3fd, textLow, textHigh, NO_REGISTERS);
  return recorder;
}

test('the last crossings come oldest first, with the whole RIP', () => {
  const last = recorded().last();
  assert.deepEqual(
    last.map(({ kind, result, rip }) => [kind, result, rip]),
    [
      [CrossingKind.VmmCall, 0x3f8, 0xffff_ffff_8100_0000n],
      [CrossingKind.VmmCall, 0x3fd, 0xffff_ffff_8100_0000n],
    ],
  );
  assert.equal(new CrossingRecorder(4).last().length, 0);
});

test('a crossing in words names the leaf, the sub-function or the cause', () => {
  const describe = (kind: CrossingKind, code: number, operand: number, result: number): string =>
    describeCrossing({ kind, vcpuIndex: 0, code, operand, result, rip: 0xffff_ffff_8100_0000n });
  assert.match(
    describe(CrossingKind.ModuleCall, TdgLeaf.VP_INFO, 0, 0),
    /^0xffffffff81000000 {2}module call +TDG\.VP\.INFO .*TDX_SUCCESS$/,
  );
  assert.match(
    describe(CrossingKind.ModuleCall, TdgLeaf.MEM_PAGE_ACCEPT, 1, CompletionCode.OPERAND_INVALID | 0),
    /TDG\.MEM\.PAGE\.ACCEPT .*TDX_OPERAND_INVALID/,
  );
  assert.match(describe(CrossingKind.VmmCall, TdvmcallLeaf.MAP_GPA, 0, 0), /VMM call +MapGPA/);
  assert.match(describe(CrossingKind.VmmCall, 0x8000_0005 | 0, 0, 0), /vendor call 0x5/);
  assert.match(describe(CrossingKind.VirtualizationException, 10, 0, 0), /#VE +CPUID/);
  assert.match(describe(CrossingKind.TdExit, TdExitReason.EPT_VIOLATION, 3, 0x1000), /EPT_VIOLATION .*GPA 0x1000/);
});

test('the report counts by name and says how fast it was', () => {
  const report = runReport({
    crossings: recorded(),
    mrtd: 'ab'.repeat(48),
    instructionsRetired: 1_500_000_000,
    virtualNanoseconds: 2e9,
    wallMilliseconds: 10_000,
    unimplemented: new Map([['vpaddb', 3]]),
  });
  assert.deepEqual(report.moduleCalls, { 'TDG.VP.INFO': 1 });
  assert.deepEqual(report.vmmCalls, { 'Instruction.IO': 2 });
  assert.equal(report.mips, 150);
  const text = formatRunReport(report);
  assert.match(text, /Instruction\.IO +2\n/);
  assert.match(text, /Instructions +1 500 000 000\n/);
  assert.match(text, /vpaddb +3\n/);
  assert.match(text, /MRTD {2}(ab){48}$/);
  assert.doesNotMatch(text, /TD exits/);
});
