/** Moves between XMM registers, general registers and memory (SDM Vol. 1, chapters 10 to 12: data transfer instructions). */
import type { HostOperation } from '../processor.ts';
import { S } from '../state.ts';
import { mmxOperation } from './mmx.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import { halvesOf, ramp, readAligned, readZeroExtended, vector, writeAligned } from './vector-operand.ts';

const aligned = vector((b, target, source) => {
  if (target.kind === 'memory') writeAligned(b, target, source.read());
  else target.write(readAligned(b, source));
});

const unaligned = vector((_b, target, source) => target.write(source.read()));

/** MOVD and MOVQ: the low 4 or 8 bytes; a vector target is zeroed above them. */
const lowDword = (b: Sem, target: Place, source: Place): void => {
  if (target.kind !== 'xmm') target.writeLow(source.readLow(target.width === 64 ? 'i64' : 'i32'));
  else if (source.kind === 'xmm') target.write(b.lane('i64x2.replace_lane', 1, source.read(), b.i64(0)));
  else target.write(readZeroExtended(b, source));
};

/** MOVSS and MOVSD: a register source replaces the low lane only, a memory source zeroes the rest. */
const scalar = (type: 'i32' | 'i64'): Operation =>
  vector((b, target, source) => {
    if (source.kind === 'memory') target.write(readZeroExtended(b, source));
    else target.writeLow(source.readLow(type));
  });

const lowHalf = vector((_b, target, source) => target.writeLow(source.readLow('i64')));

const highHalf = vector((b, target, source) => {
  if (target.kind === 'memory') target.writeLow(b.lane('i64x2.extract_lane', 1, source.read()));
  else target.write(b.lane('i64x2.replace_lane', 1, target.read(), source.readLow('i64')));
});

/** A small non-negative result into a general register of 32 or 64 bits, or memory as wide as its operand. */
function writeInteger(b: Sem, target: Place, value: Val): void {
  target.write(target.width === 64 ? b.extendU(value) : value);
}

/** The sign of each lane, as bits; of a register of either length. */
const mask = (name: string, lanes: number): Operation =>
  vector((b, target, source) => {
    const [lower, upper] = halvesOf(b, source).map((half) => b.op(name, half));
    writeInteger(b, target, upper === undefined ? lower! : b.or(lower!, b.shl(upper, lanes)));
  }, mmxOperation);

const LANES = {
  B: { bytes: 1, splat: 'i8x16.splat', eq: 'i8x16.eq' },
  W: { bytes: 2, splat: 'i16x8.splat', eq: 'i16x8.eq' },
  D: { bytes: 4, splat: 'i32x4.splat', eq: 'i32x4.eq' },
  Q: { bytes: 8, splat: 'i64x2.splat', eq: 'i64x2.eq' },
} as const;

/** The lane number of an immediate, modulo the number of lanes. */
const laneNumber = (b: Sem, immediate: Place, laneBytes: number): Val =>
  b.and(immediate.read(), b.i32(16 / laneBytes - 1));

const insert = (size: keyof typeof LANES): Operation =>
  vector((b, target, source, immediate) => {
    const { bytes, splat: spread, eq } = LANES[size];
    const lane = laneNumber(b, immediate!, bytes);
    const here = b.op(eq, b.op(spread, size === 'Q' ? b.extendU(lane) : lane), ramp(b, bytes));
    const value = source.read();
    target.write(b.op('v128.bitselect', b.op(spread, size === 'Q' ? value : b.wrap(value)), target.read(), here));
  }, mmxOperation);

/** Brings the chosen lane to the bottom. */
function laneToBottom(b: Sem, source: Place, immediate: Place, laneBytes: number): Val {
  const firstByte = b.mul(laneNumber(b, immediate, laneBytes), b.i32(laneBytes));
  return b.op('i8x16.swizzle', source.read(), b.op('i8x16.add', b.op('i8x16.splat', firstByte), ramp(b, 1)));
}

const extract = (laneBytes: 1 | 2 | 4 | 8, name: string): Operation =>
  vector((b, target, source, immediate) => {
    const value = b.lane(name, 0, laneToBottom(b, source, immediate!, laneBytes));
    if (value.type === 'i64') target.write(value);
    else writeInteger(b, target, value);
  }, mmxOperation);

/** INSERTPS: count_s picks the source lane (register form), count_d the target lane, zmask clears. */
const insertPs = vector((b, target, source, immediate) => {
  const control = immediate!.read();
  const value =
    source.kind === 'memory'
      ? source.readLow('i32')
      : b.lane(
          'i32x4.extract_lane',
          0,
          b.op(
            'i8x16.swizzle',
            source.read(),
            b.op('i8x16.add', b.op('i8x16.splat', b.and(b.shrU(control, 4), b.i32(12))), ramp(b, 1)),
          ),
        );
  const targetLane = b.and(b.shrU(control, 4), b.i32(3));
  const here = b.op('i32x4.eq', b.op('i32x4.splat', targetLane), ramp(b, 4));
  const merged = b.op('v128.bitselect', b.op('i32x4.splat', value), target.read(), here);
  target.write(b.op('v128.andnot', merged, laneMask(b, 4, control)));
});

/** All ones in each lane whose bit of the immediate is set. */
export function laneMask(b: Sem, laneBytes: 2 | 4 | 8, bits: Val): Val {
  const count = 16 / laneBytes;
  const bitOfLane = b.v128(
    Array.from({ length: 16 }, (_, byte) => (byte % laneBytes === 0 ? 1 << Math.floor(byte / laneBytes) : 0)),
  );
  const shape = { 2: 'i16x8', 4: 'i32x4', 8: 'i64x2' }[laneBytes];
  const low = b.and(bits, b.i32((1 << count) - 1));
  const all = b.op(`${shape}.splat`, laneBytes === 8 ? b.extendU(low) : low);
  return b.op(`${shape}.eq`, b.op('v128.and', all, bitOfLane), bitOfLane);
}

