/** Service TDs: TDH.SERVTD.BIND and PREBIND, and what TDG.SERVTD.RD and WR then reach; from the ABI's text. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  CompletionCode as Code,
  Gpr,
  MetadataField,
  OperandId,
  TDINFO_LAYOUT,
  TDREPORT_LAYOUT,
  TdAttribute,
  TdgLeaf,
  TdhLeaf,
  tdgLeafName,
} from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { CrossingKind } from '../../src/probe/index.ts';
import type { Contention } from '../../src/seam/index.ts';
import { assertOrder } from './check-order.ts';
import { ALL_ONES, acceptedPage, call, guest, statusOf } from './guest-calls.ts';
import { Bench, exits, type Operands } from './scripted-td.ts';

/** leaves that are #VE have no values, and going through fields ends there */
const CPUID_VALUES_CLASS = 0x94n;
const EXPORT_COUNT = 0x9810_0002_0000_0002n;
const MIG_DEC_KEY = 0x9810_0003_0000_0010n;
const MIG_DEC_KEY_SET = 0x9810_0000_0000_0001n;
const MIG_ENC_KEY = 0x9810_0003_0000_0018n;
const MIG_VERSION = 0x9810_0001_0000_0020n;
const SERVTD_HASH = 0x9910_0003_0000_0000n;
const SERVTD_NUM = 0x9910_0001_0000_0006n;
const SERVTD_BINDINGS_TABLE = 0x9910_0003_0000_0080n;
const REPORT_GPA = 0x5000;
const IGNORE_RTMR2 = 1n << (32n + 6n + 2n);
const IGNORE_MRTD = 1n << (32n + 2n);
const UUID_REGISTERS = [Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13] as const;

/** A service TD that runs, on the first vCPU, and beside it a TD that is being built. */
class Pair {
  readonly bench: Bench;
  readonly service: number;
  readonly target: number;
  /** a page of the service TD's */
  readonly reportPage: number;

  constructor(contention?: Contention) {
    this.bench = new Bench(1, { contention });
    this.bench.build();
    acceptedPage(this.bench);
    this.reportPage = acceptedPage(this.bench, REPORT_GPA);
    this.service = this.bench.tdr;
    this.bench.create({ attributes: TdAttribute.SEPT_VE_DISABLE }, 2);
    this.target = this.bench.tdr;
  }

  bind(operands: Operands = {}): bigint {
    const { bench } = this;
    bench.call(TdhLeaf.SERVTD_BIND, { rcx: this.target, rdx: this.service, r8: 0, r9: 0, r10: 0, ...operands });
    return bench.registers.u64[Gpr.RAX]!;
  }

  prebind(hash: Uint8Array, operands: Operands = {}): bigint {
    const { bench } = this;
    const page = bench.page();
    bench.view.write(page, hash);
    bench.call(TdhLeaf.SERVTD_PREBIND, { rcx: this.target, rdx: page, r8: 0, r9: 0, r10: 0, ...operands });
    return bench.registers.u64[Gpr.RAX]!;
  }

  /** A field of the target, as its host reads it. */
  field(id: bigint): bigint {
    this.bench.ok(TdhLeaf.MNG_RD, { rcx: this.target, rdx: id });
    return this.bench.registers.u64[Gpr.R8]!;
  }

  /** What the slot has: state, type, attributes, TD_UUID, hash. */
  slot(): Uint8Array {
    const words = Array.from({ length: 16 }, (_, i) => this.field(SERVTD_BINDINGS_TABLE + BigInt(i)));
    return new Uint8Array(BigUint64Array.from(words).buffer);
  }

  finalize(): void {
    this.bench.addVcpu();
    this.bench.ok(TdhLeaf.MR_FINALIZE, { rcx: this.target });
  }
}

/** What TDH.SERVTD.BIND has given: the handle, and the TD_UUID by which the service TD names its target. */
function binding({ bench: { registers } }: Pair) {
  const [R10, R11, R12, R13] = UUID_REGISTERS.map((register) => registers.u64[register]!);
  return { RCX: registers.u64[Gpr.RCX]!, R10: R10!, R11: R11!, R12: R12!, R13: R13! };
}

/** TDINFO_STRUCT of the service TD, from its own report. */
function tdInfoOf({ bench, reportPage }: Pair): Uint8Array {
  assert.equal(call(bench, TdgLeaf.MR_REPORT, { RCX: REPORT_GPA, RDX: REPORT_GPA + 0x800, R8: 0 }), 0n);
  const at = reportPage + TDREPORT_LAYOUT.tdInfo;
  return bench.memory.u8.slice(at, at + 512);
}

