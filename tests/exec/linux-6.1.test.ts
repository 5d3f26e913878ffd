/** The two functions as Linux first merged them, unmodified. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode, TdvmcallLeaf } from '../../src/abi/index.ts';
import { LINUX_6_1, linuxTdcall, withWrongMask } from './objects.ts';
import { hypercallOf, twoCallsCases } from './two-calls-cases.ts';

twoCallsCases('tdcall.S of Linux 6.1', () => linuxTdcall(LINUX_6_1));

test('tdcall.S of Linux 6.1: a mechanism failure reaches the panic function', async (context) => {
  const found = await linuxTdcall(LINUX_6_1);
  if ('skip' in found) return context.skip(found.skip);
  const result = hypercallOf(withWrongMask(found.object), { r11: BigInt(TdvmcallLeaf.GET_TD_VM_CALL_INFO) });
  assert.equal(result.outcome.how, 'panicked');
  assert.equal(result.outcome.how === 'panicked' && result.outcome.symbol, '__tdx_hypercall_failed');
  assert.deepEqual(
    result.crossings.map((crossing) => [crossing.answeredBy, crossing.name, crossing.status]),
    [['module', 'TDG.VP.VMCALL', CompletionCode.OPERAND_INVALID]],
    'nothing reached the VMM',
  );
});
