/** MMX: host operations on the 64-bit registers that alias the x87 significands (SDM Vol. 1, "Programming with Intel MMX Technology"). */

import type { Instruction, Operand } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { raisePending, Status } from '../fpu/x87-state.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const INVALID_OPCODE = 6;
const DEVICE_NOT_AVAILABLE = 7;
const CR0_EM = 4;
const CR0_TS = 8;
const ALL_VALID = 0xff;

/** 64 bits seen as lanes. */
export class Quad {
  readonly u8 = new Uint8Array(8);
  readonly i8 = new Int8Array(this.u8.buffer);
  readonly u16 = new Uint16Array(this.u8.buffer);
  readonly i16 = new Int16Array(this.u8.buffer);
  readonly u32 = new Uint32Array(this.u8.buffer);
  readonly i32 = new Int32Array(this.u8.buffer);
  readonly u64 = new BigUint64Array(this.u8.buffer);
}

/** Checks that MMX may be used, and puts the x87 side into MMX mode: TOP 0, every register valid. */
export function enterMmx(cpu: Processor): void {
  const cr0 = cpu.state.low(S.cr0);
  if (cr0 & CR0_EM) throw new GuestFault(INVALID_OPCODE);
  if (cr0 & CR0_TS) throw new GuestFault(DEVICE_NOT_AVAILABLE);
  raisePending(cpu);
}

export function markMmxUsed(cpu: Processor): void {
  cpu.state.setLow(S.fpuStatus, cpu.state.low(S.fpuStatus) & ~Status.Top);
  cpu.state.setLow(S.fpuTag, ALL_VALID);
}

/** Low 64 bits of an operand of any kind; memory by the operand's size. */
export function readQuad(cpu: Processor, instruction: Instruction, operand: Operand, quad = new Quad()): Quad {
  const { state } = cpu;
  const register = operand.register;
  const row = {
    [OperandKind.Mmx]: S.fpuRegister + 16 * register,
    [OperandKind.Xmm]: S.vector + 32 * register,
    [OperandKind.Gpr]: S.gpr + 8 * register,
  }[operand.kind as number];
  if (row !== undefined) {
    quad.i32[0] = state.low(row);
    quad.i32[1] = state.high(row);
  } else if (operand.kind === OperandKind.Immediate) {
    quad.i32[0] = instruction.immediateLow & 0xff;
    quad.i32[1] = 0;
  } else {
    addressOf(cpu, instruction);
    quad.i32[0] = cpu.load(cpu.addressLow, cpu.addressHigh, operand.size / 8);
    quad.i32[1] = cpu.dataHigh;
  }
  return quad;
}

export function writeMmx(cpu: Processor, register: number, quad: Quad): void {
  const row = S.fpuRegister + 16 * register;
  cpu.state.set(row, quad.i32[0]!, quad.i32[1]!);
  cpu.state.setLow(row + 8, 0xffff);
}

/** Computes `result` from the old target `x`, the source `y` and the immediate. */
type QuadFunction = (result: Quad, x: Quad, y: Quad, immediate: number) => void;

const clamp = (low: number, high: number, value: number): number => Math.min(high, Math.max(low, value));
const signed8 = (value: number): number => clamp(-128, 127, value);
const unsigned8 = (value: number): number => clamp(0, 255, value);
const signed16 = (value: number): number => clamp(-32768, 32767, value);
const unsigned16 = (value: number): number => clamp(0, 65535, value);

type LaneView = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';
const perLane =
  (view: LaneView, change: (x: number, y: number) => number): QuadFunction =>
  (result, x, y) => {
    for (let i = 0; i < result[view].length; i++) result[view][i] = change(x[view][i]!, y[view][i]!);
  };

/** Neighbouring lanes of x, then of y. */
const perPair =
  (view: 'i16' | 'i32', change: (even: number, odd: number) => number): QuadFunction =>
  (result, x, y) => {
    const half = result[view].length / 2;
    for (let i = 0; i < half; i++) {
      result[view][i] = change(x[view][2 * i]!, x[view][2 * i + 1]!);
      result[view][half + i] = change(y[view][2 * i]!, y[view][2 * i + 1]!);
    }
  };

