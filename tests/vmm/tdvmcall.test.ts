import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Gpr, TdvmcallLeaf } from '../../src/abi/index.ts';
import { Bus } from '../../src/devices/index.ts';
import { type QuotingService, TDVMCALL_ROWS, type TdAttachments } from '../../src/vmm/index.ts';
import {
  after,
  answers,
  type Bench,
  bench,
  POWER_OFF,
  plan,
  profile,
  region,
  SHARED_BIT,
  type Step,
  tdvmcall,
} from './scripted-module.ts';

const INVALID_OPERAND = 0x8000_0000_0000_0000n;
const ALIGN_ERROR = 0x8000_0000_0000_0002n;

const withDevice = (): [Partial<TdAttachments>, string[]] => {
  const log: string[] = [];
  const device = {
    read: (offset: number, size: number) => {
      log.push(`r${size}@${offset}`);
      return 0x8765_4321 & (size === 4 ? -1 : 2 ** (8 * size) - 1);
    },
    write: (offset: number, size: number, value: number) => void log.push(`w${size}@${offset}=${value.toString(16)}`),
  };
  const at = (base: number) => new Bus([{ name: 'd', base, lengthBytes: 16, accessBytes: 4, device }]);
  return [{ ports: at(0x100), mmio: at(0xfec0_0000) }, log];
};

test('every row has a number of its own and says where it is written', () => {
  const leaves = TDVMCALL_ROWS.map((row) => row.leaf);
  assert.equal(new Set(leaves).size, leaves.length);
  for (const row of TDVMCALL_ROWS) assert.match(row.section, /^TDG\.VP\.VMCALL<.+>$/);
});

test('Instruction.IO: reads zero-extended, writes the accessed size only, absent ports read all ones', () => {
  const [attachments, log] = withDevice();
  const [read1, read4, write2, absent] = answers(
    bench(attachments),
    tdvmcall(0x1e, 1, 0, 0x101),
    tdvmcall(0x1e, 4, 0, 0x104),
    tdvmcall(0x1e, 2, 1, 0x102, 0xffff_ffff_1234_5678n),
    tdvmcall(0x1e, 2, 0, 0x80),
  );
  assert.deepEqual(
    [read1!.slice(0, 2), read4!.slice(0, 2)],
    [
      [0n, 0x21n],
      [0n, 0x8765_4321n],
    ],
  );
  assert.deepEqual(log, ['r1@1', 'r4@4', 'w2@2=5678']);
  assert.equal(write2![0], 0n);
  assert.equal(absent![1], 0xffffn);
});

test('Instruction.IO refuses what is no port access', () => {
  for (const operands of [
    [3, 0, 0x80],
    [8, 0, 0x80],
    [0, 0, 0x80],
    [1, 2, 0x80],
    [1, 0, 0x10000],
  ])
    assert.equal(answers(bench({ profile: profile('strict') }), tdvmcall(0x1e, ...operands))[0]![0], INVALID_OPERAND);
});

test('#VE.RequestMMIO: all four sizes, by shared address', () => {
  const [attachments, log] = withDevice();
  const address = SHARED_BIT + 0xfec0_0000;
  const [one, eight] = answers(
    bench(attachments),
    tdvmcall(0x30, 1, 0, address),
    tdvmcall(0x30, 8, 0, address + 8),
    tdvmcall(0x30, 8, 1, address, 0x1111_2222_3333_4444n),
    tdvmcall(0x30, 2, 1, address + 2, 0xffff_abcdn),
  );
  assert.deepEqual([one![1], eight![1]], [0x21n, 0x8765_4321_8765_4321n]);
  assert.deepEqual(log, ['r1@0', 'r4@8', 'r4@12', 'w4@0=33334444', 'w4@4=11112222', 'w2@2=abcd']);
});

