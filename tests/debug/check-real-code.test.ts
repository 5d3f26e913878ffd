/** The contract checker on code that was not written for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIFTH_REVISION, HYPERCALL, hypercallOfFifthRevision, MODULE_CALL } from '../../guests/index.ts';
import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { checkFunction, functionsWithTdcall } from '../../src/debug/index.ts';
import { Assembler } from '../../src/isa/index.ts';
import { type FunctionArgument, linkForExec, ourCode } from '../../src/machine/index.ts';
import { LINUX_6_1, linuxTdcall } from '../exec/objects.ts';

const structure = (name: string, ...words: number[]): FunctionArgument => ({
  name,
  bytes: new Uint8Array(new BigUint64Array(words.map(BigInt)).buffer),
});
const HAS_OUTPUT = 1n;
const HYPERCALL_ARGUMENTS = [structure('args', 0, TdvmcallLeaf.GET_TD_VM_CALL_INFO, 0, 0, 0, 0), HAS_OUTPUT];
const MODULE_CALL_ARGUMENTS = [1n, 0n, 0n, 0n, 0n, structure('out', 0, 0, 0, 0, 0, 0)];

describe('tdcall.S of Linux 6.1, as Debian has it', () => {
  const calls: readonly (readonly [string, readonly FunctionArgument[]])[] = [
    [HYPERCALL, HYPERCALL_ARGUMENTS],
    [MODULE_CALL, MODULE_CALL_ARGUMENTS],
  ];
  for (const [symbol, args] of calls)
    test(`${symbol} passes`, async (context) => {
      const found = await linuxTdcall(LINUX_6_1);
      if ('skip' in found) return context.skip(found.skip);
      const { findings, trials } = checkFunction({ object: found.object, symbol, args });
      assert.deepEqual(findings, []);
      const [honest, refusing, hostile, failing] = trials.map(({ outcome }) => outcome);
      for (const outcome of [honest, refusing, hostile]) assert.equal(outcome?.how, 'returned');
      // only the hypercall is leaf 0
      assert.equal(failing?.how, symbol === HYPERCALL ? 'panicked' : 'returned');
    });

  test('both are found without their names', async (context) => {
    const found = await linuxTdcall(LINUX_6_1);
    if ('skip' in found) return context.skip(found.skip);
    const { object } = found;
    assert.ok('bytes' in object);
    assert.deepEqual(functionsWithTdcall(linkForExec(object), object.name).sort(), [HYPERCALL, MODULE_CALL]);
  });
});

test('our own hypercall passes', () => {
  assert.deepEqual(checkFunction({ object: ourCode(), symbol: HYPERCALL, args: HYPERCALL_ARGUMENTS }).findings, []);
});

test('the hypercall of the fifth revision is told what its reviewer told it', () => {
  const a = new Assembler({ origin: 0x20_0000 });
  hypercallOfFifthRevision(a);
  const { bytes, symbols } = a.assemble();
  const object = { pieces: [{ startGpa: 0x20_0000, content: bytes }], symbols, sections: new Map<string, number>() };
  const args = [BigInt(TdvmcallLeaf.GET_TD_VM_CALL_INFO), 0n, 0n, 0n, 0n, structure('out', 0, 0, 0, 0, 0)];
  const { findings, trials } = checkFunction({ object, symbol: FIFTH_REVISION, args });
  assert.deepEqual(
    findings.map(({ rule, message }) => [rule, message]),
    [['bare-trap', 'TDG.VP.VMCALL failed with TDX_OPERAND_INVALID, and the guest stops in UD2 without a word.']],
  );
  assert.equal(trials.at(-1)!.outcome.how, 'exception');
});
