import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  asCompletionStatus,
  buildTdParams,
  CompletionCode,
  CPUID_CONFIG_ENTRIES,
  completionCodeName,
  completionCodeOf,
  completionDetailsOf,
  completionStatus,
  describeCompletionStatus,
  isCompletionError,
  isSharedGpa,
  levelBytes,
  OperandId,
  parseTdParams,
  SharedEpt,
  stripSharedBit,
  TD_PARAMS_BYTES,
  TD_PARAMS_LAYOUT,
  TdvmcallStatus,
  tdgLeafName,
  tdhLeafName,
  tdvmcallLeafName,
  tdvmcallStatusName,
  withSharedBit,
} from './index.ts';

test('completion codes are unique and the error bit is bit 63', () => {
  const codes = Object.values(CompletionCode);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(isCompletionError(completionStatus(CompletionCode.OPERAND_INVALID)), true);
  assert.equal(isCompletionError(completionStatus(CompletionCode.PAGE_ALREADY_ACCEPTED, 1)), false);
});

test('a completion status is code and details, and says so', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(CompletionCode)),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      (code, details) => {
        const status = completionStatus(code, details);
        assert.equal(completionCodeOf(status), code);
        assert.equal(completionDetailsOf(status), details);
      },
    ),
  );
  assert.equal(
    describeCompletionStatus(completionStatus(CompletionCode.OPERAND_INVALID, OperandId.RCX)),
    'TDX_OPERAND_INVALID (RCX)',
  );
  assert.equal(describeCompletionStatus(completionStatus(CompletionCode.SUCCESS, 77)), 'TDX_SUCCESS, exit TDCALL');
  assert.equal(
    describeCompletionStatus(completionStatus(CompletionCode.PAGE_SIZE_MISMATCH, 1)),
    'TDX_PAGE_SIZE_MISMATCH (0x1)',
  );
  assert.equal(completionCodeName(completionCodeOf(asCompletionStatus(0xdead_beef_0000_0000n))), '0xdeadbeef');
});

test('numbers from outside are open: without a name they print as hex', () => {
  assert.equal(tdhLeafName(0), 'TDH.VP.ENTER');
  assert.equal(tdhLeafName(999), 'SEAMCALL 0x3e7');
  assert.equal(tdgLeafName(6), 'TDG.MEM.PAGE.ACCEPT');
  assert.equal(tdgLeafName(99), 'TDCALL 0x63');
  assert.equal(tdvmcallLeafName(0x10001), 'MapGPA');
  assert.equal(tdvmcallLeafName(0x999), '0x999');
  assert.equal(tdvmcallStatusName(TdvmcallStatus.ALIGN_ERROR), 'ALIGN_ERROR');
});

test('the two statuses are two types', () => {
  const completion = completionStatus(CompletionCode.SUCCESS);
  const service: bigint = TdvmcallStatus.SUCCESS;
  // @ts-expect-error: a completion status is no TDVMCALL status
  const wrong: TdvmcallStatus = completion;
  assert.equal(service, wrong);
});

test('TD_PARAMS: what is laid out is what is read', () => {
  const digest = fc.uint8Array({ minLength: 48, maxLength: 48 });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(
      fc.record({
        attributes: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        xfam: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        maxVcpus: fc.integer({ min: 0, max: 0xffff }),
        numL2Vms: fc.integer({ min: 0, max: 255 }),
        msrConfigCtls: fc.integer({ min: 0, max: 255 }),
        eptpControls: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        configFlags: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        tscFrequency25Mhz: fc.integer({ min: 0, max: 0xffff }),
        mrConfigId: digest,
        mrOwner: digest,
        mrOwnerConfig: digest,
        ia32ArchCapabilitiesConfig: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        cpuidConfig: fc.array(fc.record({ eax: u32, ebx: u32, ecx: u32, edx: u32 }), {
          minLength: CPUID_CONFIG_ENTRIES,
          maxLength: CPUID_CONFIG_ENTRIES,
        }),
      }),
      (params) => assert.deepEqual(parseTdParams(buildTdParams(params)), structuredClone(params)),
    ),
    { numRuns: 50 },
  );
});

test('TD_PARAMS: offsets as the ABI has them, and defaults', () => {
  const bytes = buildTdParams({
    attributes: 1n,
    xfam: 2n,
    maxVcpus: 3,
    configFlags: 4n,
    cpuidConfig: [{ eax: 5, ebx: 0, ecx: 0, edx: 6 }],
  });
  const view = new DataView(bytes.buffer);
  assert.equal(bytes.length, TD_PARAMS_BYTES);
  assert.deepEqual([bytes[0], bytes[8], bytes[16], bytes[32], bytes[256], bytes[268]], [1, 2, 3, 4, 5, 6]);
  assert.equal(view.getBigUint64(TD_PARAMS_LAYOUT.eptpControls, true), 0x1en);
  assert.equal(view.getUint16(40, true), 40);
});

test('the shared bit', () => {
  assert.equal(isSharedGpa(0x8000_0000_0000, 48), true);
  assert.equal(isSharedGpa(0x7fff_ffff_ffff, 48), false);
  assert.equal(isSharedGpa(0x8000_0000_0000, 52), false);
  assert.equal(withSharedBit(0x1000, 52), 0x8_0000_0000_1000);
  assert.equal(stripSharedBit(withSharedBit(0x1000, 48), 48), 0x1000);
  assert.equal(levelBytes(1), 0x20_0000);
});

test('a shared EPT remembers what changed, once', () => {
  const ept = new SharedEpt('absent');
  ept.map(0x1000, 0x9000);
  ept.setMmio(0x2000);
  assert.deepEqual([...ept.takeChanges()], [0x1000, 0x2000]);
  assert.deepEqual([...ept.takeChanges()], []);
  assert.equal(ept.lookup(0x1000), 0x9000);
  assert.equal(ept.lookup(0x2000), 'mmio');
  assert.equal(ept.lookup(0x3000), 'absent');
  ept.unmap(0x1000);
  ept.unmap(0x7000);
  assert.deepEqual([...ept.takeChanges()], [0x1000]);
  assert.throws(() => ept.map(0x1234, 0), /not 4 KiB aligned/);
});
