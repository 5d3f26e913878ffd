/** AVX and AVX2 instructions that move elements within and across the halves of a register, and shifts by elements. */
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import { laneMask } from './sse-move.ts';
import { dwordSelectors } from './sse-shuffle.ts';
import { halvesOf, lanes, splat } from './vector-operand.ts';
import { writeHalves } from './vex.ts';

const bothIf = (target: Place, half: Val): readonly Val[] => (target.width === 256 ? [half, half] : [half]);

/** The lowest element of a register, or an element in memory, to all places. */
const broadcast = (elementBytes: 1 | 2 | 4 | 8): Operation => ({
  emit: (b, target, source) => {
    const shape = { 1: 'i8x16', 2: 'i16x8', 4: 'i32x4', 8: 'i64x2' }[elementBytes];
    const value =
      source!.kind === 'memory'
        ? source!.read()
        : b.lane(`${shape}.extract_lane${elementBytes < 4 ? '_u' : ''}`, 0, source!.read());
    writeHalves(b, target!, bothIf(target!, b.op(`${shape}.splat`, value)));
  },
});

const broadcastHalf: Operation = {
  emit: (b, target, source) => {
    const half = source!.read();
    writeHalves(b, target!, [half, half]);
  },
};

/** One of the 16-byte halves `values`, by the low bits of `number`. */
function chooseHalf(b: Sem, number: Val, values: readonly Val[]): Val {
  return values.reduce((chosen, value, i) => (i === 0 ? value : b.select(b.eq(number, b.i32(i)), value, chosen)));
}

const insertHalf: Operation = {
  emit: (b, target, first, source, immediate) => {
    const inserted = halvesOf(b, source!)[0]!;
    const [lower, upper] = halvesOf(b, first!);
    const high = b.and(b.wrap(immediate!.read()), b.i32(1));
    writeHalves(b, target!, [b.select(high, lower!, inserted), b.select(high, inserted, upper!)]);
  },
};

const extractHalf: Operation = {
  emit: (b, target, source, immediate) => {
    const half = chooseHalf(b, b.and(b.wrap(immediate!.read()), b.i32(1)), halvesOf(b, source!));
    if (target!.kind === 'memory') target!.write(half);
    else writeHalves(b, target!, [half]);
  },
};

/** VPERM2F128: each half of the target is any half of the two sources, or zero. */
const permuteHalves: Operation = {
  emit: (b, target, first, source, immediate) => {
    const control = b.wrap(immediate!.read());
    const seconds = halvesOf(b, source!);
    const sources = [...halvesOf(b, first!), ...seconds];
    const half = (shift: number): Val => {
      const field = b.shrU(control, shift);
      const zeroes = b.and(b.shrU(field, 3), b.i32(1));
      const kept = b.op('i64x2.splat', b.extendS(b.sub(zeroes, b.i32(1))));
      return b.op('v128.and', chooseHalf(b, b.and(field, b.i32(3)), sources), kept);
    };
    writeHalves(b, target!, [half(0), half(4)]);
  },
};

/** Byte numbers within 32 bytes to bytes: `i8x16.swizzle` gives zero for those outside its 16. */
function swizzleHalves(b: Sem, [lower, upper]: readonly Val[], numbers: Val): Val {
  const inUpper = b.op('i8x16.sub', numbers, splat(b, 1, 16));
  return b.op('v128.or', b.op('i8x16.swizzle', lower!, numbers), b.op('i8x16.swizzle', upper!, inUpper));
}

/** VPERMD and VPERMPS: each dword is the one of the second source that the first source's low three bits name. */
const permuteDwords: Operation = {
  emit: (b, target, numbers, source) => {
    const values = halvesOf(b, source!);
    const bytes = halvesOf(b, numbers!).map((half) => {
      const number = b.op('v128.and', half, splat(b, 4, 7));
      return b.op('i32x4.add', b.op('i32x4.mul', number, splat(b, 4, 0x0404_0404)), splat(b, 4, 0x0302_0100));
    });
    writeHalves(
      b,
      target!,
      bytes.map((each) => swizzleHalves(b, values, each)),
    );
  },
};

/** VPERMQ and VPERMPD: each quadword is the one that two bits of the immediate name. */
const permuteQuads: Operation = {
  emit: (b, target, source, immediate) => {
    const values = halvesOf(b, source!);
    const control = b.wrap(immediate!.read());
    const half = (shift: number): Val => {
      const number = (at: number): Val => b.mul(b.and(b.shrU(control, shift + at), b.i32(3)), b.i32(8));
      const first = b.op('i8x16.splat', number(0));
      const second = b.op('i8x16.splat', number(2));
      const firsts = b.shuffle(first, second, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      return swizzleHalves(
        b,
        values,
        b.op('i8x16.add', firsts, lanes(b, 1, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7])),
      );
    };
    writeHalves(b, target!, [half(0), half(4)]);
  },
};