const sha384 = (bytes: Uint8Array) => new Uint8Array(createHash('sha384').update(bytes).digest());

test('TDH.SERVTD.BIND: the order of checks', () => {
  const pair = new Pair();
  const { bench } = pair;
  const unbuilt = bench.page();
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: unbuilt, rdx: 3 });
  const invalid = (operand: OperandId) => statusOf(Code.OPERAND_INVALID, operand);
  const good: Operands = { rcx: pair.target, rdx: pair.service, r8: 0, r9: 0, r10: 0 };
  const set = (change: Operands) => (operands: Operands) => ({ ...operands, ...change });
  const later = [
    { what: 'slot', spoil: set({ r8: 1 }), status: invalid(OperandId.R8) },
    { what: 'type', spoil: set({ r9: 1 }), status: invalid(OperandId.R9) },
    { what: 'attributes', spoil: set({ r10: 2 }), status: invalid(OperandId.R10) },
  ];
  const asked = (operands: Operands) => pair.bind(operands);
  const targets: [string, number, bigint][] = [
    ['no address', 0x1001, invalid(OperandId.RCX)],
    ['nowhere', 2 ** 40, statusOf(Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX)],
    ['a vCPU', bench.tdvprs[0]!, statusOf(Code.PAGE_METADATA_INCORRECT, OperandId.RCX)],
    ['a TD without key', unbuilt, statusOf(Code.TD_KEYS_NOT_CONFIGURED)],
  ];
  const services: [string, number, bigint][] = [
    ['no address', 0x1001, invalid(OperandId.RDX)],
    ['nowhere', 2 ** 40, statusOf(Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RDX)],
    ['a vCPU', bench.tdvprs[0]!, statusOf(Code.PAGE_METADATA_INCORRECT, OperandId.RDX)],
    ['a TD without key', unbuilt, statusOf(Code.TD_KEYS_NOT_CONFIGURED)],
  ];
  for (const [what, rdx, status] of services)
    for (const [whatTarget, rcx, targetStatus] of targets)
      if (rcx !== rdx)
        assertOrder(
          good,
          [
            { what: `target ${whatTarget}`, spoil: set({ rcx }), status: targetStatus },
            { what: `service TD ${what}`, spoil: set({ rdx }), status },
            ...later,
          ],
          asked,
        );
  assert.equal(
    asked({ ...good, rcx: 0x1001, rdx: 0x1001 }),
    invalid(OperandId.RDX),
    'the same TD, before anything else',
  );

  bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: unbuilt });
  assert.equal(asked({ rcx: unbuilt }), statusOf(Code.TDCS_NOT_ALLOCATED));
  for (let i = 0; i < 6; i++) bench.ok(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: unbuilt });
  assert.equal(asked({ rdx: unbuilt, r8: 1 }), statusOf(Code.OP_STATE_INCORRECT), 'a service TD has to run');
  assert.equal(asked({ rcx: unbuilt, r10: 2 }), invalid(OperandId.R10), 'its target need not even be initialised');
  assert.equal(bench.registers.u64[Gpr.RCX], 0n, 'outputs of an error');
  for (const register of UUID_REGISTERS) assert.equal(bench.registers.u64[register], 0n);
  assert.equal(pair.field(SERVTD_NUM), 0n);
});

