/**
 * Random TDCALLs from a bare TD: whatever is in the registers, nothing throws, nothing succeeds that must not, an error changes
 * nothing, and no register changes that the leaf does not list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CompletionCode as Code, Gpr, TdgLeaf, TdhLeaf, tdgLeafName } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { TDCALL_ROWS } from '../../src/seam/index.ts';
import { ALL_ONES, acceptedPage, call, guest, SHARED_BIT, statusOf } from './guest-calls.ts';
import { Bench, type ScriptedProcessor, tdcall } from './scripted-td.ts';

const ACCEPTED = [0x1000, 0x2000];
const PENDING = [0x3000, 0x4000, 0x5000];
const PENDING_LARGE = 0x40_0000;
const MISSING = 0x9000;
const REGISTERS = [Gpr.RAX, Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13] as const;
const RUNS_PER_TD = 350;
const TDS = 3;

const VM_FIELDS = [
  0x8010_0003_0000_0020n,
  0x9110_0003_0000_0010n,
  0x1110_0003_0000_0017n,
  0x1310_0003_0000_0040n,
  0x8110_0001_0000_0001n,
];
const VP_FIELDS = [0xa020_0002_0000_0002n, 0xa020_0000_0000_0007n, 0xa020_0003_0000_0050n, 0xa120_0000_0000_0000n];
const SYS_FIELDS = [0x0800_0002_0000_0000n, 0x0a00_0003_0000_0008n, 0x8800_0002_0000_0001n];

/** Registers that each leaf lists as outputs, RAX apart. From the ABI's operand tables. */
const OUTPUTS: ReadonlyMap<number, readonly Gpr[]> = new Map([
  [TdgLeaf.VP_VMCALL, []],
  [TdgLeaf.VP_INFO, [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11]],
  [TdgLeaf.MR_RTMR_EXTEND, []],
  [TdgLeaf.VP_VEINFO_GET, [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10]],
  [TdgLeaf.MR_REPORT, []],
  [TdgLeaf.VP_CPUIDVE_SET, []],
  [TdgLeaf.MEM_PAGE_ACCEPT, []],
  [TdgLeaf.VM_RD, [Gpr.RDX, Gpr.R8]],
  [TdgLeaf.VM_WR, [Gpr.R8]],
  [TdgLeaf.VP_RD, [Gpr.RDX, Gpr.R8]],
  [TdgLeaf.VP_WR, [Gpr.R8]],
  [TdgLeaf.SYS_RD, [Gpr.RDX, Gpr.R8]],
  [TdgLeaf.SYS_RDALL, [Gpr.R8]],
  [TdgLeaf.SERVTD_RD, [Gpr.RDX, Gpr.R8, Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13]],
  [TdgLeaf.SERVTD_WR, [Gpr.R8, Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13]],
  [TdgLeaf.MR_VERIFYREPORT, []],
  [TdgLeaf.MEM_PAGE_ATTR_RD, [Gpr.RCX, Gpr.RDX]],
  [TdgLeaf.MEM_PAGE_ATTR_WR, [Gpr.RCX, Gpr.RDX]],
  [TdgLeaf.VP_ENTER, []],
  [TdgLeaf.VP_INVEPT, []],
  [TdgLeaf.VP_INVGLA, []],
]);

type Registers = Record<(typeof REGISTERS)[number], bigint>;
const isSingleElement = (id: bigint) => (id & 0x4083_fffc_ff00_0000n) === 0n;

