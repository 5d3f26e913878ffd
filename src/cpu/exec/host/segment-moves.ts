/** Segment registers as operands: MOV, PUSH, POP, far pointer loads. */

import { type Instruction, OperandKind } from '../../../isa/index.ts';
import { Shadow } from '../../architecture.ts';
import { addressOf } from '../../effective-address.ts';
import type { Processor } from '../../processor.ts';
import { loadSegment, Segment } from '../../segments.ts';
import { adjust, peek, poke } from '../../stack.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable, Place, Sem } from '../sem.ts';
import { invalidOpcode, readOperand, writeGpr, writeOperand } from './operand.ts';

/** No event is taken before the instruction after a load of SS. */
function shadowAfter(cpu: Processor, segment: number): void {
  if (segment === Segment.Ss) cpu.state.setLow(S.interruptShadow, cpu.state.low(S.interruptShadow) | Shadow.MovSs);
}

function moveSegment(cpu: Processor, instruction: Instruction): void {
  const [target, source] = instruction.operands;
  if (target.kind === OperandKind.Segment) {
    if (target.register === Segment.Cs || target.register > Segment.Gs) throw invalidOpcode();
    loadSegment(cpu, target.register, readOperand(cpu, instruction, 1) & 0xffff);
    shadowAfter(cpu, target.register);
    return;
  }
  if (source.register > Segment.Gs) throw invalidOpcode();
  writeOperand(cpu, instruction, 0, cpu.state.low(S.segmentSelector + source.register * 4), 0);
}

/** Reading a selector is plain; loading one is the host's work. */
function readSelector(b: Sem, target: Place, source: Place): void {
  if (target.kind === 'selector') {
    b.deferToHost();
    return;
  }
  const selector = source.read();
  target.write(target.width === 64 ? b.extendU(selector) : selector);
}

function pushSegment(cpu: Processor, instruction: Instruction): void {
  const bytes = instruction.operandSize >> 3;
  poke(cpu, -bytes, bytes, cpu.state.low(S.segmentSelector + instruction.operands[0].register * 4), 0);
  adjust(cpu, -bytes);
}

function popSegment(cpu: Processor, instruction: Instruction): void {
  const bytes = instruction.operandSize >> 3;
  const segment = instruction.operands[0].register;
  const selector = peek(cpu, 0, bytes) & 0xffff;
  if (segment === Segment.Ss) {
    // The width of the stack may change with SS; the pop belongs to the old stack.
    const row = S.gpr + 4 * 8;
    const [low, high] = [cpu.state.low(row), cpu.state.high(row)];
    adjust(cpu, bytes);
    try {
      loadSegment(cpu, segment, selector);
    } catch (fault) {
      cpu.state.set(row, low, high);
      throw fault;
    }
  } else {
    loadSegment(cpu, segment, selector);
    adjust(cpu, bytes);
  }
  shadowAfter(cpu, segment);
}

/** LDS, LES, LFS, LGS, LSS: a far pointer from memory into a segment and a general register. */
function loadFarPointer(segment: number): Operation {
  return {
    host: (cpu, instruction) => {
      const bytes = instruction.operandSize >> 3;
      addressOf(cpu, instruction);
      const low = cpu.load(cpu.addressLow, cpu.addressHigh, bytes);
      const high = cpu.dataHigh;
      addressOf(cpu, instruction, bytes);
      loadSegment(cpu, segment, cpu.load(cpu.addressLow, cpu.addressHigh, 2));
      writeGpr(cpu, instruction.operands[0].register, instruction.operandSize, low, high);
    },
  };
}

export const segmentMoveOperations: OperationTable = {
  'MOV.segment': { emit: (b, target, source) => readSelector(b, target!, source!), host: moveSegment },
  'PUSH.segment': { host: pushSegment },
  'POP.segment': { host: popSegment },
  LDS: loadFarPointer(Segment.Ds),
  LES: loadFarPointer(Segment.Es),
  LFS: loadFarPointer(Segment.Fs),
  LGS: loadFarPointer(Segment.Gs),
  LSS: loadFarPointer(Segment.Ss),
};
