/** Our own two calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HYPERCALL_EXPOSED, HypercallRegisters } from '../../guests/index.ts';
import {
  CompletionCode,
  completionCodeOf,
  completionDetailsOf,
  Gpr,
  TdgLeaf,
  TdvmcallLeaf,
  TdvmcallStatus,
} from '../../src/abi/index.ts';
import { CallDidNotReturn, hypercall, moduleCall, ourCode } from '../../src/machine/index.ts';
import { withWrongMask } from './objects.ts';
import { hypercallOf, twoCallsCases } from './two-calls-cases.ts';

twoCallsCases('guests/lib', () => Promise.resolve({ object: ourCode() }));

test('the mask exposes exactly the registers of the structure', () => {
  const bits = HypercallRegisters.names.map((name) => 1 << Gpr[name.toUpperCase() as keyof typeof Gpr]);
  assert.equal(
    HYPERCALL_EXPOSED,
    bits.reduce((mask, bit) => mask | bit, 0),
  );
});

test('when the mechanism fails the TD stops with a message', () => {
  const result = hypercallOf(withWrongMask(ourCode()), { r11: BigInt(TdvmcallLeaf.GET_TD_VM_CALL_INFO) });
  assert.deepEqual(result.outcome, {
    how: 'ended',
    end: {
      cause: 'fatal-error',
      vcpu: 0,
      code: 0n,
      message: 'TDG.VP.VMCALL itself failed: wrong use, or a broken TDX module',
    },
  });
  const [refused, report] = result.crossings;
  assert.equal(refused?.name, 'TDG.VP.VMCALL');
  assert.equal(refused?.answeredBy === 'module' && refused.status, CompletionCode.OPERAND_INVALID);
  assert.equal(report?.name, 'ReportFatalError');
});

test('moduleCall and hypercall bring two statuses of two types', () => {
  const info = moduleCall(TdgLeaf.VP_INFO);
  assert.equal(info.status, 0n);
  assert.equal(info.output.rcx, 48n);
  const refused = moduleCall(TdgLeaf.MEM_PAGE_ACCEPT, { rcx: 0x30_0123n });
  assert.equal(completionCodeOf(refused.status), CompletionCode.OPERAND_INVALID);
  assert.equal(completionDetailsOf(refused.status), Gpr.RCX);

  const call = hypercall({ r11: BigInt(TdvmcallLeaf.INSTRUCTION_RDMSR), r12: 0x1bn });
  assert.equal(call.status, TdvmcallStatus.SUCCESS);
  assert.equal(call.output.r11 & 0xd00n, 0xd00n, 'APIC_BASE: x2APIC, enabled, bootstrap processor');
  // @ts-expect-error a status of the module is not a status of the VMM
  const confused: typeof call.status = info.status;
  assert.equal(confused, 0n);
});

test('a call that ends the TD does not return', () => {
  assert.throws(
    () => hypercall({ r11: BigInt(TdvmcallLeaf.REPORT_FATAL_ERROR), r14: 0x6f6f_6f42n }),
    (error: unknown) => {
      assert.ok(error instanceof CallDidNotReturn);
      const { outcome } = error.run;
      assert.equal(outcome.how === 'ended' && outcome.end.cause === 'fatal-error' && outcome.end.message, 'Booo');
      return true;
    },
  );
});
