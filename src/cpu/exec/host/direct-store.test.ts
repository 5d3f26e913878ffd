import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstruction, DecodeResult, Decoder } from '../../../isa/index.ts';
import { flatBench } from '../../engine/flat-bench.ts';
import { GuestFault } from '../../processor.ts';
import { S } from '../../state.ts';
import { directStoreOperations } from './direct-store.ts';

test('MOVDIR64B moves 64 bytes from anywhere to an aligned place; MOVDIRI stores a register', () => {
  const { cpu, memory, at } = flatBench({ operations: directStoreOperations });
  const source = at + 0x1003;
  const target = at + 0x2040;
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => 3 * i + 1);
  memory.u8.set(bytes, source);
  cpu.state.set(S.gpr, target, 0);
  cpu.state.set(S.gpr + 3 * 8, source, 0);
  // movdir64b rax, [rbx]; movdiri [rax + 64], rbx; hlt
  memory.u8.set([0x66, 0x0f, 0x38, 0xf8, 0x03, 0x48, 0x0f, 0x38, 0xf9, 0x58, 0x40, 0xf4], at);
  cpu.state.set(S.rip, at, 0);
  cpu.run();
  assert.deepEqual(memory.u8.slice(target, target + 64), bytes);
  assert.equal(memory.view.getUint32(target + 64, true), source);

  const instruction = createInstruction();
  const code = Uint8Array.of(0x66, 0x0f, 0x38, 0xf8, 0x03);
  assert.equal(new Decoder().decode(code, 0, code.length, 64, instruction), DecodeResult.Ok);
  cpu.state.set(S.gpr, target + 32, 0);
  assert.throws(
    () => directStoreOperations.MOVDIR64B!.host!(cpu, instruction),
    (fault) => fault instanceof GuestFault && fault.vector === 13,
  );
});