test('TDH.SERVTD.PREBIND: the order of checks, and what it fixes', () => {
  const pair = new Pair();
  const { bench } = pair;
  const hash = Uint8Array.from({ length: 48 }, (_, i) => i + 1);
  const invalid = (operand: OperandId) => statusOf(Code.OPERAND_INVALID, operand);
  const set = (change: Operands) => (operands: Operands) => ({ ...operands, ...change });
  assertOrder<Operands>(
    {},
    [
      { what: 'no address', spoil: set({ rcx: 1 }), status: invalid(OperandId.RCX) },
      { what: 'hash at an odd place', spoil: set({ rdx: bench.memory.ramBase + 32 }), status: invalid(OperandId.RDX) },
      { what: 'slot', spoil: set({ r8: 1n << 63n }), status: invalid(OperandId.R8) },
      { what: 'type', spoil: set({ r9: 0x1_0000 }), status: invalid(OperandId.R9) },
      { what: 'attributes', spoil: set({ r10: 1n << 43n }), status: invalid(OperandId.R10) },
    ],
    (operands) => pair.prebind(hash, operands),
  );
  assert.equal(pair.prebind(hash, { rdx: 2 ** 40 }), statusOf(Code.OPERAND_ADDR_RANGE_ERROR, OperandId.RDX));
  assert.equal(pair.prebind(hash, { rdx: bench.tdvprs[0]! }), invalid(OperandId.RDX), 'a private page');
  assert.equal(pair.prebind(hash, { r10: IGNORE_MRTD }), 0n);
  assert.deepEqual(pair.slot().subarray(48, 96), hash);
  assert.deepEqual([...pair.slot().subarray(0, 4)], [1, 0, 0, 0], 'pre-bound, type 0');
  assert.equal(pair.field(SERVTD_NUM), 1n);

  assert.equal(pair.bind(), statusOf(Code.SERVTD_ATTR_MISMATCH));
  assert.equal(pair.bind({ r10: IGNORE_MRTD }), statusOf(Code.SERVTD_INFO_HASH_MISMATCH), 'it is another service TD');
  const ours = tdInfoOf(pair).fill(0, TDINFO_LAYOUT.mrtd, TDINFO_LAYOUT.mrtd + 48);
  assert.equal(pair.prebind(sha384(ours), { r10: IGNORE_MRTD }), 0n, 'again, with another hash');
  pair.finalize();
  const measured = new Uint8Array(58);
  measured.set(sha384(ours));
  new DataView(measured.buffer).setBigUint64(50, IGNORE_MRTD, true);
  const words = Array.from({ length: 6 }, (_, i) => pair.field(SERVTD_HASH + BigInt(i)));
  assert.deepEqual(new Uint8Array(BigUint64Array.from(words).buffer), sha384(measured), 'hash, type, attributes');
  assert.equal(pair.prebind(hash), statusOf(Code.OP_STATE_INCORRECT), 'too late');
  assert.equal(pair.bind({ r10: IGNORE_MRTD }), 0n, 'a named one may still be bound');
  assert.equal(pair.slot()[0], 2);
});

test('a pre-bound slot that was bound cannot be named anew', () => {
  const pair = new Pair();
  assert.equal(pair.bind(), 0n);
  assert.equal(pair.prebind(new Uint8Array(48)), statusOf(Code.SERVTD_BOUND));
});

test('TDH.SERVTD.BIND: at first only before the TD runs; then the same service TD, or one like it', () => {
  const late = new Pair();
  late.finalize();
  assert.equal(late.bind(), statusOf(Code.OP_STATE_INCORRECT));

  for (const instance of [0n, 1n]) {
    const pair = new Pair();
    const { bench } = pair;
    const r10 = IGNORE_MRTD | instance;
    assert.equal(pair.bind({ r10 }), 0n);
    const first = binding(pair);
    pair.finalize();
    bench.create({}, 3);
    const vcpu = bench.tdvprs.length;
    bench.addVcpu();
    bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
    const twin = bench.tdr;
    bench.create({ attributes: TdAttribute.SEPT_VE_DISABLE }, 4);
    bench.addVcpu();
    bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
    assert.ok(vcpu > 0);
    assert.equal(pair.bind({ r10: r10 ^ 1n, rdx: bench.tdr }), statusOf(Code.SERVTD_ATTR_MISMATCH));
    const refused = instance === 1n ? Code.SERVTD_UUID_MISMATCH : Code.SERVTD_INFO_HASH_MISMATCH;
    assert.equal(pair.bind({ r10, rdx: bench.tdr }), statusOf(refused));
    assert.equal(pair.bind({ r10, rdx: twin }), instance === 1n ? statusOf(Code.SERVTD_UUID_MISMATCH) : 0n);
    assert.equal(pair.bind({ r10 }), 0n, 'the first one again');
    assert.deepEqual(binding(pair), first, 'the handle is of the pair');
  }
});