/** What must hold of the operands whenever a leaf succeeds. Leaves that may always succeed are not here. */
const MUST_HOLD: ReadonlyMap<number, (r: Registers, own: (gpa: bigint) => boolean) => boolean> = new Map([
  [TdgLeaf.MR_RTMR_EXTEND, (r, own) => r[Gpr.RCX] % 64n === 0n && own(r[Gpr.RCX]) && r[Gpr.RDX] < 4n],
  [
    TdgLeaf.MR_REPORT,
    (r, own) =>
      r[Gpr.RCX] % 1024n === 0n && r[Gpr.RDX] % 64n === 0n && r[Gpr.R8] === 0n && own(r[Gpr.RCX]) && own(r[Gpr.RDX]),
  ],
  [TdgLeaf.VP_CPUIDVE_SET, (r) => r[Gpr.RCX] < 4n],
  [TdgLeaf.VM_RD, (r) => r[Gpr.RCX] === 0n && isSingleElement(r[Gpr.RDX])],
  [TdgLeaf.VM_WR, (r) => r[Gpr.RCX] === 0n && isSingleElement(r[Gpr.RDX]) && r[Gpr.R9] !== 0n],
  [TdgLeaf.VP_RD, (r) => r[Gpr.RCX] === 0n && isSingleElement(r[Gpr.RDX])],
  [TdgLeaf.VP_WR, (r) => r[Gpr.RCX] === 0n && isSingleElement(r[Gpr.RDX]) && r[Gpr.R9] !== 0n],
  [TdgLeaf.SYS_RD, (r) => isSingleElement(r[Gpr.RDX])],
  [TdgLeaf.SYS_RDALL, (r, own) => r[Gpr.RDX] % 4096n === 0n && own(r[Gpr.RDX])],
  [TdgLeaf.MR_VERIFYREPORT, (r, own) => r[Gpr.RCX] % 256n === 0n && own(r[Gpr.RCX])],
  [TdgLeaf.MEM_PAGE_ACCEPT, (r) => (r[Gpr.RCX] & 0xff8n) === 0n && r[Gpr.RCX] < BigInt(SHARED_BIT)],
  [TdgLeaf.MEM_PAGE_ATTR_RD, (r) => r[Gpr.RCX] < BigInt(SHARED_BIT)],
  [TdgLeaf.MEM_PAGE_ATTR_WR, (r) => r[Gpr.RDX] === 0n && r[Gpr.R8] === 0n && r[Gpr.RCX] < BigInt(SHARED_BIT)],
  [TdgLeaf.VP_INVEPT, (r) => r[Gpr.RCX] === 0n],
]);
const NEVER_SUCCEED = [TdgLeaf.SERVTD_RD, TdgLeaf.SERVTD_WR, TdgLeaf.VP_ENTER, TdgLeaf.VP_INVGLA] as readonly number[];

/** Leaves that luck finds operands for. */
const MUST_SUCCEED = [
  TdgLeaf.VP_INFO,
  TdgLeaf.MR_RTMR_EXTEND,
  TdgLeaf.MEM_PAGE_ACCEPT,
  TdgLeaf.VM_RD,
  TdgLeaf.VP_RD,
  TdgLeaf.SYS_RD,
  TdgLeaf.MEM_PAGE_ATTR_RD,
  TdgLeaf.VP_INVEPT,
];

const operand = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0n) },
  { weight: 3, arbitrary: fc.constantFrom(1n, 2n, 3n, 4n, 7n, ALL_ONES, 1n << 47n, 1n << 52n, 1n << 63n) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...ACCEPTED), fc.constantFrom(0, 0x40, 0x100, 0x400, 0x800))
      .map(([page, offset]) => BigInt(page + offset)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...ACCEPTED, ...PENDING, PENDING_LARGE, MISSING, SHARED_BIT + 0x1000),
        fc.constantFrom(0, 0, 0, 1, 2, 0x40, 0x100, 0x400, 0x800, 0x801),
      )
      .map(([page, offset]) => BigInt(page + offset)),
  },
  { weight: 3, arbitrary: fc.constantFrom(...VM_FIELDS, ...VP_FIELDS, ...SYS_FIELDS) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...VM_FIELDS, ...VP_FIELDS), fc.bigInt(0n, 63n))
      .map(([id, bit]) => id ^ (1n << bit)),
  },
  { weight: 1, arbitrary: fc.bigInt(0n, ALL_ONES) },
);
const leaves = TDCALL_ROWS.map((row) => row.leaf);
const rax = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...leaves).map(BigInt) },
  { weight: 1, arbitrary: fc.constant(BigInt(TdgLeaf.VM_RD) | (1n << 16n)) },
  { weight: 1, arbitrary: fc.bigInt(0n, 0xffn) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...leaves), fc.bigInt(0n, 63n))
      .map(([leaf, bit]) => BigInt(leaf) ^ (1n << bit)),
  },
  { weight: 1, arbitrary: fc.bigInt(0n, ALL_ONES) },
);

/** All that a guest or a host could find out about the TD: an error may not change any of it. */
function stateOf(bench: Bench, pages: readonly number[]): string {
  const parts: string[] = [];
  for (const leaf of [TdgLeaf.VM_RD | (1 << 16), TdgLeaf.VP_RD])
    for (let id = ALL_ONES; ; ) {
      call(bench, leaf, { RCX: 0, RDX: id });
      parts.push(guest(bench, Gpr.R8).toString(36));
      id = guest(bench, Gpr.RDX);
      if (id === ALL_ONES) break;
    }
  for (const gpa of [...ACCEPTED, ...PENDING, PENDING_LARGE + 1]) {
    bench.call(TdhLeaf.MEM_SEPT_RD, { rcx: gpa, rdx: bench.tdr });
    parts.push(`${bench.registers.u64[Gpr.RCX]} ${bench.registers.u64[Gpr.RDX]}`);
  }
  for (const hpa of pages) parts.push(Buffer.from(bench.memory.u8.subarray(hpa, hpa + 4096)).toString('base64'));
  return parts.join();
}