test('#VE.RequestMMIO refuses private addresses, RAM and odd sizes; nothing there reads all ones', () => {
  const ask = (...operands: (number | bigint)[]) => answers(bench(), tdvmcall(0x30, ...operands))[0]!;
  assert.equal(ask(4, 0, 0xfec0_0000)[0], INVALID_OPERAND);
  assert.equal(ask(4, 0, SHARED_BIT + 0x1000)[0], INVALID_OPERAND);
  assert.equal(ask(3, 0, SHARED_BIT + 0xfec0_0000)[0], INVALID_OPERAND);
  assert.equal(ask(4, 0, 2n ** 60n)[0], INVALID_OPERAND);
  assert.deepEqual(ask(4, 0, SHARED_BIT + 0xe000_0000).slice(0, 2), [0n, 0xffff_ffffn]);
});

test('Instruction.CPUID: the hypervisor leaves, the x2APIC id for any sub-leaf, zeros elsewhere', () => {
  const [signature, features, topology, other] = answers(
    bench(),
    tdvmcall(0x0a, 0x4000_0000, 0),
    tdvmcall(0x0a, 0x4000_0001, 0),
    tdvmcall(0x0a, 0x0b, 0xdead_beef),
    tdvmcall(0x0a, 2, 0),
  );
  const text = new TextDecoder().decode(new Uint8Array(new Uint32Array(signature!.slice(3).map(Number)).buffer));
  assert.equal(text, 'KVMKVMKVM\0\0\0');
  assert.equal(signature![2], 0x4000_0001n);
  assert.deepEqual(features!.slice(2), [0n, 0n, 0n, 0n]);
  assert.equal(topology![5], 0n);
  assert.deepEqual(other!.slice(2), [0n, 0n, 0n, 0n]);
});

test('Instruction.RDMSR and WRMSR: the APIC, the machine-check registers, and refusals', () => {
  const [base, mcg, status, refused, wide, written, readOnly] = answers(
    bench({ profile: profile('strict') }),
    tdvmcall(0x1f, 0x1b),
    tdvmcall(0x1f, 0x179),
    tdvmcall(0x1f, 0x17a),
    tdvmcall(0x1f, 0x140),
    tdvmcall(0x1f, 0x1_0000_001bn),
    tdvmcall(0x20, 0x8b, 0),
    tdvmcall(0x20, 0x802, 5),
  );
  assert.deepEqual(base!.slice(0, 2), [0n, 0xfee0_0d00n]);
  assert.deepEqual(
    [mcg!.slice(0, 2), status!.slice(0, 2)],
    [
      [0n, 0n],
      [0n, 0n],
    ],
  );
  assert.deepEqual(
    [refused![0], wide![0], written![0], readOnly![0]],
    [INVALID_OPERAND, INVALID_OPERAND, 0n, INVALID_OPERAND],
  );
});

test('GetTdVmCallInfo: leaf 0 is the base set, leaf 1 what is beyond it', () => {
  const [zero, one, two] = answers(bench(), tdvmcall(0x10000, 0), tdvmcall(0x10000, 1), tdvmcall(0x10000, 2));
  assert.deepEqual(zero!.slice(0, 5), [0n, 0n, 0n, 0n, 0n]);
  assert.deepEqual(one!.slice(0, 2), [0n, 2n]);
  assert.equal(two![0], INVALID_OPERAND);
});

test('MapGPA to shared removes the private pages and maps zeroed host pages; back again it takes them away', () => {
  const host = bench();
  const { module, td, view } = host;
  const accept =
    (gpa: number): Step =>
    (registers) => {
      registers.clear();
      registers.setNumber(Gpr.RAX, 48);
      registers.u64[Gpr.RDX] = 1n | (1n << 32n);
      registers.setNumber(Gpr.R8, gpa);
    };
  host.run([accept(0x20_0000), tdvmcall(0x10001, SHARED_BIT + 0x20_0000, 0x20_0000), POWER_OFF]);
  const memory = module.calls.filter((call) => /BLOCK|TRACK|REMOVE/.test(call));
  assert.deepEqual(
    memory.map((call) => call.replace(/(TRACK) .*/, '$1')),
    ['TDH.MEM.RANGE.BLOCK 200001', 'TDH.MEM.TRACK', 'TDH.MEM.PAGE.REMOVE 200001'],
  );
  assert.equal(td.sharedMemory.isMapped(0x20_0000), true);
  assert.equal(td.sharedMemory.isMapped(0x3f_f000), true);
  assert.equal(td.sharedMemory.isMapped(0x40_0000), false);
  assert.equal(view.read64(td.sharedMemory.hpaOf(0x20_0000)!), 0n);

  const again = bench();
  const [toShared, toPrivate] = answers(
    again,
    tdvmcall(0x10001, SHARED_BIT + 0x3000, 0x2000),
    tdvmcall(0x10001, 0x4000, 0x1000),
  );
  assert.deepEqual([toShared![0], toPrivate![0]], [0n, 0n]);
  assert.equal(again.td.sharedMemory.isMapped(0x3000), true);
  assert.equal(again.td.sharedMemory.isMapped(0x4000), false);
});