test('TDG.SERVTD.RD, WR: the metadata of the TD it is bound to', () => {
  const pair = new Pair();
  const { bench } = pair;
  assert.equal(pair.bind({ r10: IGNORE_RTMR2 }), 0n);
  const bound = binding(pair);
  const read = (id: bigint) => [
    call(bench, TdgLeaf.SERVTD_RD, { ...bound, RDX: id, R8: 9 }),
    guest(bench, Gpr.RDX),
    guest(bench, Gpr.R8),
  ];
  const write = (id: bigint, value: bigint, mask = ALL_ONES) => [
    call(bench, TdgLeaf.SERVTD_WR, { ...bound, RDX: id, R8: value, R9: mask }),
    guest(bench, Gpr.R8),
  ];
  const ID_INCORRECT = statusOf(Code.METADATA_FIELD_ID_INCORRECT);
  const attributes = MetadataField.ATTRIBUTES;
  assert.deepEqual(read(attributes), [0n, attributes + 1n, TdAttribute.SEPT_VE_DISABLE]);
  assert.deepEqual(read(0x8110_0001_0000_0001n), [statusOf(Code.METADATA_FIELD_NOT_READABLE), ALL_ONES, 0n], 'HKID');
  assert.deepEqual(read(attributes | (1n << 34n)), [ID_INCORRECT, ALL_ONES, 0n]);
  assert.equal(read(ALL_ONES)[0], statusOf(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT));
  const fields: bigint[] = [];
  const readOn = (from: bigint) => {
    for (let id = from; id !== ALL_ONES && id >> 56n !== CPUID_VALUES_CLASS; id = guest(bench, Gpr.RDX)) {
      fields.push(id);
      assert.equal(read(id)[0], 0n, id.toString(16));
    }
  };
  readOn(guest(bench, Gpr.RDX));
  readOn(EXPORT_COUNT);
  assert.equal(
    fields.length,
    4 + 6 + 2 + 16 + 2 + 4 + 6 + 1,
    'identity, configuration, migration, UUID before, service TD',
  );

  assert.deepEqual(write(ALL_ONES, 0n), [ID_INCORRECT, 0n]);
  assert.deepEqual(write(attributes, 0n), [statusOf(Code.METADATA_FIELD_NOT_WRITABLE), 0n]);
  assert.deepEqual(write(MIG_VERSION, 1n), [statusOf(Code.METADATA_FIELD_VALUE_NOT_VALID), 0n]);
  assert.deepEqual(write(MIG_VERSION, 0n), [0n, 0n]);
  assert.equal(pair.field(MIG_DEC_KEY_SET), 0n);
  assert.deepEqual(write(MIG_DEC_KEY + 3n, 0x1234n), [0n, 0n]);
  assert.deepEqual(write(MIG_DEC_KEY + 3n, 0xffn, 0xffn), [0n, 0x1234n]);
  assert.equal(read(MIG_DEC_KEY + 3n)[2], 0x12ffn);
  assert.equal(pair.field(MIG_DEC_KEY_SET), 1n);
  const key = () => [0n, 1n, 2n, 3n].map((word) => read(MIG_ENC_KEY + word)[2]);
  const first = key();
  assert.equal(new Set([...first, ...key()]).size, 8, 'a new key each time its first word is read');
});

test('a TDCALL that ends in a trap is seen like any other, before the exit', () => {
  const pair = new Pair();
  const { bench } = pair;
  const seen: string[] = [];
  bench.module.observe({
    crossing(kind, _vcpu, code, _operand, result) {
      if (kind === CrossingKind.ModuleCall) seen.push(`${tdgLeafName(code)} ${(result >>> 0).toString(16)}`);
      else if (kind === CrossingKind.TdExit) seen.push('exit');
    },
  });
  assert.equal(pair.bind(), 0n);
  const bound = binding(pair);
  call(bench, TdgLeaf.SERVTD_RD, { ...bound, RDX: MIG_VERSION });
  call(bench, TdgLeaf.MR_RTMR_EXTEND, { RCX: 0x1000, RDX: 2 });
  call(bench, TdgLeaf.SERVTD_RD, { ...bound, RDX: MIG_VERSION });
  assert.deepEqual(seen, [
    'TDG.SERVTD.RD 0',
    'exit',
    'TDG.MR.RTMR.EXTEND 0',
    'exit',
    `TDG.SERVTD.RD ${Code.SERVTD_INFO_HASH_MISMATCH.toString(16)}`,
    'exit',
  ]);
});