const wide =
  (change: (x: bigint, y: bigint) => bigint): QuadFunction =>
  (result, x, y) => {
    result.u64[0] = change(x.u64[0]!, y.u64[0]!);
  };

const shift =
  (view: 'u16' | 'u32' | 'i16' | 'i32', bits: number, change: (x: number, count: number) => number): QuadFunction =>
  (result, x, y) => {
    const count = y.u64[0]! > BigInt(bits - 1) ? bits : Number(y.u64[0]);
    for (let i = 0; i < result[view].length; i++) result[view][i] = change(x[view][i]!, count);
  };

const interleave =
  (view: 'u8' | 'u16' | 'u32', high: boolean): QuadFunction =>
  (result, x, y) => {
    const half = result[view].length / 2;
    for (let i = 0; i < half; i++) {
      result[view][2 * i] = x[view][i + (high ? half : 0)]!;
      result[view][2 * i + 1] = y[view][i + (high ? half : 0)]!;
    }
  };

const pack =
  (from: 'i16' | 'i32', to: 'i8' | 'u8' | 'i16', limit: (value: number) => number): QuadFunction =>
  (result, x, y) => {
    const half = x[from].length;
    for (let i = 0; i < half; i++) {
      result[to][i] = limit(x[from][i]!);
      result[to][half + i] = limit(y[from][i]!);
    }
  };

const truth = (condition: boolean): number => (condition ? -1 : 0);
const withSign = (x: number, y: number): number => (y === 0 ? 0 : y < 0 ? -x : x);