test('MapGPA of a part of a 2 MiB page demotes it first', () => {
  const { module, run } = bench();
  const accept: Step = (registers) => {
    registers.clear();
    registers.setNumber(Gpr.RAX, 48);
    registers.u64[Gpr.RDX] = 1n | (1n << 32n);
    registers.setNumber(Gpr.R8, 0x20_0000);
  };
  run([accept, tdvmcall(0x10001, SHARED_BIT + 0x20_1000, 0x1000), POWER_OFF]);
  assert.deepEqual(
    module.calls
      .filter((call) => /BLOCK|TRACK|REMOVE|DEMOTE/.test(call))
      .map((call) => call.replace(/(TRACK) .*/, '$1')),
    [
      'TDH.MEM.RANGE.BLOCK 200001',
      'TDH.MEM.TRACK',
      'TDH.MEM.PAGE.DEMOTE 200001',
      'TDH.MEM.RANGE.BLOCK 201000',
      'TDH.MEM.TRACK',
      'TDH.MEM.PAGE.REMOVE 201000',
    ],
  );
});

test('MapGPA may do a part and say where to go on, shared bit as it came', () => {
  const host = bench({ mapGpaChunkBytes: 0x20_0000 });
  const [first, second] = answers(
    host,
    tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x30_0000),
    tdvmcall(0x10001, SHARED_BIT + 0x20_1000, 0x10_0000),
  );
  assert.deepEqual(first!.slice(0, 2), [1n, BigInt(SHARED_BIT + 0x20_1000)]);
  assert.equal(second![0], 0n);
  assert.equal(host.td.sharedMemory.isMapped(0x30_0000), true);
});

test('MapGPA checks in order, and R11 is the start', () => {
  const ask = (start: number | bigint, length: number | bigint) =>
    answers(bench(), tdvmcall(0x10001, start, length))[0]!.slice(0, 2);
  assert.deepEqual(ask(0x1000, 0), [INVALID_OPERAND, 0x1000n]);
  assert.deepEqual(ask(2n ** 64n - 0x1000n, 0x1000), [INVALID_OPERAND, 2n ** 64n - 0x1000n]);
  assert.deepEqual(ask(SHARED_BIT - 0x1000, 0x2000), [INVALID_OPERAND, BigInt(SHARED_BIT - 0x1000)]);
  assert.deepEqual(ask(0x1001, 0x1000), [ALIGN_ERROR, 0x1001n]);
  assert.deepEqual(ask(0x1000, 0x800), [ALIGN_ERROR, 0x1000n]);
  assert.deepEqual(ask(SHARED_BIT + 0xe000_0000, 0x4000_0000)[0], 0n, 'where there is no RAM nothing changes hands');
});

test('GetQuote says in the buffer that nobody quotes here, and notifies', () => {
  const host = bench();
  const gpa = SHARED_BIT + 0x10_0000;
  const { td, module } = host;
  const prepare: Step = (registers) => {
    td.sharedMemory.write(
      gpa,
      new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 9, 9, 9, 9, 0x55]),
    );
    tdvmcall(0x10002, gpa, 0x2000)(registers);
  };
  const results = answers(host, tdvmcall(0x10001, gpa, 0x2000), tdvmcall(0x10004, 0x51), prepare);
  assert.deepEqual(
    results.map((result) => result[0]),
    [0n, 0n, 0n],
  );
  const header = td.sharedMemory.read(gpa, 25)!;
  const view = new DataView(header.buffer);
  assert.equal(view.getBigUint64(8, true), 0x8000_0000_0000_0001n);
  assert.equal(view.getUint32(20, true), 0);
  assert.equal(header[24], 0x55, 'the data is left alone');
  assert.deepEqual(
    module.posted.map(([, vector]) => vector),
    [0x51],
  );
});

