/** Executes single vector instructions on a bare processor, for the tests of operations that few processors to compare with have. */
import { createInstruction, DecodeResult, Decoder, type InstructionFeature } from '../../isa/index.ts';
import { flatBench } from '../engine/flat-bench.ts';
import { Handler } from '../engine/handlers.ts';
import { RECORD_BYTES } from '../engine/record.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

export interface VectorBench {
  /** Puts values of 32 bytes into YMM1, YMM2 ..., executes the instruction, and returns YMM1. Throws if it is no instruction. */
  execute(code: readonly number[], registers: readonly Uint8Array[]): Uint8Array;
}

export function vectorBench(operations: OperationTable, features: readonly InstructionFeature[]): VectorBench {
  const { cpu, engine, memory } = flatBench({ operations });
  const record = memory.reserveProcessorArea(2 * RECORD_BYTES);
  const decoder = new Decoder(features);
  const register = (number: number): Uint8Array => {
    const at = cpu.state.base + S.vector + 32 * number;
    return memory.u8.subarray(at, at + 32);
  };
  return {
    execute: (code, registers) => {
      const instruction = createInstruction();
      const result = decoder.decode(Uint8Array.from(code), 0, code.length, 64, instruction);
      if (result !== DecodeResult.Ok) throw new Error('these bytes are no instruction with these features');
      engine.binder.write(record, instruction, 0, false);
      engine.handlers.flush();
      engine.binder.writeSpecial(record + RECORD_BYTES, Handler.Step, code.length);
      registers.forEach((value, i) => {
        register(i + 1).set(value);
      });
      engine.handlers.enter(cpu.state.base, record, 1, cpu.state.low(S.dataTlb));
      return register(1).slice();
    },
  };
}
