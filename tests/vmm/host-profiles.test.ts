/** What hosts answer differently: each row of each profile, seen from the guest's registers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../src/abi/index.ts';
import { HOST_PROFILES, type HostProfile, type QuotingService } from '../../src/vmm/index.ts';
import {
  after,
  answers,
  bench,
  eptViolation,
  POWER_OFF,
  plan,
  profile,
  region,
  SHARED_BIT,
  type Step,
  tdvmcall,
} from './scripted-module.ts';

const MIB = 1 << 20;
const { SUCCESS, RETRY, INVALID_OPERAND, GPA_INUSE, SUBFUNC_UNSUPPORTED } = TdvmcallStatus;
const ACCEPT_4K = 1n;

const hosted = (name: HostProfile['name']) => bench({ profile: profile(name) });
/** R10 of one call. */
const status = (name: HostProfile['name'], leaf: number | bigint, ...operands: (number | bigint)[]) =>
  answers(hosted(name), tdvmcall(leaf, ...operands))[0]![0];
const vendor =
  (r10: bigint): Step =>
  (registers) => {
    tdvmcall(0)(registers);
    registers.u64[Gpr.R10] = r10;
  };
const NAMES = HOST_PROFILES.map(({ name }) => name);
/** The same question to each host, in the order of NAMES. */
const each = <T>(ask: (name: HostProfile['name']) => T): Record<string, T> =>
  Object.fromEntries(NAMES.map((name) => [name, ask(name)]));