test('GetQuote refuses buffers that are private, unaligned, empty, too long or of another version', () => {
  const ask = (gpa: number | bigint, length: number) => answers(bench(), tdvmcall(0x10002, gpa, length))[0]![0];
  assert.equal(ask(0x1000, 0x2000), INVALID_OPERAND);
  assert.equal(ask(SHARED_BIT + 0x1000, 0), INVALID_OPERAND);
  assert.equal(ask(SHARED_BIT + 0x1000, 0x2_1000), INVALID_OPERAND);
  assert.equal(ask(SHARED_BIT + 0x1008, 0x1000), ALIGN_ERROR);
  assert.equal(ask(SHARED_BIT + 0x1000, 0x1000), INVALID_OPERAND, 'not shared yet');
  const [, version] = answers(
    bench(),
    tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x1000),
    tdvmcall(0x10002, SHARED_BIT + 0x1000, 0x1000),
  );
  assert.equal(version![0], INVALID_OPERAND, 'version 0');
});

/** A service that quotes what begins with 7, in so many bytes. */
const quotingOf = (quoteBytes: number): Partial<TdAttachments> => {
  const quote = (report: Uint8Array) => (report[0] === 7 ? new Uint8Array(quoteBytes).fill(0xab) : undefined);
  return { quoting: { quote } as QuotingService };
};

const GET_QUOTE_GPA = SHARED_BIT + 0x10_0000;
const share = tdvmcall(0x10001, GET_QUOTE_GPA, 0x2000);
const halt = tdvmcall(0xc, 0);

/** Asks for a quote over data that begins with `first`. */
const request =
  ({ td }: Bench, first: number, gpa = GET_QUOTE_GPA): Step =>
  (registers) => {
    td.sharedMemory.write(
      gpa,
      new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, first]),
    );
    tdvmcall(0x10002, gpa, 0x1000)(registers);
  };

/** Status, output length and first byte of the data. */
const answerAt = ({ td }: Bench, gpa = GET_QUOTE_GPA) => {
  const bytes = td.sharedMemory.read(gpa, 25)!;
  const view = new DataView(bytes.buffer);
  return [BigInt.asIntN(64, view.getBigUint64(8, true)), view.getUint32(20, true), bytes[24]];
};

test('GetQuote is in flight until the service is done; then the quote is there and the interrupt comes', () => {
  const host = bench(quotingOf(3000));
  const seen: unknown[] = [];
  const look = (next: Step): Step => after(() => void seen.push(answerAt(host), host.module.posted.length), next);
  // what the guest writes while the request is in flight changes nothing
  const scribble: Step = (registers) => {
    host.td.sharedMemory.write(GET_QUOTE_GPA + 24, Uint8Array.of(9));
    halt(registers);
  };
  answers(host, share, tdvmcall(0x10004, 0x51), request(host, 7), look(scribble), look(POWER_OFF));
  assert.deepEqual(seen, [[-1n, 0, 7], 0, [0n, 3000, 0xab], 1]);
  assert.equal(host.td.quotesInFlight, 0);
});

test('GetQuote: no quote for what is no report, nor into a buffer that is too small', () => {
  const error = BigInt.asIntN(64, 0x8000_0000_0000_0000n);
  for (const [quoteBytes, first] of [
    [3000, 8],
    [0x1000 - 23, 7],
  ] as const) {
    const host = bench(quotingOf(quoteBytes));
    answers(host, share, tdvmcall(0x10004, 0x51), request(host, first), halt);
    assert.deepEqual(answerAt(host), [error, 0, first]);
    assert.equal(host.module.posted.length, 1, 'an error is told too');
  }
});

test('GetQuote: a buffer that became private in flight gets nothing, and the host goes on', () => {
  const host = bench(quotingOf(3000));
  const unshare = tdvmcall(0x10001, GET_QUOTE_GPA - SHARED_BIT, 0x2000);
  answers(host, share, request(host, 7), unshare, halt);
  assert.equal(host.td.quotesInFlight, 0);
});