/** Checks RAX and the registers after a TDCALL that is over; true: it failed. `owned` are the pages that the guest has accepted. */
function checkStatus(cpu: ScriptedProcessor, asked: Registers, owned: Set<bigint>): boolean {
  const leaf = Number(asked[Gpr.RAX] & 0xffffn);
  const version = Number((asked[Gpr.RAX] >> 16n) & 0xffn);
  const name = tdgLeafName(leaf);
  const status = cpu.get(Gpr.RAX);
  const known = asked[Gpr.RAX] >> 24n === 0n && leaves.includes(leaf) && version <= (leaf === TdgLeaf.VM_RD ? 1 : 0);
  if (!known) assert.equal(status, statusOf(Code.OPERAND_INVALID, 0), `RAX ${asked[Gpr.RAX].toString(16)}`);
  const outputs = known ? OUTPUTS.get(leaf)! : [];
  for (const register of REGISTERS)
    if (register !== Gpr.RAX && !outputs.includes(register))
      assert.equal(cpu.get(register), asked[register], `${name} leaves register ${register}`);
  if (status === 0n) {
    assert.ok(!NEVER_SUCCEED.includes(leaf), name);
    assert.ok(MUST_HOLD.get(leaf)?.(asked, (gpa) => owned.has(gpa >> 12n)) ?? true, `${name} succeeded`);
    if (leaf === TdgLeaf.MEM_PAGE_ACCEPT)
      for (let page = 0n; page < ((asked[Gpr.RCX] & 7n) === 0n ? 1n : 512n); page++)
        owned.add((asked[Gpr.RCX] >> 12n) + page);
  }
  return status >> 63n === 1n;
}

test('random TDCALLs: no crash, no silent success, no change on an error', () => {
  const succeeded = new Set<number>();
  for (let td = 0; td < TDS; td++) {
    const bench = new Bench(td);
    const cpu = bench.build();
    const pages = ACCEPTED.map((gpa) => acceptedPage(bench, gpa));
    for (const gpa of PENDING) bench.augment(gpa);
    bench.augment(PENDING_LARGE, 1);
    const owned = new Set(ACCEPTED.map((gpa) => BigInt(gpa >> 12)));
    let state = stateOf(bench, pages);
    const oneCall = fc.property(fc.tuple(rax, ...REGISTERS.slice(1).map(() => operand)), (values) => {
      const asked = Object.fromEntries(REGISTERS.map((register, i) => [register, values[i]!])) as Registers;
      const { rip } = cpu;
      cpu.injected.length = 0;
      bench.enter([
        tdcall(Object.fromEntries(REGISTERS.map((register) => [Object.keys(Gpr)[register]!, asked[register]]))),
      ]);
      const injected = cpu.injected.length;
      const atTdcall = cpu.rip === rip;
      let mayChange = false;
      if (injected > 0 || (atTdcall && bench.details === ExitReason.EptViolation)) {
        assert.equal(cpu.get(Gpr.RAX), asked[Gpr.RAX], 'the same TDCALL will be executed again');
        assert.ok(atTdcall);
      } else {
        assert.equal(cpu.rip, rip + 4);
        const left = bench.details === ExitReason.Tdcall;
        if (left) assert.equal(asked[Gpr.RAX], 0n, 'only TDG.VP.VMCALL leaves for the host');
        const failed = left ? false : checkStatus(cpu, asked, owned);
        mayChange = !failed;
        if (!failed) succeeded.add(Number(asked[Gpr.RAX] & 0xffffn));
      }
      cpu.virtualizationException.valid = false;
      const now = stateOf(bench, pages);
      if (!mayChange) assert.ok(now === state, 'an error changed the state of the TD');
      state = now;
    });
    fc.assert(oneCall, { numRuns: RUNS_PER_TD, seed: td + 1, endOnFailure: true });
  }
  for (const leaf of MUST_SUCCEED) assert.ok(succeeded.has(leaf), `no call of ${tdgLeafName(leaf)} succeeded`);
});