/** PMOVSX and PMOVZX: each step doubles the lanes' width. */
const extendLanes = (steps: readonly string[]): Operation =>
  vector((b, target, source) =>
    target.write(steps.reduce((value, step) => b.op(step, value), readZeroExtended(b, source))),
  );

const EXTENSIONS: OperationTable = Object.fromEntries(
  (['s', 'u'] as const).flatMap((sign) => {
    const name = sign === 's' ? 'PMOVSX' : 'PMOVZX';
    const bw = `i16x8.extend_low_i8x16_${sign}`;
    const wd = `i32x4.extend_low_i16x8_${sign}`;
    const dq = `i64x2.extend_low_i32x4_${sign}`;
    return [
      [`${name}BW`, extendLanes([bw])],
      [`${name}BD`, extendLanes([bw, wd])],
      [`${name}BQ`, extendLanes([bw, wd, dq])],
      [`${name}WD`, extendLanes([wd])],
      [`${name}WQ`, extendLanes([wd, dq])],
      [`${name}DQ`, extendLanes([dq])],
    ];
  }),
);

const RDI = 7;
const DS = 3;

/** MASKMOVDQU: stores at DS:(E)DI, or the overriding segment, the bytes whose mask bit 7 is set. */
const maskedStore: HostOperation = (cpu, instruction) => {
  const [first, second, third] = instruction.operands;
  const [data, maskOperand] = instruction.operandCount === 3 ? [second, third] : [first, second];
  const { u8 } = cpu.memory;
  const vectorRow = cpu.state.base + S.vector;
  const segmentBase = S.segmentBase + 8 * (instruction.segment >= 0 ? instruction.segment : DS);
  const index = cpu.state.big(S.gpr + 8 * RDI);
  const start =
    (instruction.addressSize === 64 ? index : BigInt.asUintN(instruction.addressSize, index)) +
    cpu.state.big(segmentBase);
  for (let i = 0; i < 16; i++) {
    if ((u8[vectorRow + 32 * maskOperand.register + i]! & 0x80) === 0) continue;
    const address = BigInt.asUintN(instruction.mode === 64 ? 64 : 32, start + BigInt(i));
    const high = Number(address >> 32n) | 0;
    cpu.store(Number(address & 0xffff_ffffn) | 0, high, 1, u8[vectorRow + 32 * data.register + i]!, 0);
  }
};

export const sseMoveOperations: OperationTable = {
  MOVAPS: aligned,
  MOVAPD: aligned,
  MOVDQA: aligned,
  MOVNTDQ: aligned,
  MOVNTPS: aligned,
  MOVNTPD: aligned,
  MOVNTDQA: aligned,
  MOVUPS: unaligned,
  MOVUPD: unaligned,
  MOVDQU: unaligned,
  LDDQU: unaligned,
  MOVNTI: { emit: (_b, target, source) => target!.write(source!.read()) },
  MOVNTQ: { host: mmxOperation },
  MOVD: vector(lowDword, mmxOperation),
  MOVQ: vector(lowDword, mmxOperation),
  MOVQ2DQ: { host: mmxOperation },
  MOVDQ2Q: { host: mmxOperation },
  MOVSS: scalar('i32'),
  MOVSD: scalar('i64'),
  MOVLPS: lowHalf,
  MOVLPD: lowHalf,
  MOVHPS: highHalf,
  MOVHPD: highHalf,
  MOVLHPS: highHalf,
  MOVHLPS: vector((b, target, source) => target.writeLow(b.lane('i64x2.extract_lane', 1, source.read()))),
  MOVSHDUP: vector((b, target, source) => {
    const value = readAligned(b, source);
    target.write(b.shuffle(value, value, [4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15]));
  }),
  MOVSLDUP: vector((b, target, source) => {
    const value = readAligned(b, source);
    target.write(b.shuffle(value, value, [0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11]));
  }),
  MOVDDUP: vector((b, target, source) => target.write(b.op('i64x2.splat', source.readLow('i64')))),
  MOVMSKPS: mask('i32x4.bitmask', 4),
  MOVMSKPD: mask('i64x2.bitmask', 2),
  PMOVMSKB: mask('i8x16.bitmask', 16),
  MASKMOVDQU: { host: maskedStore },
  MASKMOVQ: { host: mmxOperation },
  PINSRB: insert('B'),
  PINSRW: insert('W'),
  PINSRD: insert('D'),
  PINSRQ: insert('Q'),
  PEXTRB: extract(1, 'i8x16.extract_lane_u'),
  PEXTRW: extract(2, 'i16x8.extract_lane_u'),
  PEXTRD: extract(4, 'i32x4.extract_lane'),
  PEXTRQ: extract(8, 'i64x2.extract_lane'),
  EXTRACTPS: extract(4, 'i32x4.extract_lane'),
  INSERTPS: insertPs,
  ...EXTENSIONS,
  LDMXCSR: {
    emit: (b, source) => {
      const value = source!.read();
      b.if(b.shrU(value, 16), () => b.raise(13, 0));
      b.setState(S.mxcsr, value);
    },
  },
  STMXCSR: { emit: (b, target) => target!.write(b.state(S.mxcsr, 'i32')) },
};