test('GetQuote: the seventeenth request at a time is told to come again', () => {
  const host = bench(quotingOf(100));
  const requests = Array.from({ length: 17 }, () => request(host, 7));
  const results = answers(host, share, tdvmcall(0x10004, 0x51), ...requests, halt, request(host, 7));
  assert.deepEqual(
    results.map((result) => result[0]),
    [...Array(18).fill(0n), 1n, 0n, 0n],
  );
});

test('ReportFatalError: the text is in the registers the guest exposed, in their order', () => {
  const words = (text: string) => new BigUint64Array(new TextEncoder().encode(text.padEnd(64, '\0')).buffer);
  const report =
    (mask: number): Step =>
    (registers) => {
      tdvmcall(0x10003, 0)(registers);
      registers.setNumber(Gpr.RCX, mask);
      const text = words('Missing "TSC": the guest cannot go on. \u0007');
      [Gpr.R14, Gpr.R15, Gpr.RBX, Gpr.RDI, Gpr.RSI, Gpr.R8, Gpr.R9, Gpr.RDX].forEach((register, i) => {
        registers.u64[register] = text[i]!;
      });
    };
  const end = bench().run([report(0xffcc)]).end;
  assert.deepEqual(end, {
    cause: 'fatal-error',
    vcpu: 0,
    code: 0n,
    message: 'Missing "TSC": the guest cannot go on. .',
  });
  const short = bench().run([report(0xfc00)]).end;
  assert.equal(short.cause === 'fatal-error' && short.message, 'Missing "TSC": t');
});

test('ReportFatalError: or at a shared address, which may lead nowhere', () => {
  const host = bench();
  const gpa = SHARED_BIT + 0x1ff8;
  const report: Step = (registers) => {
    host.td.sharedMemory.write(gpa, new TextEncoder().encode('over two pages\0never'));
    tdvmcall(0x10003, 2n ** 63n, gpa)(registers);
  };
  const end = host.run([tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x2000), report]).end;
  assert.equal(end.cause === 'fatal-error' && end.message, 'over two pages');
  const nowhere = bench().run([tdvmcall(0x10003, 2n ** 63n, gpa)]).end;
  assert.equal(nowhere.cause === 'fatal-error' && nowhere.message, '');
});

test('SetupEventNotifyInterrupt takes vectors 32 to 255', () => {
  const results = answers(bench(), ...[31, 32, 255, 256].map((vector) => tdvmcall(0x10004, vector)));
  assert.deepEqual(
    results.map((result) => result[0]),
    [INVALID_OPERAND, 0n, 0n, INVALID_OPERAND],
  );
});

test('no registers whatever make the host throw, or end anything but what asks for it', () => {
  const word = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 0x2000n }),
    fc.constant(BigInt(SHARED_BIT)),
  );
  const leaf = fc.constantFrom(
    ...Object.values(TdvmcallLeaf).filter((value) => value !== TdvmcallLeaf.REPORT_FATAL_ERROR),
  );
  const host = bench({ mapGpaChunkBytes: 0x4000 }, plan([region(0, 0x20_0000)]));
  fc.assert(
    fc.property(leaf, fc.array(word, { minLength: 16, maxLength: 16 }), (r11, values) => {
      const call: Step = (registers) => {
        values.forEach((value, i) => {
          registers.u64[i] = value;
        });
        registers.setNumber(Gpr.RAX, 77);
        registers.setNumber(Gpr.R10, 0);
        registers.setNumber(Gpr.R11, r11);
      };
      const stop: Step = (registers) => {
        host.td.stop({ cause: 'stopped' });
        tdvmcall(0x10000, 0)(registers);
      };
      for (const vcpu of host.td.vcpus) vcpu.halted = false;
      const { end } = host.run([call, stop]);
      assert.ok(end.cause === 'stopped' || (end.cause === 'idle' && r11 === TdvmcallLeaf.INSTRUCTION_HLT));
    }),
    { numRuns: 500 },
  );
});
