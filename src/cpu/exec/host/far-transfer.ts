/** Far JMP, CALL and RET between code segments (SDM vol. 2). Call gates and task gates are not implemented. */

import { type Instruction, OperandKind } from '../../../isa/index.ts';
import { addressOf } from '../../effective-address.ts';
import type { Processor } from '../../processor.ts';
import {
  canonical,
  checkCodeReturn,
  checkCodeTarget,
  checkStackSegment,
  type Descriptor,
  dropInnerDataSegments,
  finishTransfer,
  generalProtection,
  isLongMode,
  isNull,
  markAccessed,
  Rights,
  readDescriptor,
  Segment,
  setCodeSegment,
  setFromDescriptor,
  setNull,
} from '../../segments.ts';
import { adjust, peek, poke, setStackPointer } from '../../stack.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { invalidOpcode, setInstructionPointer } from './operand.ts';

interface Target {
  readonly selector: number;
  readonly low: number;
  readonly high: number;
}

function readTarget(cpu: Processor, instruction: Instruction): Target {
  if (instruction.operands[0].kind === OperandKind.FarPointer)
    return { selector: instruction.immediate2 & 0xffff, low: instruction.immediateLow, high: 0 };
  const bytes = instruction.operandSize >> 3;
  addressOf(cpu, instruction);
  const low = cpu.load(cpu.addressLow, cpu.addressHigh, bytes);
  const high = cpu.dataHigh;
  addressOf(cpu, instruction, bytes);
  return { selector: cpu.load(cpu.addressLow, cpu.addressHigh, 2), low, high };
}

function isLongSegment(cpu: Processor, code: Descriptor): boolean {
  return isLongMode(cpu) && (code.rights & Rights.Long) !== 0;
}

/** #GP(0) unless the offset lies in the segment. */
function checkOffset(cpu: Processor, code: Descriptor, low: number, high: number): void {
  if (isLongSegment(cpu, code) ? !canonical(cpu, high) : high !== 0 || low >>> 0 > code.limit >>> 0)
    throw generalProtection(0);
}

/** The code segment a jump or call goes to, all checks done. */
function targetSegment(cpu: Processor, instruction: Instruction, target: Target): Descriptor {
  if (isNull(target.selector)) throw generalProtection(0);
  const code = readDescriptor(cpu, target.selector);
  const kind = code.rights & (Rights.CodeOrData | Rights.Code);
  if ((kind & Rights.CodeOrData) === 0 && (code.rights & 0xf) !== 0) {
    cpu.countUnimplemented(instruction);
    throw invalidOpcode();
  }
  if (kind !== (Rights.CodeOrData | Rights.Code)) throw generalProtection(target.selector & 0xfffc);
  checkCodeTarget(cpu, code);
  checkOffset(cpu, code, target.low, target.high);
  return code;
}

function enter(cpu: Processor, instruction: Instruction, target: Target, code: Descriptor): void {
  setCodeSegment(cpu, target.selector, code, cpu.state.low(S.cpl));
  setInstructionPointer(cpu, instruction.operandSize, target.low, target.high);
  finishTransfer(cpu);
}

function farJump(cpu: Processor, instruction: Instruction): void {
  const target = readTarget(cpu, instruction);
  enter(cpu, instruction, target, targetSegment(cpu, instruction, target));
}

function farCall(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  const bytes = instruction.operandSize >> 3;
  const target = readTarget(cpu, instruction);
  const code = targetSegment(cpu, instruction, target);
  markAccessed(cpu, code);
  poke(cpu, -bytes, bytes, state.low(S.segmentSelector + Segment.Cs * 4), 0);
  poke(cpu, -2 * bytes, bytes, state.low(S.rip), state.high(S.rip));
  adjust(cpu, -2 * bytes);
  enter(cpu, instruction, target, code);
}

function farReturn(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  const bytes = instruction.operandSize >> 3;
  const release = instruction.operandCount > 0 ? instruction.immediateLow & 0xffff : 0;
  const low = peek(cpu, 0, bytes);
  const high = cpu.dataHigh;
  const selector = peek(cpu, bytes, bytes) & 0xffff;
  if (isNull(selector)) throw generalProtection(0);
  const code = readDescriptor(cpu, selector);
  checkCodeReturn(cpu, code);
  checkOffset(cpu, code, low, high);
  const cpl = state.low(S.cpl);
  const newCpl = selector & 3;
  if (newCpl === cpl) {
    markAccessed(cpu, code);
    adjust(cpu, 2 * bytes + release);
    setCodeSegment(cpu, selector, code, cpl);
    setInstructionPointer(cpu, instruction.operandSize, low, high);
    finishTransfer(cpu);
    return;
  }
  const stackLow = peek(cpu, 2 * bytes + release, bytes);
  const stackHigh = cpu.dataHigh;
  const stackSelector = peek(cpu, 3 * bytes + release, bytes) & 0xffff;
  let stack: Descriptor | undefined;
  if (isNull(stackSelector)) {
    if (!isLongSegment(cpu, code) || newCpl === 3 || (stackSelector & 3) !== newCpl) throw generalProtection(0);
  } else {
    stack = checkStackSegment(cpu, stackSelector, newCpl);
    markAccessed(cpu, stack);
  }
  setCodeSegment(cpu, selector, code, newCpl);
  if (stack === undefined) setNull(cpu, Segment.Ss, stackSelector, newCpl);
  else setFromDescriptor(cpu, Segment.Ss, stackSelector, stack);
  setInstructionPointer(cpu, instruction.operandSize, low, high);
  setStackPointer(cpu, stackLow, stackHigh);
  adjust(cpu, release);
  dropInnerDataSegments(cpu);
  finishTransfer(cpu);
}

const jump = { host: farJump, endsBlock: true };
const call = { host: farCall, endsBlock: true };

export const farTransferOperations: OperationTable = {
  JMPF: jump,
  CALLF: call,
  RETF: { host: farReturn, endsBlock: true },
};
