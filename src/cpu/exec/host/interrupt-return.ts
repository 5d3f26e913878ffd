/** IRET, IRETD, IRETQ (SDM vol. 2, "IRET/IRETD/IRETQ"). */

import { type Instruction, Rflags } from '../../../isa/index.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
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
import type { Operation, OperationTable, Sem, Val } from '../sem.ts';
import { invalidOpcode } from './operand.ts';
import { setArithmeticFlags } from './system-flags.ts';

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

/** RFLAGS bits whose change the host has to act on. */
const CHANGE_MORE = Rflags.TF | Rflags.NT | Rflags.AC | Rflags.IOPL | Rflags.VIF | Rflags.VIP;
const SIMPLE = Rflags.DF | Rflags.ID | Rflags.IF | Rflags.RF;
const GDT_SELECTOR = 0xfff8;

/** True (i32) if the segment register holds what `selector` names in the GDT now. `segment` is its number. */
function isLoaded(b: Sem, segment: number, selector: Val): Val {
  const inGdt = b.eq(b.and(selector, b.i32(4)), b.i32(0));
  const same = b.eq(selector, b.state(S.segmentSelector + segment * 4, 'i32'));
  const within = b.geU(b.state(S.gdtrLimit, 'i32'), b.or(selector, b.i32(7)));
  b.if(b.eqz(b.and(b.and(inGdt, same), b.and(within, b.gtU(selector, b.i32(3))))), () => b.deferToHost());
  const base = b.state(S.gdtrBase, 'i64');
  const descriptor = b.load(64, b.add(base, b.extendU(b.and(selector, b.i32(GDT_SELECTOR)))));
  const rights = b.and(b.wrap(b.shrU(descriptor, 40)), b.i32(0xf0ff));
  return b.eq(rights, b.state(S.segmentRights + segment * 4, 'i32'));
}

/** IRETQ from ring 0 to where the same segments hold: all that serialising code needs (Linux: sync_core). */
function returnToSameSegments(b: Sem): void {
  if (b.facts.mode !== 64 || b.facts.operandSize !== 64) {
    b.deferToHost();
    return;
  }
  const pointer = b.gpr(Gpr.Rsp, 64);
  const word = (index: number): Val => b.load(64, b.add(pointer, b.i64(8 * index)));
  const rip = word(0);
  const code = b.and(b.wrap(word(1)), b.i32(0xffff));
  const image = b.wrap(word(2));
  const old = b.state(S.rflags, 'i32');
  const changed = b.xor(image, old);
  const turnsOn = b.and(
    b.ne(b.and(image, b.i32(Rflags.IF)), b.i32(0)),
    b.ne(b.state(S.interruptPending, 'i32'), b.i32(0)),
  );
  const intricate = b.or(b.and(changed, b.i32(CHANGE_MORE)), b.and(old, b.i32(Rflags.NT | Rflags.TF)));
  const canonicalRip = b.eq(b.shrS(b.shl(rip, 16), 16), rip);
  b.if(b.or(b.or(intricate, turnsOn), b.or(b.state(S.cpl, 'i32'), b.eqz(canonicalRip))), () => b.deferToHost());
  b.if(b.eqz(isLoaded(b, Segment.Cs, code)), () => b.deferToHost());
  const stackPointer = word(3);
  const stack = b.and(b.wrap(word(4)), b.i32(0xffff));
  const stillNull = b.eqz(b.or(stack, b.state(S.segmentSelector + Segment.Ss * 4, 'i32')));
  b.if(b.eqz(stillNull), () => b.if(b.eqz(isLoaded(b, Segment.Ss, stack)), () => b.deferToHost()));
  b.setGpr(Gpr.Rsp, 64, stackPointer);
  b.setState(S.rflags, b.or(b.and(old, b.i32(~SIMPLE)), b.and(image, b.i32(SIMPLE))));
  setArithmeticFlags(b, image);
  b.jump(rip);
}

const operation: Operation = { host: interruptReturn, endsBlock: true };

export const interruptReturnOperations: OperationTable = {
  IRET: operation,
  IRETD: operation,
  IRETQ: { ...operation, varies: ['mode'], emit: returnToSameSegments },
};
