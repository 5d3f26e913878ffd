/** AVX masked moves and AVX2 gathers: elements whose mask has its top bit clear are not touched in memory and cannot fault. Host operations. */

import { type Instruction, type Operand, OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import type { HostOperation, Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const VECTOR_BYTES = 32;

const registerBytes = (cpu: Processor, { register }: Operand): Uint8Array => {
  const at = cpu.state.base + S.vector + VECTOR_BYTES * register;
  return cpu.memory.u8.subarray(at, at + VECTOR_BYTES);
};

const isSet = (mask: Uint8Array, element: number, elementBytes: number): boolean =>
  (mask[(element + 1) * elementBytes - 1]! & 0x80) !== 0;

/** First and last byte (exclusive) that the mask chooses; undefined: none. No page is between them that has no chosen byte. */
function chosenRange(mask: Uint8Array, bytes: number, elementBytes: number): readonly [number, number] | undefined {
  const chosen = Array.from({ length: bytes / elementBytes }, (_, i) => i).filter((i) => isSet(mask, i, elementBytes));
  if (chosen.length === 0) return undefined;
  return [chosen[0]! * elementBytes, (chosen.at(-1)! + 1) * elementBytes];
}

function loadRange(cpu: Processor, instruction: Instruction, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  addressOf(cpu, instruction, from);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  return bytes;
}

/** VMASKMOVPS and the like: loads the chosen elements, zeros for the others; or stores the chosen ones. */
const maskedMove =
  (elementBytes: 4 | 8): HostOperation =>
  (cpu, instruction) => {
    const [target, maskOperand, source] = instruction.operands;
    const mask = registerBytes(cpu, maskOperand);
    const stores = target.kind === OperandKind.Memory;
    const bytes = maskOperand.size / 8;
    const range = chosenRange(mask, bytes, elementBytes);
    const memory = range === undefined ? undefined : loadRange(cpu, instruction, ...range);
    const choose = (from: Uint8Array, fromOffset: number, to: Uint8Array, toOffset: number): void => {
      for (let i = 0; i < bytes; i++)
        if (isSet(mask, Math.floor(i / elementBytes), elementBytes)) to[i - toOffset] = from[i - fromOffset]!;
    };
    if (!stores) {
      const result = new Uint8Array(VECTOR_BYTES);
      if (memory !== undefined) choose(memory, range![0], result, 0);
      registerBytes(cpu, target).set(result);
    } else if (memory !== undefined) {
      choose(registerBytes(cpu, source), 0, memory, range![0]);
      addressOf(cpu, instruction, range![0]);
      cpu.storeBytes(cpu.addressLow, cpu.addressHigh, memory);
    }
  };

/** Gathers: element by element, so that a fault leaves those before it loaded and their masks clear (SDM Vol. 2, VPGATHERDD). */
const gather =
  (indexBytes: 4 | 8, elementBytes: 4 | 8): HostOperation =>
  (cpu, instruction) => {
    const [target, , maskOperand] = instruction.operands;
    const { index, vectorIndex, scaleShift } = instruction;
    const count = Math.min(vectorIndex / 8 / indexBytes, target.size / 8 / elementBytes);
    const result = registerBytes(cpu, target);
    const mask = registerBytes(cpu, maskOperand);
    const row = S.vector + VECTOR_BYTES * index;
    const withoutIndex: Instruction = { ...instruction, index: -1 };
    const element = (i: number): bigint => {
      if (indexBytes === 8) return cpu.state.big(row + 8 * i);
      return BigInt(i & 1 ? cpu.state.high(row + 8 * (i >> 1)) : cpu.state.low(row + 8 * (i >> 1)));
    };
    for (let i = 0; i < count; i++) {
      const at = i * elementBytes;
      if (isSet(mask, i, elementBytes)) {
        const offset = (element(i) << BigInt(scaleShift)) + displacementOf(instruction);
        withoutIndex.displacement = Number(BigInt.asIntN(32, offset));
        withoutIndex.displacementHigh = Number(BigInt.asIntN(32, offset >> 32n));
        addressOf(cpu, withoutIndex);
        cpu.load(cpu.addressLow, cpu.addressHigh, elementBytes);
        const view = new DataView(result.buffer, result.byteOffset);
        view.setInt32(at, cpu.dataLow, true);
        if (elementBytes === 8) view.setInt32(at + 4, cpu.dataHigh, true);
      }
      mask.fill(0, at, at + elementBytes);
    }
    mask.fill(0);
    result.fill(0, count * elementBytes);
  };

const displacementOf = ({ displacement, displacementHigh }: Instruction): bigint =>
  (BigInt(displacementHigh) << 32n) | BigInt(displacement >>> 0);

export const maskedMoveOperations: OperationTable = {
  VMASKMOVPS: { host: maskedMove(4) },
  VMASKMOVPD: { host: maskedMove(8) },
  VPMASKMOVD: { host: maskedMove(4) },
  VPMASKMOVQ: { host: maskedMove(8) },
  VPGATHERDD: { host: gather(4, 4) },
  VPGATHERDQ: { host: gather(4, 8) },
  VPGATHERQD: { host: gather(8, 4) },
  VPGATHERQQ: { host: gather(8, 8) },
  VGATHERDPS: { host: gather(4, 4) },
  VGATHERDPD: { host: gather(4, 8) },
  VGATHERQPS: { host: gather(8, 4) },
  VGATHERQPD: { host: gather(8, 8) },
};
