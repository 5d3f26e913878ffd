/** IRET, IRETD, IRETQ (SDM vol. 2, "IRET/IRETD/IRETQ"). */

import { type Instruction, Rflags } from '../../../isa/index.ts';
import { ExitReason } from '../../exit.ts';
import type { Processor } from '../../processor.ts';
import {
  canonical,
  checkCodeReturn,
  checkStackSegment,
  type Descriptor,
  dropInnerDataSegments,
  finishTransfer,
  generalProtection,
  is64Bit,
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
import { adjust, peek, setStackPointer } from '../../stack.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { invalidOpcode } from './operand.ts';

const ARITHMETIC = Rflags.CF | Rflags.PF | Rflags.AF | Rflags.ZF | Rflags.SF | Rflags.OF;
const ALWAYS_RESTORED = ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT;
const RESTORED_WIDE = Rflags.RF | Rflags.AC | Rflags.ID;

/** RFLAGS after a return that popped `image` at privilege `cpl`. */
function returnedFlags(cpu: Processor, image: number, sizeBits: number, cpl: number): number {
  const old = cpu.readRflags();
  let mask: number = ALWAYS_RESTORED;
  if (sizeBits !== 16) mask |= RESTORED_WIDE;
  if (cpl <= (old >> 12) % 4) mask |= Rflags.IF;
  if (cpl === 0) mask |= sizeBits === 16 ? Rflags.IOPL : Rflags.IOPL | Rflags.VIF | Rflags.VIP;
  return (old & ~mask) | (image & mask);
}

function interruptReturn(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  const size = instruction.operandSize;
  const bytes = size >> 3;
  const cpl = state.low(S.cpl);
  const from64 = is64Bit(cpu);
  if ((state.low(S.rflags) & Rflags.NT) !== 0) {
    if (isLongMode(cpu)) throw generalProtection(0);
    const exit = cpu.exitFor(ExitReason.TaskSwitch, instruction);
    cpu.exit.qualificationLow = 1 << 30;
    throw exit;
  }
  const ripLow = peek(cpu, 0, bytes);
  const ripHigh = cpu.dataHigh;
  const selector = peek(cpu, bytes, bytes) & 0xffff;
  const image = peek(cpu, 2 * bytes, bytes);
  if (!isLongMode(cpu) && cpl === 0 && size === 32 && (image & Rflags.VM) !== 0) {
    cpu.countUnimplemented(instruction);
    throw invalidOpcode();
  }
  if (isNull(selector)) throw generalProtection(0);
  const code = readDescriptor(cpu, selector);
  checkCodeReturn(cpu, code);
  const newCpl = selector & 3;
  const to64 = isLongMode(cpu) && (code.rights & Rights.Long) !== 0;
  if (to64 ? !canonical(cpu, ripHigh) : ripHigh !== 0 || ripLow >>> 0 > code.limit >>> 0) throw generalProtection(0);

  if (!from64 && newCpl === cpl) {
    const flags = returnedFlags(cpu, image, size, cpl);
    setCodeSegment(cpu, selector, code, newCpl);
    state.set(S.rip, ripLow, ripHigh);
    adjust(cpu, 3 * bytes);
    cpu.writeRflags(flags);
    finishTransfer(cpu);
    return;
  }
  const stackLow = peek(cpu, 3 * bytes, bytes);
  const stackHigh = cpu.dataHigh;
  const stackSelector = peek(cpu, 4 * bytes, bytes) & 0xffff;
  let stack: Descriptor | undefined;
  if (isNull(stackSelector)) {
    if (!to64 || newCpl === 3 || (stackSelector & 3) !== newCpl) throw generalProtection(0);
  } else {
    stack = checkStackSegment(cpu, stackSelector, newCpl);
    markAccessed(cpu, stack);
  }
  const flags = returnedFlags(cpu, image, size, cpl);
  setCodeSegment(cpu, selector, code, newCpl);
  if (stack === undefined) setNull(cpu, Segment.Ss, stackSelector, newCpl);
  else setFromDescriptor(cpu, Segment.Ss, stackSelector, stack);
  state.set(S.rip, ripLow, ripHigh);
  setStackPointer(cpu, stackLow, stackHigh);
  cpu.writeRflags(flags);
  if (newCpl > cpl) dropInnerDataSegments(cpu);
  finishTransfer(cpu);
}

const operation = { host: interruptReturn, endsBlock: true };

export const interruptReturnOperations: OperationTable = { IRET: operation, IRETD: operation, IRETQ: operation };
