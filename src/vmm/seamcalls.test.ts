import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode, Gpr, type RegisterFile, TdhLeaf } from '../abi/index.ts';
import { SeamcallError, Seamcalls } from './seamcalls.ts';

test('a call of a build that is refused names all operands that it was given', () => {
  const seamcalls = new Seamcalls({
    seamcall: (registers: RegisterFile) => registers.set(Gpr.RAX, 0, CompletionCode.OPERAND_INVALID),
    installModule: () => {},
    attachSharedEpt: () => {},
    postInterrupt: () => {},
  });
  seamcalls.registers.setNumber(Gpr.R8, 0x3000);
  seamcalls.registers.setNumber(Gpr.R9, 0x4000);
  assert.throws(
    () => seamcalls.callWith(TdhLeaf.MEM_PAGE_ADD, 0x1000, 0x2000),
    (error) =>
      error instanceof SeamcallError &&
      /^TDH\.MEM\.PAGE\.ADD \(rcx=0x1000, rdx=0x2000, r8=0x3000, r9=0x4000\): /.test(error.message),
  );
});
