/** MOV to and from control and debug registers, LMSW, SMSW, CLTS, and the instructions that drop translations. */

import { type Instruction, OperandKind, Vector } from '../../../isa/index.ts';
import { Cr0, Cr4 } from '../../architecture.ts';
import {
  cr0WriteExits,
  cr4WriteExits,
  guestCr0,
  guestCr4,
  readCr8,
  writeCr0,
  writeCr3,
  writeCr4,
  writeCr8,
} from '../../control-registers.ts';
import { addressOf } from '../../effective-address.ts';
import { ExitReason } from '../../exit.ts';
import { GuestFault, type Processor } from '../../processor.ts';
import { canonical, generalProtection, is64Bit } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { checkUmip } from './descriptor-tables.ts';
import { invalidOpcode, readOperand, requireSupervisor, writeGpr, writeOperand } from './operand.ts';

/** Access types of a control-register exit's qualification, bits 5:4. */
const CR_CLTS = 2 << 4;
const CR_LMSW = 3 << 4;
const CR_LMSW_MEMORY = 1 << 6;

const DR6_FIXED = 0xffff_0ff0 | 0;
const DR6_WRITABLE = 0xe00f;
const DR7_FIXED = 0x400;
const DR7_WRITABLE = 0xffff_2bff | 0;
const DR7_GD = 1 << 13;
const DR6_BD = 1 << 13;

function exitForCr(cpu: Processor, instruction: Instruction, qualification: number): never {
  const exit = cpu.exitFor(ExitReason.CrAccess, instruction);
  cpu.exit.qualificationLow = qualification;
  throw exit;
}

function moveControl(cpu: Processor, instruction: Instruction): void {
  const [target, source] = instruction.operands;
  const number = (target.kind === OperandKind.Control ? target : source).register;
  if (number !== 0 && number !== 2 && number !== 3 && number !== 4 && number !== 8) throw invalidOpcode();
  requireSupervisor(cpu);
  if (target.kind === OperandKind.Control) moveToControl(cpu, instruction, number);
  else moveFromControl(cpu, target.register, number);
}

function moveFromControl(cpu: Processor, register: number, number: number): void {
  const { state } = cpu;
  let low: number;
  let high = 0;
  if (number === 0) low = guestCr0(cpu);
  else if (number === 4) low = guestCr4(cpu);
  else if (number === 8) low = readCr8(cpu);
  else {
    low = state.low(number === 2 ? S.cr2 : S.cr3);
    high = state.high(number === 2 ? S.cr2 : S.cr3);
  }
  writeGpr(cpu, register, is64Bit(cpu) ? 64 : 32, low, high);
}

function moveToControl(cpu: Processor, instruction: Instruction, number: number): void {
  const { state } = cpu;
  const { register } = instruction.operands[1];
  const row = S.gpr + register * 8;
  const low = state.low(row);
  const high = is64Bit(cpu) ? state.high(row) : 0;
  const qualification = number | (register << 8);
  switch (number) {
    case 0:
      if (cr0WriteExits(cpu, low)) exitForCr(cpu, instruction, qualification);
      writeCr0(cpu, low, high);
      return;
    case 2:
      state.set(S.cr2, low, high);
      return;
    case 3:
      writeCr3(cpu, low, high);
      return;
    case 4:
      if (cr4WriteExits(cpu, low)) exitForCr(cpu, instruction, qualification);
      writeCr4(cpu, low, high);
      return;
    default:
      writeCr8(cpu, low, high);
  }
}

/** LMSW sets PE, MP, EM and TS; it cannot clear PE. */
function loadMachineStatus(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const source = readOperand(cpu, instruction, 0) & 0xffff;
  const { cr0HostMask, cr0ReadShadow } = cpu.controls;
  const differs = (source ^ cr0ReadShadow) & cr0HostMask & 0xf;
  if ((differs & ~Cr0.PE) !== 0 || (differs & source & Cr0.PE) !== 0) {
    const memory = instruction.operands[0].kind === OperandKind.Memory;
    const exit = cpu.exitFor(ExitReason.CrAccess, instruction);
    cpu.exit.qualificationLow = CR_LMSW | (memory ? CR_LMSW_MEMORY : 0) | (source << 16);
    if (memory) {
      cpu.exit.guestLinearLow = cpu.addressLow;
      cpu.exit.guestLinearHigh = cpu.addressHigh;
    }
    throw exit;
  }
  const old = cpu.state.low(S.cr0);
  writeCr0(cpu, (old & ~0xe) | (source & 0xf), 0);
}