/** VPERMILPS: dwords chosen within their half, by an immediate (the same for both) or by the low bits of the second source. */
const permuteSinglesInHalf: Operation = {
  emit: (b, target, source, control) => {
    const values = halvesOf(b, source!);
    const bytes =
      control!.kind === 'immediate'
        ? values.map(() => dwordSelectors(b, b.wrap(control!.read())))
        : halvesOf(b, control!).map((half) => {
            const number = b.op('v128.and', half, splat(b, 4, 3));
            return b.op('i32x4.add', b.op('i32x4.mul', number, splat(b, 4, 0x0404_0404)), splat(b, 4, 0x0302_0100));
          });
    writeHalves(
      b,
      target!,
      values.map((value, i) => b.op('i8x16.swizzle', value, bytes[i]!)),
    );
  },
};

/** VPERMILPD: quadwords chosen within their half, by a bit each of an immediate, or by bit 1 of the second source's quadwords. */
const permuteDoublesInHalf: Operation = {
  emit: (b, target, source, control) => {
    const values = halvesOf(b, source!);
    const upperChosen =
      control!.kind === 'immediate'
        ? values.map((_, i) => laneMask(b, 8, b.shrU(b.wrap(control!.read()), 2 * i)))
        : halvesOf(b, control!).map((half) => b.op('i64x2.shr_s', b.op('i64x2.shl', half, b.i32(62)), b.i32(63)));
    writeHalves(
      b,
      target!,
      values.map((value, i) => {
        const lower = b.shuffle(value, value, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
        const upper = b.shuffle(value, value, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
        return b.op('v128.bitselect', upper, lower, upperChosen[i]!);
      }),
    );
  },
};

const blendDwords: Operation = {
  emit: (b, target, first, source, immediate) => {
    const ys = halvesOf(b, source!);
    const control = b.wrap(immediate!.read());
    writeHalves(
      b,
      target!,
      halvesOf(b, first!).map((x, i) => b.op('v128.bitselect', ys[i]!, x, laneMask(b, 4, b.shrU(control, 4 * i)))),
    );
  },
};

/** Each element shifted by the count in its own place; counts beyond the element give zero, or the sign. */
const shiftElements = (direction: 'shl' | 'shr_u' | 'shr_s', bits: 32 | 64): Operation => ({
  emit: (b, target, source, counts) => {
    const shape = bits === 32 ? 'i32x4' : 'i64x2';
    const type = bits === 32 ? 'i32' : 'i64';
    const ys = halvesOf(b, counts!);
    const shifted = halvesOf(b, source!).map((x, i) => {
      let result = x;
      for (let lane = 0; lane < 128 / bits; lane++) {
        const value = b.lane(`${shape}.extract_lane`, lane, x);
        const count = b.lane(`${shape}.extract_lane`, lane, ys[i]!);
        const limit = b.int(bits, bits - 1);
        const beyond = b.gtU(count, limit);
        const moved =
          direction === 'shr_s'
            ? b.shrS(value, b.select(beyond, limit, count))
            : b.select(beyond, b.int(bits, 0), b.op(`${type}.${direction}`, value, count));
        result = b.lane(`${shape}.replace_lane`, lane, result, moved);
      }
      return result;
    });
    writeHalves(b, target!, shifted);
  },
});

export const permuteOperations: OperationTable = {
  VBROADCASTSS: broadcast(4),
  VBROADCASTSD: broadcast(8),
  VBROADCASTF128: broadcastHalf,
  VBROADCASTI128: broadcastHalf,
  VPBROADCASTB: broadcast(1),
  VPBROADCASTW: broadcast(2),
  VPBROADCASTD: broadcast(4),
  VPBROADCASTQ: broadcast(8),
  VINSERTF128: insertHalf,
  VINSERTI128: insertHalf,
  VEXTRACTF128: extractHalf,
  VEXTRACTI128: extractHalf,
  VPERM2F128: permuteHalves,
  VPERM2I128: permuteHalves,
  VPERMD: permuteDwords,
  VPERMPS: permuteDwords,
  VPERMQ: permuteQuads,
  VPERMPD: permuteQuads,
  VPERMILPS: permuteSinglesInHalf,
  VPERMILPD: permuteDoublesInHalf,
  VPBLENDD: blendDwords,
  VPSLLVD: shiftElements('shl', 32),
  VPSLLVQ: shiftElements('shl', 64),
  VPSRLVD: shiftElements('shr_u', 32),
  VPSRLVQ: shiftElements('shr_u', 64),
  VPSRAVD: shiftElements('shr_s', 32),
};