describe('hosts', () => {
  test('have names of their own, and each difference has a source', () => {
    assert.deepEqual(NAMES, ['qemu', 'cloud-hypervisor', 'hyperv-like', 'strict']);
    for (const { differences } of HOST_PROFILES) {
      assert.ok(differences.length > 0);
      for (const { what, source } of differences) assert.ok(what !== '' && source !== '');
    }
  });

  test('unknown sub-functions, also those that fit no number', () => {
    for (const leaf of [0x999, 2n ** 63n, 2n ** 64n - 1n])
      assert.deepEqual(
        each((name) => status(name, leaf)),
        {
          qemu: SUBFUNC_UNSUPPORTED,
          'cloud-hypervisor': SUBFUNC_UNSUPPORTED,
          'hyperv-like': INVALID_OPERAND,
          strict: SUBFUNC_UNSUPPORTED,
        },
      );
  });

  test('WBINVD is served by the letter of the GHCI only; there its operand counts', () => {
    assert.deepEqual(
      each((name) => status(name, TdvmcallLeaf.INSTRUCTION_WBINVD, 0)),
      {
        qemu: SUBFUNC_UNSUPPORTED,
        'cloud-hypervisor': SUBFUNC_UNSUPPORTED,
        'hyperv-like': INVALID_OPERAND,
        strict: SUCCESS,
      },
    );
    assert.equal(status('strict', TdvmcallLeaf.INSTRUCTION_WBINVD, 1), SUCCESS);
    assert.equal(status('strict', TdvmcallLeaf.INSTRUCTION_WBINVD, 2), INVALID_OPERAND);
    assert.equal(status('strict', TdvmcallLeaf.INSTRUCTION_WBINVD, 2n ** 63n), INVALID_OPERAND);
  });

  test('PCONFIG and MigTD are known or not, and granted to nobody', () => {
    for (const leaf of [TdvmcallLeaf.INSTRUCTION_PCONFIG, TdvmcallLeaf.MIG_TD])
      assert.deepEqual(
        each((name) => status(name, leaf, 0x1_0001)),
        {
          qemu: SUBFUNC_UNSUPPORTED,
          'cloud-hypervisor': SUBFUNC_UNSUPPORTED,
          'hyperv-like': INVALID_OPERAND,
          strict: INVALID_OPERAND,
        },
      );
  });

  test('GetTdVmCallInfo: leaf 0 everywhere, leaf 1 where it is known, others nowhere', () => {
    const ask = (name: HostProfile['name'], leaf: number | bigint) =>
      answers(hosted(name), tdvmcall(0x10000, leaf, 5, 5, 5))[0]!.slice(0, 5);
    assert.deepEqual(
      each((name) => ask(name, 0)),
      each(() => [SUCCESS, 0n, 0n, 0n, 0n]),
    );
    assert.deepEqual(
      each((name) => ask(name, 1)[0]),
      { qemu: SUCCESS, 'cloud-hypervisor': INVALID_OPERAND, 'hyperv-like': INVALID_OPERAND, strict: SUCCESS },
    );
    assert.deepEqual(ask('qemu', 1), [SUCCESS, 2n, 0n, 0n, 0n]);
    for (const leaf of [2, 2n ** 32n, 2n ** 64n - 1n])
      assert.deepEqual(
        each((name) => ask(name, leaf)[0]),
        each(() => INVALID_OPERAND),
      );
  });

  test('GetQuote and the event interrupt: Cloud Hypervisor refuses both', () => {
    assert.deepEqual(
      each((name) => status(name, TdvmcallLeaf.SETUP_EVENT_NOTIFY_INTERRUPT, 0x50)),
      { qemu: SUCCESS, 'cloud-hypervisor': INVALID_OPERAND, 'hyperv-like': SUCCESS, strict: SUCCESS },
    );
    assert.equal(status('cloud-hypervisor', TdvmcallLeaf.GET_QUOTE, SHARED_BIT, 0x1000), INVALID_OPERAND);
  });

  test('vendor calls: KVM hypercalls, Hyper-V hypercalls, none', () => {
    const ask = (name: HostProfile['name'], r10: bigint) =>
      answers(hosted(name), vendor(r10))[0]!
        .slice(0, 2)
        .map((value) => BigInt.asIntN(64, value));
    const unsupported = BigInt.asIntN(64, SUBFUNC_UNSUPPORTED);
    assert.deepEqual(
      each((name) => ask(name, 12n)),
      { qemu: [-1000n, 0n], 'cloud-hypervisor': [-1000n, 0n], 'hyperv-like': [0n, 2n], strict: [unsupported, 0n] },
    );
    assert.deepEqual(ask('qemu', 1n), [0n, 0n], 'KVM_HC_VAPIC_POLL_IRQ');
    assert.deepEqual(ask('qemu', 2n ** 64n - 1n), [-1000n, 0n]);
  });

  test('CPUID 0x40000000 and up', () => {
    const leaf = (name: HostProfile['name'], number: number) =>
      answers(hosted(name), tdvmcall(0x0a, number, 0))[0]!.slice(2);
    const signature = (name: HostProfile['name']) =>
      new TextDecoder().decode(new Uint32Array(leaf(name, 0x4000_0000).slice(1).map(Number)));
    assert.deepEqual(each(signature), {
      qemu: 'KVMKVMKVM\0\0\0',
      'cloud-hypervisor': 'KVMKVMKVM\0\0\0',
      'hyperv-like': 'Microsoft Hv',
      strict: 'KVMKVMKVM\0\0\0',
    });
    assert.deepEqual(leaf('hyperv-like', 0x4000_0001)[0], 0x3123_7648n, '"Hv#1"');
    assert.deepEqual(leaf('hyperv-like', 0x4000_000c), [0n, 3n, 0n, 0n], 'TDX, no paravisor');
    for (const name of NAMES) {
      assert.equal(leaf(name, 6)[0], 4n, 'ARAT');
      assert.deepEqual(leaf(name, 0x16), [0n, 0n, 0n, 0n]);
    }
  });

  test('MSRs: what is kept, what is refused', () => {
    const read = (name: HostProfile['name'], index: number | bigint) =>
      answers(hosted(name), tdvmcall(0x1f, index))[0]!.slice(0, 2);
    assert.deepEqual(
      each((name) => read(name, 0x179)),
      {
        qemu: [SUCCESS, 0x0100_010an],
        'cloud-hypervisor': [SUCCESS, 0x20n],
        'hyperv-like': [SUCCESS, 0n],
        strict: [SUCCESS, 0n],
      },
    );
    const written = (name: HostProfile['name'], index: number, value: bigint) =>
      answers(hosted(name), tdvmcall(0x20, index, value), tdvmcall(0x1f, index)).map((answer) => answer.slice(0, 2));
    assert.deepEqual(written('qemu', 0x400 + 4 * 9, 0xffn), [
      [SUCCESS, 0x20n],
      [SUCCESS, 0xffn],
    ]);
    assert.equal(written('qemu', 0x400 + 4 * 10, 0xffn)[0]![0], INVALID_OPERAND, 'ten banks');
    assert.deepEqual(written('qemu', 0x2ff, 0xc06n)[1], [SUCCESS, 0xc06n]);
    assert.deepEqual(written('strict', 0x2ff, 0x806n)[1], [SUCCESS, 0xc06n]);
    assert.equal(written('qemu', 0x3a, 5n)[0]![0], INVALID_OPERAND, 'read-only');
    assert.equal(read('qemu', 0x17)[0], INVALID_OPERAND);
    assert.deepEqual(written('hyperv-like', 0x4000_0000, 0x8100n)[1], [SUCCESS, 0x8100n]);
    assert.equal(written('hyperv-like', 0x4000_0001, 1n)[0]![0], INVALID_OPERAND, 'no hypercall page');
    assert.deepEqual(read('hyperv-like', 0x4000_0002), [SUCCESS, 0n]);
    assert.equal(read('qemu', 0x4000_0000)[0], INVALID_OPERAND);
  });

  test('operands wider than the instruction has them', () => {
    assert.deepEqual(
      each((name) => status(name, TdvmcallLeaf.INSTRUCTION_RDMSR, 0x1_0000_001bn)),
      { qemu: SUCCESS, 'cloud-hypervisor': SUCCESS, 'hyperv-like': INVALID_OPERAND, strict: INVALID_OPERAND },
    );
    assert.deepEqual(
      each((name) => status(name, TdvmcallLeaf.INSTRUCTION_WRMSR, 0x1_0000_008bn, 0)),
      { qemu: SUCCESS, 'cloud-hypervisor': SUCCESS, 'hyperv-like': INVALID_OPERAND, strict: INVALID_OPERAND },
    );
    assert.deepEqual(
      each((name) => status(name, TdvmcallLeaf.INSTRUCTION_IO, 1, 0, 0x1_0080)),
      { qemu: SUCCESS, 'cloud-hypervisor': SUCCESS, 'hyperv-like': INVALID_OPERAND, strict: INVALID_OPERAND },
    );
  });

  test('MapGPA stops after 2 MiB on KVM, but only when an interrupt waits', () => {
    const map = (name: HostProfile['name'], interrupted: boolean) => {
      const host = hosted(name);
      const ask: Step = (registers) => {
        tdvmcall(0x10001, SHARED_BIT + 0x1000, 5 * MIB)(registers);
        if (interrupted) host.td.post(host.td.vcpus[0]!, 0x40);
      };
      return [...answers(host, ask)[0]!.slice(0, 2), host.td.sharedMemory.isMapped(4 * MIB)];
    };
    const whole = [SUCCESS, BigInt(SHARED_BIT + 0x1000), true];
    const part = [RETRY, BigInt(SHARED_BIT + 0x1000 + 2 * MIB), false];
    assert.deepEqual(
      each((name) => map(name, false)),
      each(() => whole),
    );
    assert.deepEqual(
      each((name) => map(name, true)),
      { qemu: part, 'cloud-hypervisor': part, 'hyperv-like': whole, strict: whole },
    );
  });

  test('MapGPA of a buffer whose quote is in flight: GPA_INUSE at its first page, by the letter of the GHCI', () => {
    const map = (name: HostProfile['name']) => {
      const quote = () => new Uint8Array(8);
      const host = bench({ profile: profile(name), quoting: { quote } as unknown as QuotingService });
      const buffer = SHARED_BIT + 0x3000;
      const request: Step = (registers) => {
        host.td.sharedMemory.write(buffer, Uint8Array.of(1));
        tdvmcall(0x10002, buffer, 0x1000)(registers);
      };
      const [, , quoted, taken, , later] = answers(
        host,
        tdvmcall(0x10004, 0x50),
        tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x4000),
        request,
        tdvmcall(0x10001, 0x1000, 0x4000),
        tdvmcall(0x0c, 0), // until the quote is there
        tdvmcall(0x10001, 0x1000, 0x4000),
      );
      assert.equal(quoted![0], SUCCESS);
      return [taken!.slice(0, 2), later![0]];
    };
    assert.deepEqual(map('strict'), [[GPA_INUSE, 0x3000n], SUCCESS]);
    assert.deepEqual(map('qemu'), [[SUCCESS, 0x1000n], SUCCESS]);
  });

  test('a page used in its other half is converted by QEMU, and the end elsewhere', () => {
    const touch = (name: HostProfile['name'], ...steps: Step[]) => {
      const { end } = hosted(name).run([...steps, POWER_OFF]);
      return end.cause === 'unhandled-exit' ? end.sentence : end.cause;
    };
    const asPrivate = [tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x1000), eptViolation(0x1000, ACCEPT_4K)];
    const endsPrivate = 'the guest used page 0x1000 as private after it made it shared';
    assert.deepEqual(
      each((name) => touch(name, ...asPrivate)),
      { qemu: 'fatal-error', 'cloud-hypervisor': endsPrivate, 'hyperv-like': endsPrivate, strict: endsPrivate },
    );
    const endsShared = 'the guest used page 0x5000 as shared before it asked for that';
    assert.deepEqual(
      each((name) => touch(name, eptViolation(SHARED_BIT + 0x5000))),
      { qemu: 'fatal-error', 'cloud-hypervisor': endsShared, 'hyperv-like': endsShared, strict: 'fatal-error' },
    );
    for (const name of NAMES)
      assert.match(touch(name, eptViolation(0x1000, 6n)), /private page 0x1000 before it accepted it/);
  });

  test('by the letter of the GHCI a page that is not shared is a #VE as for MMIO', () => {
    const host = hosted('strict');
    host.run([eptViolation(SHARED_BIT + 0x5000), POWER_OFF]);
    assert.equal(host.module.sharedEpt!.lookup(0x5000), 'mmio');
    assert.equal(host.td.sharedMemory.isMapped(0x5000), false);
  });

  test("after QEMU's conversion the page is private and pending, its shared content gone", () => {
    const host = hosted('qemu');
    host.run([tdvmcall(0x10001, SHARED_BIT + 0x1000, 0x1000), eptViolation(0x1000, ACCEPT_4K), POWER_OFF]);
    assert.equal(host.td.sharedMemory.isMapped(0x1000), false);
    assert.equal(host.td.privateMemory.levelAt(0x1000), 0);
    assert.deepEqual(host.module.takeCalls('TDH.MEM.PAGE.AUG'), ['1000']);
  });

  test('ReportFatalError with reserved bits in its code has no text on QEMU', () => {
    const report: Step = (registers) => {
      tdvmcall(0x10003, 1)(registers);
      registers.u64[Gpr.R14] = 0x6f6e21n;
    };
    const message = (name: HostProfile['name']) => {
      const { end } = hosted(name).run([report]);
      return end.cause === 'fatal-error' ? end.message : end.cause;
    };
    assert.deepEqual(each(message), { qemu: '', 'cloud-hypervisor': '!no', 'hyperv-like': '!no', strict: '!no' });
  });

  test('whatever a guest has in its registers, no host throws, and none touches private memory', () => {
    const word = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 0x2000n }),
      fc.bigInt({ min: 0n, max: 0x1ffn }).map((page) => BigInt(SHARED_BIT) + page * 4096n),
    );
    const leaf = fc.oneof(
      fc.constantFrom(...Object.values(TdvmcallLeaf).map(BigInt)),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    );
    for (const { name } of HOST_PROFILES) {
      const host = bench({ profile: profile(name) }, plan([region(0, 2 * MIB)]));
      // a page of the TD: the shared view refuses it, and throws if the host tries
      const privateHpa = host.memory.ramBase + 30 * MIB;
      host.memory.keyIdOfPage[privateHpa / 4096] = 1;
      fc.assert(
        fc.property(
          fc.oneof(fc.constant(0n), word),
          leaf,
          fc.array(word, { minLength: 16, maxLength: 16 }),
          (r10, r11, words) => {
            const call: Step = (registers) => {
              words.forEach((value, i) => {
                registers.u64[i] = value;
              });
              registers.setNumber(Gpr.RAX, 77);
              registers.u64[Gpr.R10] = r10;
              registers.u64[Gpr.R11] = r11 === BigInt(TdvmcallLeaf.REPORT_FATAL_ERROR) ? 0n : r11;
            };
            const stop: Step = (registers) => {
              host.td.stop({ cause: 'stopped' });
              tdvmcall(0x10000, 0)(registers);
            };
            for (const vcpu of host.td.vcpus) vcpu.halted = false;
            const { end } = host.run([call, after(() => {}, stop)]);
            assert.ok(
              end.cause === 'stopped' || (end.cause === 'idle' && r11 === BigInt(TdvmcallLeaf.INSTRUCTION_HLT)),
            );
          },
        ),
        { numRuns: 300 },
      );
    }
  });
});