const FUNCTIONS: Readonly<Record<string, QuadFunction>> = {
  PADDB: perLane('u8', (x, y) => x + y),
  PADDW: perLane('u16', (x, y) => x + y),
  PADDD: perLane('u32', (x, y) => x + y),
  PADDQ: wide((x, y) => x + y),
  PSUBB: perLane('u8', (x, y) => x - y),
  PSUBW: perLane('u16', (x, y) => x - y),
  PSUBD: perLane('u32', (x, y) => x - y),
  PSUBQ: wide((x, y) => x - y),
  PADDSB: perLane('i8', (x, y) => signed8(x + y)),
  PADDSW: perLane('i16', (x, y) => signed16(x + y)),
  PADDUSB: perLane('u8', (x, y) => unsigned8(x + y)),
  PADDUSW: perLane('u16', (x, y) => unsigned16(x + y)),
  PSUBSB: perLane('i8', (x, y) => signed8(x - y)),
  PSUBSW: perLane('i16', (x, y) => signed16(x - y)),
  PSUBUSB: perLane('u8', (x, y) => unsigned8(x - y)),
  PSUBUSW: perLane('u16', (x, y) => unsigned16(x - y)),
  PAVGB: perLane('u8', (x, y) => (x + y + 1) >> 1),
  PAVGW: perLane('u16', (x, y) => (x + y + 1) >> 1),
  PMINUB: perLane('u8', Math.min),
  PMAXUB: perLane('u8', Math.max),
  PMINSW: perLane('i16', Math.min),
  PMAXSW: perLane('i16', Math.max),
  PABSB: perLane('i8', (_x, y) => Math.abs(y)),
  PABSW: perLane('i16', (_x, y) => Math.abs(y)),
  PABSD: perLane('i32', (_x, y) => Math.abs(y)),
  PSIGNB: perLane('i8', withSign),
  PSIGNW: perLane('i16', withSign),
  PSIGND: perLane('i32', withSign),
  PMULLW: perLane('i16', (x, y) => x * y),
  PMULHW: perLane('i16', (x, y) => (x * y) >> 16),
  PMULHUW: perLane('u16', (x, y) => (x * y) / 65536),
  PMULHRSW: perLane('i16', (x, y) => (((x * y) >> 14) + 1) >> 1),
  PMULUDQ: wide((x, y) => (x & 0xffff_ffffn) * (y & 0xffff_ffffn)),
  PMADDWD: (result, x, y) => {
    for (let i = 0; i < 2; i++) result.i32[i] = x.i16[2 * i]! * y.i16[2 * i]! + x.i16[2 * i + 1]! * y.i16[2 * i + 1]!;
  },
  PMADDUBSW: (result, x, y) => {
    for (let i = 0; i < 4; i++)
      result.i16[i] = signed16(x.u8[2 * i]! * y.i8[2 * i]! + x.u8[2 * i + 1]! * y.i8[2 * i + 1]!);
  },
  PSADBW: (result, x, y) => {
    let sum = 0;
    for (let i = 0; i < 8; i++) sum += Math.abs(x.u8[i]! - y.u8[i]!);
    result.u64[0] = BigInt(sum);
  },
  PHADDW: perPair('i16', (even, odd) => even + odd),
  PHADDD: perPair('i32', (even, odd) => even + odd),
  PHADDSW: perPair('i16', (even, odd) => signed16(even + odd)),
  PHSUBW: perPair('i16', (even, odd) => even - odd),
  PHSUBD: perPair('i32', (even, odd) => even - odd),
  PHSUBSW: perPair('i16', (even, odd) => signed16(even - odd)),
  PAND: wide((x, y) => x & y),
  PANDN: wide((x, y) => ~x & y),
  POR: wide((x, y) => x | y),
  PXOR: wide((x, y) => x ^ y),
  PCMPEQB: perLane('i8', (x, y) => truth(x === y)),
  PCMPEQW: perLane('i16', (x, y) => truth(x === y)),
  PCMPEQD: perLane('i32', (x, y) => truth(x === y)),
  PCMPGTB: perLane('i8', (x, y) => truth(x > y)),
  PCMPGTW: perLane('i16', (x, y) => truth(x > y)),
  PCMPGTD: perLane('i32', (x, y) => truth(x > y)),
  PSLLW: shift('u16', 16, (x, count) => x << count),
  PSLLD: shift('u32', 32, (x, count) => (count === 32 ? 0 : x << count)),
  PSLLQ: wide((x, y) => (y > 63n ? 0n : x << y)),
  PSRLW: shift('u16', 16, (x, count) => x >>> count),
  PSRLD: shift('u32', 32, (x, count) => (count === 32 ? 0 : x >>> count)),
  PSRLQ: wide((x, y) => (y > 63n ? 0n : x >> y)),
  PSRAW: shift('i16', 16, (x, count) => x >> Math.min(count, 15)),
  PSRAD: shift('i32', 32, (x, count) => x >> Math.min(count, 31)),
  PUNPCKLBW: interleave('u8', false),
  PUNPCKLWD: interleave('u16', false),
  PUNPCKLDQ: interleave('u32', false),
  PUNPCKHBW: interleave('u8', true),
  PUNPCKHWD: interleave('u16', true),
  PUNPCKHDQ: interleave('u32', true),
  PACKSSWB: pack('i16', 'i8', signed8),
  PACKUSWB: pack('i16', 'u8', unsigned8),
  PACKSSDW: pack('i32', 'i16', signed16),
  PSHUFB: (result, x, y) => {
    for (let i = 0; i < 8; i++) result.u8[i] = y.u8[i]! & 0x80 ? 0 : x.u8[y.u8[i]! & 7]!;
  },
  PSHUFW: (result, _x, y, immediate) => {
    for (let i = 0; i < 4; i++) result.u16[i] = y.u16[(immediate >> (2 * i)) & 3]!;
  },
  PALIGNR: (result, x, y, immediate) => {
    const joined = (x.u64[0]! << 64n) | y.u64[0]!;
    result.u64[0] = joined >> BigInt(8 * immediate);
  },
  PINSRW: (result, x, y, immediate) => {
    result.u64[0] = x.u64[0]!;
    result.u16[immediate & 3] = y.u16[0]!;
  },
  MOVD: wide((_x, y) => y & 0xffff_ffffn),
  MOVQ: wide((_x, y) => y),
  MOVDQ2Q: wide((_x, y) => y),
};

