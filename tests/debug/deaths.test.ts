/** Twelve classic deaths: the first line of each report, and what stands below it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { vmcall } from '../../guests/cases/parts.ts';
import { CASES } from '../../guests/index.ts';
import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { S } from '../../src/cpu/index.ts';
import { DIAGNOSES, formatPostMortem, type PostMortem } from '../../src/debug/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { BOARD, type TdEnd } from '../../src/machine/index.ts';
import { caseRun, runCase } from './case-run.ts';

const firstLines: Readonly<Record<string, string>> = {
  'unaccepted-page':
    'The TD died. The guest used private page 0x600000 before it accepted it with TDG.MEM.PAGE.ACCEPT.',
  've-before-a-handler':
    'The TD died. #VE (IO_INSTRUCTION: OUT to port 0x3f8, 1 byte) at 0x1000a before the guest had a handler: its interrupt table has no gate for vector 20, and the fault became a triple fault.',
  've-within-ve':
    'The TD died. A second #VE (IO_INSTRUCTION: OUT to port 0x3f8, 1 byte) came before the guest had read the first (CPUID leaf 0x40000000) with TDG.VP.VEINFO.GET: that is a double fault, and it ended in a triple fault.',
  'wrong-rcx-mask':
    'The TD died. TDG.VP.VMCALL was refused because RCX 0xfc10 exposes RSP, which never crosses: TDX_OPERAND_INVALID (RCX), and the guest stopped at 0x10023.',
  'map-gpa-retry-ignored':
    'The TD died. The guest used shared page 0x403ff8, which MapGPA had not reached: the host answered RETRY, to go on from 0x402000, and the guest did not go on.',
  'shared-bit-forgotten':
    'The TD died. The guest used page 0x400000 without its shared bit after MapGPA had made it shared.',
  'efer-write':
    'The TD died. The guest wrote 0x101 to IA32_EFER (it holds 0xd01): all of it but SCE belongs to the module, so that is #VE, and its interrupt table has no gate for vector 20.',
  'hlt-with-nothing-to-wake-it':
    'The TD died. vCPU 0 waits in Instruction.HLT with its interrupts blocked, and nothing will wake it: no timer is set and no interrupt is pending.',
  'rdrand-absent':
    'The TD died. RDRAND at 0x10000 is #UD: this processor does not have it (CPUID 1 ECX bit 30 is 0), and the guest has no handler.',
  'triple-fault-in-early-boot':
    'The TD died. Triple fault on vCPU 0 at 0x1000a, mov rax, [rbx+0x18]: address 0x100000018 is not mapped (#PF), and there is no handler of #PF.',
  'report-fatal-error':
    'The TD died. The guest gave up with ReportFatalError: "case: no memory above 4 GiB" (code 0x0).',
  'guest-panic':
    'The TD died. Kernel panic: VFS: Unable to mount root fs after "BUG: kernel NULL pointer dereference, address: 0000000000000018".',
};

const reports = new Map(CASES.map((guest) => [guest.name, runCase(guest)]));

function report(name: string): PostMortem {
  const found = reports.get(name);
  assert.ok(found !== undefined, name);
  return found;
}

test('there are twelve cases, and each has its first line', () => {
  assert.equal(CASES.length, 12);
  assert.deepEqual(
    Object.fromEntries([...reports].map(([name, found]) => [name, found && formatPostMortem(found).split('\n')[0]])),
    firstLines,
  );
});

test('each names a rule, the place in its code, registers, the last crossings, and what to try', () => {
  for (const [name, found] of reports) {
    assert.ok(found !== undefined, name);
    assert.ok(found.rule.document !== '' && found.rule.section !== '', name);
    assert.ok(found.advice.length > 0, name);
    assert.equal(found.code.filter(({ isCurrent }) => isCurrent).length, 1, name);
    assert.equal(found.registers.RIP, found.rip, name);
    assert.ok(found.lastCrossings.length > 0 && found.lastCrossings.length <= 20, name);
    assert.deepEqual(JSON.parse(JSON.stringify(found)), found, name);
  }
});

test('the instruction at fault stands between its neighbours', () => {
  const { code, rip } = report('map-gpa-retry-ignored');
  const current = code.findIndex(({ isCurrent }) => isCurrent);
  assert.equal(code[current]!.address, rip);
  assert.equal(code[current]!.text, 'mov [rbx+0x3ff8], rax');
  assert.equal(code[current - 1]!.text, 'mov [rbx], rax');
  assert.equal(code[current + 1]!.text, 'hlt');
});

test('the address in question has its walk, its Secure EPT entries and its history', () => {
  const unaccepted = report('unaccepted-page').address!;
  assert.equal(unaccepted.gpa, '0x600000');
  assert.equal(unaccepted.isShared, false);
  assert.equal(unaccepted.linear, '0x600000');
  assert.match(unaccepted.pageTables.at(-1)!, /^PD entry .*large/);
  assert.match(unaccepted.secureEpt.at(-1)!, /^level 0: PENDING/);
  assert.match(unaccepted.history.join('\n'), /FREE to PENDING/);

  const forgotten = report('shared-bit-forgotten').address!;
  assert.match(forgotten.history.join('\n'), /BLOCKED to FREE/);
  assert.match(forgotten.history.at(-1)!, /shared: mapped/);

  const ignored = report('map-gpa-retry-ignored').address!;
  assert.equal(ignored.isShared, true);
  assert.equal(ignored.gpa, '0x403ff8');
  assert.equal(ignored.linear, '0x40403ff8');
  assert.match(ignored.pageTables.at(-1)!, /shared bit/);

  const unmapped = report('triple-fault-in-early-boot').address!;
  assert.equal(unmapped.linear, '0x100000018');
  assert.equal(unmapped.gpa, null);
  assert.match(unmapped.pageTables.at(-1)!, /not present/);
});

test('a guest that goes round without crossing says where it is', () => {
  const loop = {
    name: 'loop',
    wrong: 'goes round',
    program: (a: Assembler) => {
      a.mov(r.eax, 0x1);
      a.cpuid();
      a.label('round');
      a.pause();
      a.jmp('round');
    },
  };
  const { report: none, quiet } = caseRun(loop);
  assert.equal(none, undefined, 'the limit is no death');
  assert.equal(quiet(1e9), undefined);
  assert.match(
    quiet(500_000)!,
    /^The guest is quiet: running at 0x1000[79] for 0\.0009\d* s of guest time, last crossing handled by the module CPUID\.$/,
  );
});

test('a reset without a panic has a report of its own; a power-off has none', () => {
  const writes = (port: number, value: number) => ({
    name: 'writes',
    wrong: 'switches the machine',
    program: (a: Assembler) => vmcall(a, TdvmcallLeaf.INSTRUCTION_IO, [1, 1, port, value]),
  });
  const { resetPort, resetValue, sleepControlPort, powerOffType } = BOARD.power;
  assert.equal(runCase(writes(resetPort, resetValue))?.id, 'reset');
  assert.equal(runCase(writes(sleepControlPort, (powerOffType << 2) | 0x20)), undefined);
});

test('whatever the registers hold, there is a report', () => {
  const { platform, td, reportOf } = caseRun(CASES.find(({ name }) => name === 've-within-ve')!);
  const { state } = platform.module.processorsOf(td.host.tdrHpa)[0]!;
  const rows = [S.rip, S.cr2, S.cr3, S.cr4, S.idtrBase, S.efer, S.gpr];
  const word = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom(0n, 0x10_0000n, 2n ** 47n - 1n, 2n ** 64n - 8n));
  const ends: readonly TdEnd[] = [
    { cause: 'triple-fault', vcpu: 0 },
    { cause: 'reset' },
    { cause: 'idle', nextAlarmTicks: Number.POSITIVE_INFINITY },
  ];
  fc.assert(
    fc.property(fc.tuple(...rows.map(() => word)), fc.constantFrom(...ends), (values, end) => {
      for (const [i, row] of rows.entries()) state.setBig(row, values[i]!);
      assert.ok(formatPostMortem(reportOf(end)!).startsWith('The TD died. '));
    }),
    { numRuns: 60 },
  );
});

test('every diagnosis has an id of its own', () => {
  assert.equal(new Set(DIAGNOSES.map(({ id }) => id)).size, DIAGNOSES.length);
});