function storeMachineStatus(cpu: Processor, instruction: Instruction): void {
  checkUmip(cpu);
  writeOperand(cpu, instruction, 0, guestCr0(cpu), 0);
}

function clearTaskSwitched(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  if ((cpu.controls.cr0HostMask & Cr0.TS) !== 0) {
    if ((cpu.controls.cr0ReadShadow & Cr0.TS) !== 0) exitForCr(cpu, instruction, CR_CLTS);
    return;
  }
  cpu.state.setLow(S.cr0, cpu.state.low(S.cr0) & ~Cr0.TS);
  cpu.modeChanged();
}

function moveDebug(cpu: Processor, instruction: Instruction): void {
  const { state } = cpu;
  const [target, source] = instruction.operands;
  const writes = target.kind === OperandKind.Debug;
  let number = (writes ? target : source).register;
  if (number > 7) throw invalidOpcode();
  if (number === 4 || number === 5) {
    if ((state.low(S.cr4) & Cr4.DE) !== 0) throw invalidOpcode();
    number += 2;
  }
  requireSupervisor(cpu);
  if ((state.low(S.dr7) & DR7_GD) !== 0) {
    state.setLow(S.dr6, state.low(S.dr6) | DR6_BD);
    throw new GuestFault(Vector.DB);
  }
  const row = number === 6 ? S.dr6 : number === 7 ? S.dr7 : S.dr + number * 8;
  if (!writes) {
    writeGpr(cpu, target.register, is64Bit(cpu) ? 64 : 32, state.low(row), state.high(row));
    return;
  }
  const from = S.gpr + source.register * 8;
  const low = state.low(from);
  const high = is64Bit(cpu) ? state.high(from) : 0;
  if (number < 4) {
    state.set(row, low, high);
    return;
  }
  if (high !== 0) throw generalProtection(0);
  state.set(row, number === 6 ? (low & DR6_WRITABLE) | DR6_FIXED : (low & DR7_WRITABLE) | DR7_FIXED, 0);
}

function invalidatePage(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  addressOf(cpu, instruction);
  if (canonical(cpu, cpu.addressHigh)) cpu.flushTlbPage(cpu.addressLow, cpu.addressHigh);
}

/** INVPCID: translations carry no PCID here, so each type drops at least what it names. */
function invalidateContext(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const row = S.gpr + instruction.operands[0].register * 8;
  const type = cpu.state.low(row);
  if (type >>> 0 > 3 || (is64Bit(cpu) && cpu.state.high(row) !== 0)) throw generalProtection(0);
  const pcids = (cpu.state.low(S.cr4) & Cr4.PCIDE) !== 0;
  addressOf(cpu, instruction);
  const pcid = cpu.load(cpu.addressLow, cpu.addressHigh, 8);
  if (pcid >>> 12 !== 0 || cpu.dataHigh !== 0 || (type < 2 && !pcids && pcid !== 0)) throw generalProtection(0);
  addressOf(cpu, instruction, 8);
  const low = cpu.load(cpu.addressLow, cpu.addressHigh, 8);
  const high = cpu.dataHigh;
  if (type === 0) {
    if (!canonical(cpu, high)) throw generalProtection(0);
    cpu.flushTlbPage(low, high);
  } else {
    cpu.flushTlb(type === 2);
  }
}

export const controlMoveOperations: OperationTable = {
  'MOV.control': { host: moveControl, endsBlock: true },
  'MOV.debug': { host: moveDebug },
  LMSW: { host: loadMachineStatus, endsBlock: true },
  SMSW: { host: storeMachineStatus },
  CLTS: { host: clearTaskSwitched },
  INVLPG: { host: invalidatePage },
  INVPCID: { host: invalidateContext },
};
