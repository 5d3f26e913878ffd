/** F16C: conversion between half and single precision (SDM Vol. 2, VCVTPH2PS and VCVTPS2PH). Host operations. */

import { type Instruction, OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { convert } from '../fpu/arithmetic.ts';
import { HALF, pack, SINGLE, unpack } from '../fpu/format.ts';
import type { HostOperation, Processor } from '../processor.ts';
import type { OperationTable } from './sem.ts';
import { each, environment, settle, setVectorBits, sourceHalves, whole } from './sse-float-host.ts';

/** Denormal halves are numbers like others: they are not flushed, and raise nothing. */
const toSingle: HostOperation = whole((env, _x, y) => {
  env.denormalsAreZero = false;
  return each(4, 16, y, (lane) => pack(convert(env, unpack(lane, HALF), SINGLE, false), SINGLE), 32);
}, 'widens');

const USE_MXCSR_ROUNDING = 4;

/** Results are not flushed to zero. The immediate's low bits are the rounding, or its bit 2 says that MXCSR has it. */
const toHalf: HostOperation = (cpu: Processor, instruction: Instruction) => {
  const [target, source] = instruction.operands;
  const env = environment(cpu);
  env.flushToZero = false;
  const control = instruction.immediateLow;
  if ((control & USE_MXCSR_ROUNDING) === 0) env.rounding = control & 3;
  const results = sourceHalves(cpu, instruction, source).map((half) =>
    each(4, 32, half, (lane) => pack(convert(env, unpack(lane, SINGLE), HALF), HALF), 16),
  );
  const bits = results.reduceRight((all, half) => (all << 64n) | half, 0n);
  if (target.kind !== OperandKind.Memory) {
    settle(cpu, env);
    setVectorBits(cpu, instruction, target, [bits]);
    return;
  }
  const bytes = Uint8Array.from({ length: target.size / 8 }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
  addressOf(cpu, instruction);
  if (env.unmasked === 0) cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
  settle(cpu, env);
};

export const halfPrecisionOperations: OperationTable = {
  VCVTPH2PS: { host: toSingle },
  VCVTPS2PH: { host: toHalf },
};
