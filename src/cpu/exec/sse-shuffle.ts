/** Shuffles, unpacks, packs, blends and byte shifts on XMM registers. Immediates are data: the same code serves all of them. */
import { mmxOperation } from './mmx.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';
import { laneMask } from './sse-move.ts';
import { lanes, ramp, readAligned, splat, vector } from './vector-operand.ts';

/** target = change(target, source, immediate) */
const mixed = (change: (b: Sem, target: Val, source: Val, immediate: Val) => Val): Operation =>
  vector((b, target, source, immediate) => {
    const control = immediate === undefined ? b.i32(0) : b.wrap(immediate.read());
    target.write(change(b, target.read(), readAligned(b, source), control));
  }, mmxOperation);

const fixed = (laneNumbers: readonly number[]): Operation => mixed((b, x, y) => b.shuffle(x, y, laneNumbers));

/** Byte numbers of the interleaved low or high halves of two vectors. */
function interleave(laneBytes: number, high: boolean): number[] {
  const first = high ? 8 : 0;
  return Array.from({ length: 16 }, (_, byte) => {
    const lane = Math.floor(byte / laneBytes);
    return first + (lane >> 1) * laneBytes + (byte % laneBytes) + (lane % 2 === 1 ? 16 : 0);
  });
}

const unpack = (laneBytes: number, half: 'low' | 'high'): Operation => fixed(interleave(laneBytes, half === 'high'));

/** Byte numbers for `i8x16.swizzle` from four 2-bit dword numbers packed in `control`. */
export function dwordSelectors(b: Sem, control: Val): Val {
  const shifted = b.op('i32x4.mul', b.op('i32x4.splat', control), lanes(b, 4, [64, 16, 4, 1]));
  const numbers = b.op('v128.and', b.op('i32x4.shr_u', shifted, b.i32(6)), splat(b, 4, 3));
  return b.op('i32x4.add', b.op('i32x4.mul', numbers, splat(b, 4, 0x0404_0404)), splat(b, 4, 0x0302_0100));
}

const shuffleDwords = mixed((b, _x, y, control) => b.op('i8x16.swizzle', y, dwordSelectors(b, control)));

/** PSHUFLW and PSHUFHW: four words chosen within one half, the other half copied. */
const shuffleWords = (half: 'low' | 'high'): Operation =>
  mixed((b, _x, y, control) => {
    const high = half === 'high';
    const factors = [64, 16, 4, 1];
    const shifted = b.op('i16x8.mul', b.op('i16x8.splat', control), lanes(b, 2, [...factors, ...factors]));
    const numbers = b.op('v128.and', b.op('i16x8.shr_u', shifted, b.i32(6)), splat(b, 2, 3));
    const first = high ? 0x0908 : 0x0100;
    const chosen = b.op('i16x8.add', b.op('i16x8.mul', numbers, splat(b, 2, 0x0202)), splat(b, 2, first));
    const inHalf = lanes(b, 8, high ? [0, -1] : [-1, 0]);
    return b.op('i8x16.swizzle', y, b.op('v128.bitselect', chosen, ramp(b, 1), inHalf));
  });

/** SHUFPS: two dwords of the target, then two of the source. */
const shuffleSingles = mixed((b, x, y, control) => {
  const selectors = dwordSelectors(b, control);
  return b.op(
    'v128.bitselect',
    b.op('i8x16.swizzle', x, selectors),
    b.op('i8x16.swizzle', y, selectors),
    lanes(b, 8, [-1, 0]),
  );
});

/** SHUFPD: bit 0 chooses from the target, bit 1 from the source. */
const shuffleDoubles = mixed((b, x, y, control) => {
  const odd = laneMask(b, 8, control);
  const fromLow = b.shuffle(x, y, interleave(8, false));
  const fromHigh = b.shuffle(x, y, interleave(8, true));
  return b.op('v128.bitselect', fromHigh, fromLow, odd);
});

/** PSHUFB: bit 7 of the selector clears, bits 3:0 choose. */
const shuffleBytes = mixed((b, x, y) => b.op('i8x16.swizzle', x, b.op('v128.and', y, splat(b, 1, 0x8f))));

/** Byte numbers 0..15 moved by `offset`; those outside the vector read as zero. */
const movedBytes = (b: Sem, offset: Val): Val => b.op('i8x16.add', ramp(b, 1), b.op('i8x16.splat', offset));

