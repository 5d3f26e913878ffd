/** Where the memory operand of an instruction is (SDM vol. 1, "Operand Addressing"). */
import type { Instruction } from '../isa/index.ts';
import type { Processor } from './processor.ts';
import { S } from './state.ts';

/** Linear address of the instruction's memory operand plus `offsetBytes`, into addressLow/addressHigh. */
export function addressOf(cpu: Processor, instruction: Instruction, offsetBytes = 0): void {
  const { state } = cpu;
  let low = instruction.displacement;
  let high = instruction.displacementHigh;
  const add = (moreLow: number, moreHigh: number): void => {
    const sum = (low + moreLow) | 0;
    high = (high + moreHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    low = sum;
  };
  if (instruction.base === 16) {
    add(cpu.instructionStartLow, cpu.instructionStartHigh);
    add(instruction.length, 0);
  } else if (instruction.base >= 0)
    add(state.low(S.gpr + instruction.base * 8), state.high(S.gpr + instruction.base * 8));
  if (instruction.index >= 0) {
    const shift = instruction.scaleShift;
    const indexLow = state.low(S.gpr + instruction.index * 8);
    const indexHigh = state.high(S.gpr + instruction.index * 8);
    add(indexLow << shift, shift === 0 ? indexHigh : (indexHigh << shift) | (indexLow >>> (32 - shift)));
  }
  add(offsetBytes, offsetBytes >> 31);
  if (instruction.addressSize === 32) high = 0;
  else if (instruction.addressSize === 16) {
    low &= 0xffff;
    high = 0;
  }
  add(state.low(S.segmentBase + instruction.segment * 8), state.high(S.segmentBase + instruction.segment * 8));
  cpu.addressLow = low;
  cpu.addressHigh = instruction.mode === 64 ? high : 0;
}