test('a service TD may look before TDH.MNG.INIT: all is zero', () => {
  const pair = new Pair();
  const { bench } = pair;
  const unbuilt = bench.page();
  bench.ok(TdhLeaf.MNG_CREATE, { rcx: unbuilt, rdx: 3 });
  bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: unbuilt });
  for (let i = 0; i < 6; i++) bench.ok(TdhLeaf.MNG_ADDCX, { rcx: bench.page(), rdx: unbuilt });
  assert.equal(pair.bind({ rcx: unbuilt }), 0n);
  const bound = binding(pair);
  call(bench, TdgLeaf.SERVTD_RD, { ...bound, RDX: ALL_ONES });
  const [first, R10] = [guest(bench, Gpr.RDX), guest(bench, Gpr.R10)];
  assert.equal(R10, bound.R10);
  const unreadable: bigint[] = [];
  for (let id = first; id !== ALL_ONES; id = guest(bench, Gpr.RDX)) {
    const status = call(bench, TdgLeaf.SERVTD_RD, { ...bound, RDX: id });
    if (status !== 0n) unreadable.push(status);
    if (status !== 0n) break;
    const isUuid = (id & 0x3fff_ffff_ffff_fff0n) === 0x0010_0003_0000_0020n;
    if (!isUuid && id >> 56n !== 0x98n && id >> 56n !== 0x99n) assert.equal(guest(bench, Gpr.R8), 0n, id.toString(16));
  }
  assert.deepEqual(
    unreadable,
    [statusOf(Code.METADATA_FIELD_NOT_READABLE)],
    'CPUID_VALUES, the first that is no field yet',
  );
});

test('TDG.SERVTD.RD, WR: what is wrong with the binding is for the host to know', () => {
  for (const leaf of [TdgLeaf.SERVTD_RD, TdgLeaf.SERVTD_WR]) {
    const pair = new Pair();
    const { bench } = pair;
    const trap = (registers: ReturnType<typeof binding>, code: number, details = 0) => {
      const status = call(bench, leaf, { ...registers, RDX: MIG_VERSION, R8: 0, R9: 1 });
      assert.equal(status, statusOf(code, details));
      assert.equal(bench.registers.high(Gpr.RAX), Code.CROSS_TD_TRAP);
      assert.equal(bench.registers.u64[Gpr.RDX], status);
      assert.equal(bench.registers.u64[Gpr.R8], BigInt(pair.target));
    };
    assert.equal(pair.bind(), 0n);
    const bound = binding(pair);
    assert.equal(call(bench, leaf, { ...bound, RDX: MIG_VERSION, R8: 0, R9: 1 }), 0n);
    call(bench, TdgLeaf.MR_RTMR_EXTEND, { RCX: 0x1000, RDX: 2 });
    trap(bound, Code.SERVTD_INFO_HASH_MISMATCH);
    bench.create({}, 3);
    bench.addVcpu();
    bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });

    const other = new Pair();
    other.bench.create({}, 3);
    other.bench.addVcpu();
    other.bench.ok(TdhLeaf.MR_FINALIZE, { rcx: other.bench.tdr });
    assert.equal(other.bind({ rdx: other.bench.tdr }), 0n, 'the slot is taken by another service TD');
    const taken = binding(other);
    const ownUuid = Array.from({ length: 4 }, (_, word) => {
      call(other.bench, TdgLeaf.VM_RD, { RCX: 0, RDX: MetadataField.TD_UUID + BigInt(word) });
      return guest(other.bench, Gpr.R8);
    });
    const status = call(other.bench, leaf, {
      ...taken,
      RCX: BigInt.asUintN(64, BigInt(other.target) + ownUuid[0]!),
      RDX: MIG_VERSION,
      R8: 0,
      R9: 1,
    });
    assert.equal(status, statusOf(Code.SERVTD_UUID_MISMATCH));
    assert.equal(other.bench.registers.high(Gpr.RAX), Code.CROSS_TD_TRAP);
  }
});

