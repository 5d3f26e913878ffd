/** Instructions that move RFLAGS or change its system bits. */
import type { Instruction } from '../../../isa/instruction.ts';
import { Cr4, Rflags, Shadow } from '../../architecture.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { adjust, peek, poke } from '../../stack.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable, Sem, Val } from '../sem.ts';
import { invalidOpcode } from './operand.ts';

const ARITHMETIC = Rflags.Cf | Rflags.Pf | Rflags.Af | Rflags.Zf | Rflags.Sf | Rflags.Of;
/** What POPF changes at privilege level 0 (SDM, "POPF/POPFD/POPFQ"). */
const POPPED = ARITHMETIC | Rflags.Tf | Rflags.If | Rflags.Df | Rflags.Iopl | Rflags.Nt | Rflags.Ac | Rflags.Id;

const privilegeOf = (flags: number): number => (flags & Rflags.Iopl) >> 12;

function pushFlags(b: Sem): void {
  const width = b.facts.operandSize;
  const bit = (flag: Val, at: number): Val => b.shl(flag, at);
  let flags = b.and(b.state(S.rflags, 'i32'), b.i32(~(Rflags.Rf | Rflags.Vm)));
  for (const [name, at] of [
    ['CF', 0],
    ['PF', 2],
    ['AF', 4],
    ['ZF', 6],
    ['SF', 7],
    ['OF', 11],
  ] as const)
    flags = b.or(flags, bit(b.flag(name), at));
  b.push(width, width === 64 ? b.extendU(flags) : flags);
}

/** The common case at privilege level 0: only arithmetic flags, DF and IF change, and no interrupt waits for IF. */
function popFlags(b: Sem): void {
  const width = b.facts.operandSize;
  const system = b.state(S.rflags, 'i32');
  const top = b.load(
    width,
    b.facts.mode === 64
      ? b.gpr(4, 64)
      : b.and(b.add(b.extendU(b.gpr(4, 32)), b.state(S.segmentBase + 16, 'i64')), b.i64(0xffff_ffff)),
  );
  const value = b.wrap(top);
  const easy = ARITHMETIC | Rflags.If | Rflags.Df | Rflags.Fixed;
  const hard = b.and(b.xor(value, system), b.i32(width === 16 ? ~easy & 0xffff : ~easy & POPPED));
  const interrupt = b.and(b.and(value, b.i32(Rflags.If)), b.shl(b.ne(b.state(S.interruptPending, 'i32'), b.i32(0)), 9));
  b.if(b.or(b.or(hard, interrupt), b.state(S.cpl, 'i32')), () => b.deferToHost());
  b.pop(width);
  const changed = Rflags.If | Rflags.Df;
  b.setState(S.rflags, b.or(b.and(system, b.i32(~changed)), b.and(value, b.i32(changed))));
  const bit = (at: number): Val => b.and(b.shrU(value, at), b.i32(1));
  b.flagsSet({ CF: bit(0), PF: bit(2), AF: bit(4), ZF: bit(6), SF: bit(7), OF: bit(11) });
}

function popFlagsOnHost(cpu: Processor, instruction: Instruction): void {
  const bytes = instruction.operandSize >> 3;
  const value = peek(cpu, 0, bytes);
  const old = cpu.readRflags();
  const cpl = cpu.state.low(S.cpl);
  let changes: number = POPPED;
  if (cpl !== 0) changes &= ~Rflags.Iopl;
  if (cpl > privilegeOf(old)) changes &= ~Rflags.If;
  if (bytes === 2) changes &= 0xffff;
  adjust(cpu, bytes);
  cpu.writeRflags(((old & ~changes) | (value & changes)) & ~Rflags.Rf);
}

function pushFlagsOnHost(cpu: Processor, instruction: Instruction): void {
  const bytes = instruction.operandSize >> 3;
  poke(cpu, -bytes, bytes, cpu.readRflags() & ~(Rflags.Rf | Rflags.Vm), 0);
  adjust(cpu, -bytes);
}

function requireIopl(cpu: Processor): void {
  if (cpu.state.low(S.cpl) > privilegeOf(cpu.state.low(S.rflags))) throw generalProtection(0);
}

/** #GP outside level 0 is decided by the host, which knows IOPL. */
function interruptFlag(value: 0 | 1): Operation {
  return {
    emit: (b) => {
      b.if(b.or(b.state(S.cpl, 'i32'), value === 1 ? b.state(S.interruptPending, 'i32') : b.i32(0)), () =>
        b.deferToHost(),
      );
      const flags = b.state(S.rflags, 'i32');
      b.setState(S.rflags, value === 1 ? b.or(flags, b.i32(Rflags.If)) : b.and(flags, b.i32(~Rflags.If)));
    },
    host: (cpu) => {
      requireIopl(cpu);
      const old = cpu.readRflags();
      if (value === 1 && (old & Rflags.If) === 0) cpu.state.setLow(S.interruptShadow, Shadow.Sti);
      cpu.writeRflags(value === 1 ? old | Rflags.If : old & ~Rflags.If);
    },
  };
}

function accessCheck(set: boolean): Operation {
  return {
    host: (cpu) => {
      if (cpu.state.low(S.cpl) !== 0 || (cpu.state.low(S.cr4) & Cr4.Smap) === 0) throw invalidOpcode();
      const old = cpu.readRflags();
      cpu.writeRflags(set ? old | Rflags.Ac : old & ~Rflags.Ac);
    },
  };
}

const push: Operation = { emit: pushFlags, varies: ['mode'], host: pushFlagsOnHost };
const pop: Operation = { emit: popFlags, varies: ['mode'], host: popFlagsOnHost };

export const flagsRegisterOperations: OperationTable = {
  PUSHF: push,
  PUSHFD: push,
  PUSHFQ: push,
  POPF: pop,
  POPFD: pop,
  POPFQ: pop,
  CLI: interruptFlag(0),
  STI: interruptFlag(1),
  CLAC: accessCheck(false),
  STAC: accessCheck(true),
};