const lastImmediate = (instruction: Instruction): number => {
  const last = instruction.operands[(instruction.operandCount - 1) as 0 | 1 | 2 | 3];
  return last.kind === OperandKind.Immediate ? instruction.immediateLow & 0xff : 0;
};

/** Stores the low 32 or 64 bits of an MMX register to a general register or memory. */
function moveOut(cpu: Processor, instruction: Instruction): void {
  const [target, source] = instruction.operands;
  const quad = readQuad(cpu, instruction, source);
  const high = target.size === 64 ? quad.i32[1]! : 0;
  if (target.kind === OperandKind.Gpr) {
    cpu.state.set(S.gpr + 8 * target.register, quad.i32[0]!, high);
    return;
  }
  addressOf(cpu, instruction);
  cpu.store(cpu.addressLow, cpu.addressHigh, target.size / 8, quad.i32[0]!, high);
}

function setGeneral(cpu: Processor, register: number, value: number): void {
  cpu.state.set(S.gpr + 8 * register, value, 0);
}

const RDI = 7;

/** MASKMOVQ: stores at DS:(E)DI the bytes whose mask bit 7 is set. */
function maskedStore(cpu: Processor, instruction: Instruction): void {
  const registers = instruction.operands.filter((operand) => operand.kind === OperandKind.Mmx);
  const data = readQuad(cpu, instruction, registers[0]!);
  const mask = readQuad(cpu, instruction, registers[1]!);
  const index = BigInt.asUintN(instruction.addressSize, cpu.state.big(S.gpr + 8 * RDI));
  const start = index + cpu.state.big(S.segmentBase + 8 * instruction.segment);
  for (let i = 0; i < 8; i++) {
    if ((mask.u8[i]! & 0x80) === 0) continue;
    const address = BigInt.asUintN(instruction.mode === 64 ? 64 : 32, start + BigInt(i));
    cpu.store(Number(address & 0xffff_ffffn) | 0, Number(address >> 32n) | 0, 1, data.u8[i]!, 0);
  }
}

/** Instructions whose target is not an MMX register. */
const OUTWARD: Readonly<Record<string, HostOperation>> = {
  MOVNTQ: moveOut,
  MASKMOVQ: maskedStore,
  PMOVMSKB: (cpu, instruction) => {
    const quad = readQuad(cpu, instruction, instruction.operands[1]);
    let bits = 0;
    for (let i = 0; i < 8; i++) bits |= (quad.u8[i]! >> 7) << i;
    setGeneral(cpu, instruction.operands[0].register, bits);
  },
  PEXTRW: (cpu, instruction) => {
    const quad = readQuad(cpu, instruction, instruction.operands[1]);
    setGeneral(cpu, instruction.operands[0].register, quad.u16[lastImmediate(instruction) & 3]!);
  },
  MOVQ2DQ: (cpu, instruction) => {
    const quad = readQuad(cpu, instruction, instruction.operands[1]);
    const row = S.vector + 32 * instruction.operands[0].register;
    cpu.state.set(row, quad.i32[0]!, quad.i32[1]!);
    cpu.state.set(row + 8, 0, 0);
  },
};

/** The MMX form of any instruction that has one. */
export const mmxOperation: HostOperation = (cpu, instruction) => {
  enterMmx(cpu);
  const [target, source] = instruction.operands;
  const name = instruction.form.operation;
  const outward = OUTWARD[name] ?? (target.kind === OperandKind.Mmx ? undefined : moveOut);
  if (outward) {
    outward(cpu, instruction);
  } else {
    const result = new Quad();
    const x = readQuad(cpu, instruction, target);
    FUNCTIONS[name]!(result, x, readQuad(cpu, instruction, source), lastImmediate(instruction));
    writeMmx(cpu, target.register, result);
  }
  markMmxUsed(cpu);
};

export const mmxOperations: OperationTable = {
  EMMS: {
    host: (cpu) => {
      enterMmx(cpu);
      markMmxUsed(cpu);
      cpu.state.setLow(S.fpuTag, 0);
    },
  },
};