test('TDG.SERVTD.RD, WR: the state of the target, and who has its locks', () => {
  let busy = -1;
  const contention: Contention = { lockIsBusy: () => busy-- === 0, interruptIsPending: () => false };
  for (const leaf of [TdgLeaf.SERVTD_RD, TdgLeaf.SERVTD_WR]) {
    const pair = new Pair(contention);
    const { bench } = pair;
    assert.equal(pair.bind(), 0n);
    const bound = binding(pair);
    const registers = { ...bound, RDX: MIG_VERSION, R8: 0, R9: 1 };
    const locks = [OperandId.TDR, OperandId.OP_STATE, OperandId.SERVTD_BINDINGS, OperandId.RTMR];
    for (const [nth, operand] of locks.entries()) {
      busy = nth;
      assert.equal(call(bench, leaf, registers), statusOf(Code.OPERAND_BUSY, operand));
      assert.equal(bench.details, ExitReason.ExternalInterrupt, 'no TD exit');
    }
    busy = -1;
    const trap = (code: number) => {
      assert.equal(call(bench, leaf, registers), statusOf(code));
      assert.equal(bench.registers.high(Gpr.RAX), Code.CROSS_TD_TRAP);
    };
    pair.finalize();
    bench.processors[1]!.steps.push(
      exits(ExitReason.ExceptionOrNmi, { interruptionInformation: 0x8000_0000 | (3 << 8) | 18 }),
    );
    assert.equal(bench.call(TdhLeaf.VP_ENTER, { rcx: bench.tdvprs[1]! }), Code.NON_RECOVERABLE_TD_NON_ACCESSIBLE);
    trap(Code.TD_FATAL);
    assert.equal(pair.bind(), statusOf(Code.TD_FATAL));

    const torn = new Pair(contention);
    assert.equal(torn.bind(), 0n);
    const lost = { ...binding(torn), RDX: MIG_VERSION, R8: 0, R9: 1 };
    torn.bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: torn.target });
    assert.equal(call(torn.bench, leaf, lost), statusOf(Code.TD_KEYS_NOT_CONFIGURED));

    const bare = torn.bench.page();
    torn.bench.ok(TdhLeaf.MNG_CREATE, { rcx: bare, rdx: 3 });
    torn.bench.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: bare });
    const toBare = BigInt.asUintN(64, lost.RCX - BigInt(torn.target) + BigInt(bare));
    assert.equal(call(torn.bench, leaf, { ...lost, RCX: toBare }), statusOf(Code.TDCS_NOT_ALLOCATED));
  }
});

test('a TD with a service TD says so in its report', () => {
  const pair = new Pair();
  const { bench } = pair;
  assert.equal(pair.bind(), 0n);
  pair.finalize();
  const hash = Array.from({ length: 6 }, (_, i) => pair.field(SERVTD_HASH + BigInt(i)));
  bench.enter64BitMode();
  bench.addTables();
  const hpa = bench.augment(0x1000);
  const calls = (registers: Parameters<typeof call>[2], leaf: number) => {
    const cpu = bench.processors[1]!;
    for (const [name, value] of Object.entries({ ...registers, RAX: leaf }))
      cpu.set(Gpr[name as keyof typeof Gpr], value);
    bench.enter([exits(ExitReason.Tdcall, { instructionLength: 4 })], 1);
    return cpu.get(Gpr.RAX);
  };
  assert.equal(calls({ RCX: 0x1000 }, TdgLeaf.MEM_PAGE_ACCEPT), 0n);
  assert.equal(calls({ RCX: 0x1000, RDX: 0x1800, R8: 0 }, TdgLeaf.MR_REPORT), 0n);
  const report = bench.memory.u8.subarray(hpa, hpa + 1024);
  assert.equal(report[TDREPORT_LAYOUT.version], 1);
  const at = TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.servtdHash;
  assert.deepEqual(report.slice(at, at + 48), new Uint8Array(BigUint64Array.from(hash).buffer));
});

test('a machine check ends the TD: nothing but taking it down is left', () => {
  const bench = new Bench();
  bench.build();
  assert.equal(
    bench.enter([exits(ExitReason.ExceptionOrNmi, { interruptionInformation: 0x8000_0312 | 0 })]),
    Code.NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  );
  assert.equal(bench.enter(), Code.TD_FATAL);
  for (const leaf of [TdhLeaf.MNG_RD, TdhLeaf.MEM_TRACK, TdhLeaf.MNG_ADDCX, TdhLeaf.MNG_KEY_CONFIG])
    assert.equal(
      bench.call(leaf, leaf === TdhLeaf.MNG_ADDCX ? { rcx: bench.page(), rdx: bench.tdr } : { rcx: bench.tdr }),
      Code.TD_FATAL,
    );
  assert.equal(bench.call(TdhLeaf.VP_RD, { rcx: bench.tdvprs[0]! }), Code.TD_FATAL);
  bench.ok(TdhLeaf.VP_FLUSH, { rcx: bench.tdvprs[0]! });
  bench.ok(TdhLeaf.MNG_VPFLUSHDONE, { rcx: bench.tdr });
});
