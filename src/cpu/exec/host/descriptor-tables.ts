/** LGDT, LIDT, LLDT, LTR and their stores; LAR, LSL, VERR, VERW, ARPL. */

import { type Instruction, Rflags, Vector } from '../../../isa/index.ts';
import { Cr4 } from '../../architecture.ts';
import { addressOf } from '../../effective-address.ts';
import { GuestFault, type Processor } from '../../processor.ts';
import {
  canonical,
  type Descriptor,
  descriptorPrivilege,
  generalProtection,
  is64Bit,
  isLongMode,
  isNull,
  loadLocalTable,
  loadTaskRegister,
  Rights,
  readDescriptor,
} from '../../segments.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable } from '../sem.ts';
import { readOperand, requireSupervisor, writeGpr, writeOperand } from './operand.ts';

/** User-mode instruction prevention: SGDT, SIDT, SLDT, SMSW and STR belong to the supervisor. */
export function checkUmip(cpu: Processor): void {
  if ((cpu.state.low(S.cr4) & Cr4.UMIP) !== 0 && cpu.state.low(S.cpl) !== 0) throw generalProtection(0);
}

function loadTable(limitRow: number, baseRow: number): Operation {
  return {
    host: (cpu, instruction) => {
      requireSupervisor(cpu);
      addressOf(cpu, instruction);
      const limit = cpu.load(cpu.addressLow, cpu.addressHigh, 2);
      addressOf(cpu, instruction, 2);
      const wide = is64Bit(cpu);
      let low = cpu.load(cpu.addressLow, cpu.addressHigh, wide ? 8 : 4);
      const high = wide ? cpu.dataHigh : 0;
      if (wide && !canonical(cpu, high)) throw generalProtection(0);
      if (instruction.operandSize === 16) low &= 0x00ff_ffff;
      cpu.state.setLow(limitRow, limit);
      cpu.state.set(baseRow, low, high);
    },
  };
}

function storeTable(limitRow: number, baseRow: number): Operation {
  return {
    host: (cpu, instruction) => {
      checkUmip(cpu);
      const image = new Uint8Array(is64Bit(cpu) ? 10 : 6);
      const view = new DataView(image.buffer);
      view.setUint16(0, cpu.state.low(limitRow), true);
      view.setInt32(2, cpu.state.low(baseRow), true);
      if (image.length === 10) view.setInt32(6, cpu.state.high(baseRow), true);
      addressOf(cpu, instruction);
      cpu.storeBytes(cpu.addressLow, cpu.addressHigh, image);
    },
  };
}

function storeSelector(row: number): Operation {
  return {
    host: (cpu, instruction) => {
      checkUmip(cpu);
      writeOperand(cpu, instruction, 0, cpu.state.low(row), 0);
    },
  };
}

function loadSelector(load: (cpu: Processor, selector: number) => void): Operation {
  return {
    host: (cpu, instruction) => {
      requireSupervisor(cpu);
      load(cpu, readOperand(cpu, instruction, 0) & 0xffff);
    },
  };
}

function setZf(cpu: Processor, set: boolean): void {
  const flags = cpu.readRflags();
  cpu.writeRflags(set ? flags | Rflags.ZF : flags & ~Rflags.ZF);
}

/** System descriptor types that LAR and LSL may look at: outside and inside IA-32e mode. */
const VISIBLE_TO_LAR = { protected: 0b0001_1010_0011_1110, long: 0b0001_1010_0000_0100 };
const VISIBLE_TO_LSL = { protected: 0b0000_1010_0000_1110, long: 0b0000_1010_0000_0100 };

/** The descriptor of the operand, if it exists and this privilege may see it. */
function visibleDescriptor(
  cpu: Processor,
  selector: number,
  systemTypes: { readonly protected: number; readonly long: number },
): Descriptor | undefined {
  if (isNull(selector)) return undefined;
  let descriptor: Descriptor;
  try {
    descriptor = readDescriptor(cpu, selector);
  } catch (fault) {
    if (fault instanceof GuestFault && fault.vector === Vector.GP) return undefined;
    throw fault;
  }
  const { rights } = descriptor;
  if ((rights & Rights.CodeOrData) === 0) {
    const types = isLongMode(cpu) ? systemTypes.long : systemTypes.protected;
    if (((types >> (rights & 0xf)) & 1) === 0) return undefined;
  }
  const code = Rights.CodeOrData | Rights.Code | Rights.Conforming;
  if ((rights & code) === code) return descriptor;
  return descriptorPrivilege(rights) >= Math.max(cpu.state.low(S.cpl), selector & 3) ? descriptor : undefined;
}

function lookAt(
  systemTypes: { readonly protected: number; readonly long: number },
  value: (descriptor: Descriptor) => number,
): Operation {
  return {
    host: (cpu, instruction) => {
      const descriptor = visibleDescriptor(cpu, readOperand(cpu, instruction, 1) & 0xffff, systemTypes);
      if (descriptor !== undefined)
        writeGpr(cpu, instruction.operands[0].register, instruction.operandSize, value(descriptor), 0);
      setZf(cpu, descriptor !== undefined);
    },
  };
}

const NO_SYSTEM_TYPES = { protected: 0, long: 0 };

function verify(allowed: (rights: number) => boolean): Operation {
  return {
    host: (cpu, instruction) => {
      const descriptor = visibleDescriptor(cpu, readOperand(cpu, instruction, 0) & 0xffff, NO_SYSTEM_TYPES);
      setZf(cpu, descriptor !== undefined && allowed(descriptor.rights));
    },
  };
}

/** ARPL: raises the requested privilege of the first selector to that of the second. */
function adjustRequestedPrivilege(cpu: Processor, instruction: Instruction): void {
  const wanted = readOperand(cpu, instruction, 1) & 3;
  const selector = readOperand(cpu, instruction, 0);
  const raise = (selector & 3) < wanted;
  if (raise) writeOperand(cpu, instruction, 0, (selector & ~3) | wanted, 0);
  setZf(cpu, raise);
}

export const descriptorTableOperations: OperationTable = {
  LGDT: loadTable(S.gdtrLimit, S.gdtrBase),
  LIDT: loadTable(S.idtrLimit, S.idtrBase),
  SGDT: storeTable(S.gdtrLimit, S.gdtrBase),
  SIDT: storeTable(S.idtrLimit, S.idtrBase),
  LLDT: loadSelector(loadLocalTable),
  LTR: loadSelector(loadTaskRegister),
  SLDT: storeSelector(S.ldtrSelector),
  STR: storeSelector(S.trSelector),
  LAR: lookAt(VISIBLE_TO_LAR, (descriptor) => descriptor.high & 0x00ff_ff00),
  LSL: lookAt(VISIBLE_TO_LSL, (descriptor) => descriptor.limit),
  VERR: verify((rights) => (rights & (Rights.Code | Rights.WritableOrReadable)) !== Rights.Code),
  VERW: verify((rights) => (rights & (Rights.Code | Rights.WritableOrReadable)) === Rights.WritableOrReadable),
  ARPL: { host: adjustRequestedPrivilege },
};