const atMost = (b: Sem, value: Val, limit: number): Val => b.select(b.gtU(value, b.i32(limit)), b.i32(limit), value);

const shiftBytes = (direction: 'left' | 'right'): Operation =>
  vector((b, target, immediate) => {
    const count = atMost(b, b.wrap(immediate.read()), 16);
    const offset = direction === 'left' ? b.neg(count) : count;
    target.write(b.op('i8x16.swizzle', target.read(), movedBytes(b, offset)));
  });

/** PALIGNR: 16 bytes of target:source from byte `control`. */
const alignRight = mixed((b, x, y, control) => {
  const count = atMost(b, control, 32);
  const low = b.op('i8x16.swizzle', y, movedBytes(b, count));
  const high = b.op('i8x16.swizzle', x, movedBytes(b, b.sub(count, b.i32(16))));
  return b.op('v128.or', low, high);
});

const blendImmediate = (laneBytes: 2 | 4 | 8): Operation =>
  mixed((b, x, y, control) => b.op('v128.bitselect', y, x, laneMask(b, laneBytes, control)));

/** The sign of each lane of the mask (the SSE forms': XMM0) chooses. */
const blendVariable = (shape: 'i8x16' | 'i32x4' | 'i64x2', signBit: number): Operation =>
  vector((b, target, source, mask) => {
    const y = readAligned(b, source);
    const chosen = b.op(`${shape}.shr_s`, mask!.read(), b.i32(signBit));
    target.write(b.op('v128.bitselect', y, target.read(), chosen));
  });

/** MPSADBW: eight sums of four absolute differences; bits 1:0 choose the source's dword, bit 2 the target's start. */
const sumsOfDifferences = vector((b, target, source, immediate) => {
  const control = b.wrap(immediate!.read());
  const x = target.read();
  const y = readAligned(b, source);
  const start = b.and(control, b.i32(4));
  const block = b.shl(b.and(control, b.i32(3)), 2);
  const widened = (value: Val): Val => b.op('i16x8.extend_low_i8x16_u', value);
  let sums: Val = splat(b, 2, 0);
  for (let k = 0; k < 4; k++) {
    const moving = widened(b.op('i8x16.swizzle', x, movedBytes(b, b.add(start, b.i32(k)))));
    const still = widened(b.op('i8x16.swizzle', y, b.op('i8x16.splat', b.add(block, b.i32(k)))));
    sums = b.op('i16x8.add', sums, b.op('i16x8.abs', b.op('i16x8.sub', moving, still)));
  }
  target.write(sums);
});

const pack = (name: string): Operation => mixed((b, x, y) => b.op(name, x, y));

export const sseShuffleOperations: OperationTable = {
  PSHUFD: shuffleDwords,
  PSHUFLW: shuffleWords('low'),
  PSHUFHW: shuffleWords('high'),
  PSHUFW: { host: mmxOperation },
  PSHUFB: shuffleBytes,
  SHUFPS: shuffleSingles,
  SHUFPD: shuffleDoubles,
  PUNPCKLBW: unpack(1, 'low'),
  PUNPCKLWD: unpack(2, 'low'),
  PUNPCKLDQ: unpack(4, 'low'),
  PUNPCKLQDQ: unpack(8, 'low'),
  PUNPCKHBW: unpack(1, 'high'),
  PUNPCKHWD: unpack(2, 'high'),
  PUNPCKHDQ: unpack(4, 'high'),
  PUNPCKHQDQ: unpack(8, 'high'),
  UNPCKLPS: unpack(4, 'low'),
  UNPCKHPS: unpack(4, 'high'),
  UNPCKLPD: unpack(8, 'low'),
  UNPCKHPD: unpack(8, 'high'),
  PACKSSWB: pack('i8x16.narrow_i16x8_s'),
  PACKUSWB: pack('i8x16.narrow_i16x8_u'),
  PACKSSDW: pack('i16x8.narrow_i32x4_s'),
  PACKUSDW: pack('i16x8.narrow_i32x4_u'),
  PSLLDQ: shiftBytes('left'),
  PSRLDQ: shiftBytes('right'),
  PALIGNR: alignRight,
  PBLENDW: blendImmediate(2),
  BLENDPS: blendImmediate(4),
  BLENDPD: blendImmediate(8),
  PBLENDVB: blendVariable('i8x16', 7),
  BLENDVPS: blendVariable('i32x4', 31),
  BLENDVPD: blendVariable('i64x2', 63),
  MPSADBW: sumsOfDifferences,
};
