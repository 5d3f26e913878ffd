/** SYSCALL, SYSRET, SYSENTER, SYSEXIT: privilege changes without a descriptor table. */

import { type Instruction, Rflags } from '../../../isa/index.ts';
import { Cr0, Efer } from '../../architecture.ts';
import { Gpr } from '../../gpr.ts';
import type { Processor } from '../../processor.ts';
import {
  canonical,
  finishTransfer,
  generalProtection,
  is64Bit,
  isLongMode,
  isNull,
  Segment,
  setFlat,
} from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { invalidOpcode, requireSupervisor } from './operand.ts';

const RCX = S.gpr + Gpr.Rcx * 8;
const RDX = S.gpr + Gpr.Rdx * 8;
const RSP = S.gpr + Gpr.Rsp * 8;
const R11 = S.gpr + Gpr.R11 * 8;

/** Rights of the implied segments: accessed, present, granular. */
const CODE_64 = 0xa09b;
const CODE_32 = 0xc09b;
const DATA_32 = 0xc093;
const USER = 3 << 5;

/** RFLAGS bits that SYSRET takes from R11. */
const SYSRET_FLAGS = 0x003c_7fd7;

function setPrivilege(
  cpu: Processor,
  cpl: number,
  codeSelector: number,
  codeRights: number,
  stackSelector: number,
): void {
  const user = cpl === 3 ? USER : 0;
  setFlat(cpu, Segment.Cs, codeSelector, codeRights | user);
  setFlat(cpu, Segment.Ss, stackSelector, DATA_32 | user);
  cpu.state.setLow(S.cpl, cpl);
}

function systemCall(cpu: Processor): void {
  const { state } = cpu;
  if (!is64Bit(cpu) || (state.low(S.efer) & Efer.SCE) === 0) throw invalidOpcode();
  const flags = cpu.readRflags();
  state.copy(RCX, S.rip);
  state.set(R11, flags, 0);
  state.copy(S.rip, S.lstar);
  const selector = state.high(S.star) & 0xfffc;
  setPrivilege(cpu, 0, selector, CODE_64, selector + 8);
  cpu.writeRflags((flags & ~state.low(S.fmask) & ~Rflags.RF) | Rflags.Reserved1);
  finishTransfer(cpu);
}

function systemReturn(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  if (!is64Bit(cpu) || (state.low(S.efer) & Efer.SCE) === 0) throw invalidOpcode();
  requireSupervisor(cpu);
  const wide = instruction.operandSize === 64;
  if (wide && !canonical(cpu, state.high(RCX))) throw generalProtection(0);
  const selector = state.high(S.star) >>> 16;
  state.set(S.rip, state.low(RCX), wide ? state.high(RCX) : 0);
  setPrivilege(cpu, 3, (selector + (wide ? 16 : 0)) | 3, wide ? CODE_64 : CODE_32, (selector + 8) | 3);
  cpu.writeRflags((state.low(R11) & SYSRET_FLAGS) | Rflags.Reserved1);
  finishTransfer(cpu);
}

function sysenter(cpu: Processor): void {
  const { state } = cpu;
  if ((state.low(S.cr0) & Cr0.PE) === 0 || isNull(state.low(S.sysenterCs))) throw generalProtection(0);
  const long = isLongMode(cpu);
  const selector = state.low(S.sysenterCs) & 0xfffc;
  state.set(RSP, state.low(S.sysenterEsp), long ? state.high(S.sysenterEsp) : 0);
  state.set(S.rip, state.low(S.sysenterEip), long ? state.high(S.sysenterEip) : 0);
  setPrivilege(cpu, 0, selector, long ? CODE_64 : CODE_32, selector + 8);
  cpu.writeRflags(cpu.readRflags() & ~(Rflags.VM | Rflags.IF));
  finishTransfer(cpu);
}

function sysexit(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  if ((state.low(S.cr0) & Cr0.PE) === 0 || isNull(state.low(S.sysenterCs))) throw generalProtection(0);
  requireSupervisor(cpu);
  const wide = instruction.operandSize === 64;
  if (wide && !(canonical(cpu, state.high(RCX)) && canonical(cpu, state.high(RDX)))) throw generalProtection(0);
  const selector = (state.low(S.sysenterCs) & 0xfffc) + (wide ? 32 : 16);
  state.set(RSP, state.low(RCX), wide ? state.high(RCX) : 0);
  state.set(S.rip, state.low(RDX), wide ? state.high(RDX) : 0);
  setPrivilege(cpu, 3, selector | 3, wide ? CODE_64 : CODE_32, (selector + 8) | 3);
  finishTransfer(cpu);
}

const returning = { host: systemReturn, endsBlock: true };
const exiting = { host: sysexit, endsBlock: true };

export const systemCallOperations: OperationTable = {
  SYSCALL: { host: systemCall, endsBlock: true },
  SYSRET: returning,
  SYSENTER: { host: sysenter, endsBlock: true },
  SYSEXIT: exiting,
};
