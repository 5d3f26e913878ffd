/** System flags: PUSHF, POPF, CLI, STI, CLAC, STAC. */

import { type Instruction, Rflags } from '../../../isa/index.ts';
import { Shadow } from '../../architecture.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { adjust, peek } from '../../stack.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable, Sem, Val } from '../sem.ts';
import { invalidOpcode } from './operand.ts';

const RSP = 4;
const ARITHMETIC = Rflags.CF | Rflags.PF | Rflags.AF | Rflags.ZF | Rflags.SF | Rflags.OF;
const BIT = { CF: 0, PF: 2, AF: 4, ZF: 6, SF: 7, OF: 11 } as const;
const FLAGS = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const;
/** POPF clears these, whatever the image says. */
const NEVER_POPPED = Rflags.RF | Rflags.VM | Rflags.VIF | Rflags.VIP;
const POPPED = ARITHMETIC | Rflags.TF | Rflags.IF | Rflags.DF | Rflags.IOPL | Rflags.NT | Rflags.AC | Rflags.ID;

/** PUSHF, PUSHFD, PUSHFQ. */
const pushFlags: Operation = {
  varies: ['mode'],
  emit: (b) => {
    let image = b.and(b.state(S.rflags, 'i32'), b.i32(~(Rflags.RF | Rflags.VM)));
    for (const name of FLAGS) image = b.or(image, b.shl(b.flag(name), BIT[name]));
    const width = b.facts.operandSize;
    b.push(width, width === 64 ? b.extendU(image) : image);
  },
};

/** POPF where nothing but DF, ID, the arithmetic flags and an uncontested IF change; the host does the rest. */
function popFlags(b: Sem): void {
  if (b.facts.mode !== 64 || b.facts.operandSize !== 64) {
    b.deferToHost();
    return;
  }
  const pointer = b.gpr(RSP, 64);
  const image = b.wrap(b.load(64, pointer));
  const old = b.state(S.rflags, 'i32');
  const changed = b.and(b.xor(image, old), b.i32(~ARITHMETIC));
  const simple = Rflags.DF | Rflags.ID | Rflags.IF;
  b.if(b.and(changed, b.i32(POPPED & ~simple)), () => b.deferToHost());
  const turnsOn = b.and(
    b.ne(b.and(image, b.i32(Rflags.IF)), b.i32(0)),
    b.ne(b.state(S.interruptPending, 'i32'), b.i32(0)),
  );
  const contested = b.or(b.ne(b.state(S.cpl, 'i32'), b.i32(0)), turnsOn);
  b.if(b.and(b.ne(b.and(changed, b.i32(Rflags.IF)), b.i32(0)), contested), () => b.deferToHost());
  b.setGpr(RSP, 64, b.add(pointer, b.i64(8)));
  b.setState(S.rflags, b.or(b.and(old, b.i32(~simple)), b.and(image, b.i32(simple))));
  setArithmeticFlags(b, image);
}

/** The six arithmetic flags from an image of RFLAGS. */
export function setArithmeticFlags(b: Sem, image: Val): void {
  const bit = (name: (typeof FLAGS)[number]): Val => b.and(b.shrU(image, BIT[name]), b.i32(1));
  b.flagsSet({ CF: bit('CF'), PF: bit('PF'), AF: bit('AF'), ZF: bit('ZF'), SF: bit('SF'), OF: bit('OF') });
}

function popFlagsOnHost(cpu: Processor, instruction: Instruction): void {
  const bytes = instruction.operandSize >> 3;
  const image = peek(cpu, 0, bytes);
  const old = cpu.readRflags();
  const cpl = cpu.state.low(S.cpl);
  let mask = POPPED;
  if (cpl !== 0) mask &= ~Rflags.IOPL;
  if (cpl > (old & Rflags.IOPL) >> 12) mask &= ~Rflags.IF;
  if (bytes === 2) mask &= 0xffff;
  adjust(cpu, bytes);
  cpu.writeRflags((old & ~mask & ~(bytes === 2 ? Rflags.RF : NEVER_POPPED)) | (image & mask));
}

const popFlagsOperation: Operation = { varies: ['mode'], emit: popFlags, host: popFlagsOnHost };

function iopl(b: Sem): Val {
  return b.and(b.shrU(b.state(S.rflags, 'i32'), 12), b.i32(3));
}

const clearInterruptFlag: Operation = {
  emit: (b) => {
    b.if(b.gtU(b.state(S.cpl, 'i32'), iopl(b)), () => b.raise(13, 0));
    b.setState(S.rflags, b.and(b.state(S.rflags, 'i32'), b.i32(~Rflags.IF)));
  },
};

/** With nothing pending the shadow makes no difference; else the host sets it. */
const setInterruptFlag: Operation = {
  emit: (b) => {
    b.if(b.gtU(b.state(S.cpl, 'i32'), iopl(b)), () => b.raise(13, 0));
    b.if(b.state(S.interruptPending, 'i32'), () => b.deferToHost());
    b.setState(S.rflags, b.or(b.state(S.rflags, 'i32'), b.i32(Rflags.IF)));
  },
  host: (cpu) => {
    const { state } = cpu;
    const flags = cpu.readRflags();
    if (state.low(S.cpl) > (flags & Rflags.IOPL) >> 12) throw generalProtection(0);
    if ((flags & Rflags.IF) !== 0) return;
    state.setLow(S.interruptShadow, state.low(S.interruptShadow) | Shadow.Sti);
    cpu.writeRflags(flags | Rflags.IF);
  },
};

/** CLAC and STAC change which TLB holds. */
function alignmentCheck(set: boolean): Operation {
  return {
    host: (cpu) => {
      if (cpu.state.low(S.cpl) !== 0) throw invalidOpcode();
      const flags = cpu.readRflags();
      cpu.writeRflags(set ? flags | Rflags.AC : flags & ~Rflags.AC);
      cpu.modeChanged();
    },
  };
}

/** At the entry of an exception, where Linux has it, AC is mostly clear already. */
const clearAlignmentCheck: Operation = {
  ...alignmentCheck(false),
  emit: (b) => {
    const set = b.and(b.state(S.rflags, 'i32'), b.i32(Rflags.AC));
    b.if(b.or(set, b.state(S.cpl, 'i32')), () => b.deferToHost());
  },
};

export const systemFlagOperations: OperationTable = {
  PUSHF: pushFlags,
  PUSHFD: pushFlags,
  PUSHFQ: pushFlags,
  POPF: popFlagsOperation,
  POPFD: popFlagsOperation,
  POPFQ: popFlagsOperation,
  CLI: clearInterruptFlag,
  STI: setInterruptFlag,
  CLAC: clearAlignmentCheck,
  STAC: alignmentCheck(true),
};
