/** Packed integer arithmetic, logic, comparison and shifts on XMM registers; MMX forms of the same names go to `mmx.ts`. */
import { mmxOperation } from './mmx.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import { readAligned, splat, type VectorEmit, vector } from './vector-operand.ts';

/** target = change(target, source) */
const binary = (change: (b: Sem, target: Val, source: Val) => Val): Operation =>
  vector((b, target, source) => target.write(change(b, target.read(), readAligned(b, source))), mmxOperation);

const plain = (name: string): Operation => binary((b, x, y) => b.op(name, x, y));
const swapped = (name: string): Operation => binary((b, x, y) => b.op(name, y, x));
const unary = (name: string): Operation =>
  vector((b, target, source) => target.write(b.op(name, readAligned(b, source))), mmxOperation);

const andNot: Operation = swapped('v128.andnot');

const EVEN_WORDS = [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29];
const ODD_WORDS = EVEN_WORDS.map((lane) => lane + 2);
const EVEN_DWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const ODD_DWORDS = EVEN_DWORDS.map((lane) => lane + 4);

/** The high halves of the 16 x 16 bit products. */
const multiplyHigh = (sign: 's' | 'u'): Operation =>
  binary((b, x, y) =>
    b.shuffle(b.op(`i32x4.extmul_low_i16x8_${sign}`, x, y), b.op(`i32x4.extmul_high_i16x8_${sign}`, x, y), ODD_WORDS),
  );

/** Dwords 0 and 2 multiplied to 64 bits. */
const multiplyEven = (sign: 's' | 'u'): Operation =>
  binary((b, x, y) =>
    b.op(`i64x2.extmul_low_i32x4_${sign}`, b.shuffle(x, x, EVEN_DWORDS), b.shuffle(y, y, EVEN_DWORDS)),
  );

const multiplyHighRounded = binary((b, x, y) => {
  // wasm saturates -32768 * -32768 to 32767 where x86 gives 0x8000
  const lowest = splat(b, 2, 0x8000);
  const both = b.op('v128.and', b.op('i16x8.eq', x, lowest), b.op('i16x8.eq', y, lowest));
  return b.op('v128.xor', b.op('i16x8.q15mulr_sat_s', x, y), both);
});

/** PMADDUBSW: unsigned bytes of the target times signed bytes of the source, neighbours added with saturation. */
const multiplyAddBytes = binary((b, x, y) => {
  const even = b.op(
    'i16x8.mul',
    b.op('v128.and', x, splat(b, 2, 0xff)),
    b.op('i16x8.shr_s', b.op('i16x8.shl', y, b.i32(8)), b.i32(8)),
  );
  const odd = b.op('i16x8.mul', b.op('i16x8.shr_u', x, b.i32(8)), b.op('i16x8.shr_s', y, b.i32(8)));
  return b.op('i16x8.add_sat_s', even, odd);
});

const sumOfDifferences = binary((b, x, y) => {
  const difference = b.op('i8x16.sub', b.op('i8x16.max_u', x, y), b.op('i8x16.min_u', x, y));
  const dwords = b.op('i32x4.extadd_pairwise_i16x8_u', b.op('i16x8.extadd_pairwise_i8x16_u', difference));
  return b.op('i64x2.add', b.op('v128.and', dwords, splat(b, 8, 0xffff_ffff)), b.op('i64x2.shr_u', dwords, b.i32(32)));
});

/** PHADD and PHSUB: even lanes of target:source combined with their odd neighbours. */
const horizontal = (name: string): Operation => {
  const [even, odd] = name.startsWith('i16') ? [EVEN_WORDS, ODD_WORDS] : [EVEN_DWORDS, ODD_DWORDS];
  return binary((b, x, y) => b.op(name, b.shuffle(x, y, even), b.shuffle(x, y, odd)));
};

/** PSIGN: negated where the source is negative, zero where it is zero. */
const sign = (shape: 'i8x16' | 'i16x8' | 'i32x4', laneBytes: 1 | 2 | 4): Operation =>
  binary((b, x, y) => {
    const zero = splat(b, laneBytes, 0);
    const signed = b.op('v128.bitselect', b.op(`${shape}.neg`, x), x, b.op(`${shape}.lt_s`, y, zero));
    return b.op('v128.andnot', signed, b.op(`${shape}.eq`, y, zero));
  });

/** The count of a shift: an immediate, or the low 64 bits of a register or of an aligned memory operand; limited to `limit` + 1. */
function shiftCount(b: Sem, source: Place, limit: number): Val {
  if (source.kind === 'immediate') {
    const count = b.wrap(source.read());
    return b.select(b.gtU(count, b.i32(limit)), b.i32(limit + 1), count);
  }
  const count = b.lane('i64x2.extract_lane', 0, readAligned(b, source));
  return b.select(b.gtU(count, b.i64(limit)), b.i32(limit + 1), b.wrap(count));
}

const SHAPES = { 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const;

/** Counts beyond the lane give zero. */
const shiftLogical = (direction: 'shl' | 'shr_u', bits: 16 | 32 | 64): Operation =>
  vector((b, target, source) => {
    const count = shiftCount(b, source, bits - 1);
    const kept = b.op('i64x2.splat', b.extendS(b.sub(b.geU(count, b.i32(bits)), b.i32(1))));
    target.write(b.op('v128.and', b.op(`${SHAPES[bits]}.${direction}`, target.read(), count), kept));
  }, mmxOperation);

/** Counts beyond the lane give the sign. */
const shiftArithmetic = (bits: 16 | 32): Operation =>
  vector((b, target, source) => {
    const count = shiftCount(b, source, bits - 2);
    target.write(b.op(`${SHAPES[bits]}.shr_s`, target.read(), count));
  }, mmxOperation);

/** PTEST: ZF = no bit in common, CF = no bit of the source outside the target; of all bits, or of those in `within`. */
export const testBits =
  (halves: (b: Sem, place: Place) => readonly Val[], within?: (b: Sem) => Val): VectorEmit =>
  (b, target, source) => {
    const ys = halves(b, source!);
    const xs = halves(b, target!);
    const none = (name: string): Val => {
      const found = xs.map((x, i) => b.op(name, ys[i]!, x)).reduce((all, each) => b.op('v128.or', all, each));
      return b.eqz(b.op('v128.any_true', within === undefined ? found : b.op('v128.and', found, within(b))));
    };
    const zero = b.i32(0);
    b.flagsSet({ ZF: none('v128.and'), CF: none('v128.andnot'), OF: zero, SF: zero, AF: zero, PF: zero });
  };

/** PHMINPOSUW: the least unsigned word and, above it, where it was first. */
const minimumPosition = vector((b, target, source) => {
  const words = readAligned(b, source);
  let least: Val | undefined;
  for (let i = 0; i < 8; i++) {
    const keyed = b.or(b.shl(b.lane('i16x8.extract_lane_u', i, words), 3), b.i32(i));
    least = least === undefined ? keyed : b.select(b.ltU(keyed, least), keyed, least);
  }
  const packed = b.or(b.shrU(least!, 3), b.shl(b.and(least!, b.i32(7)), 16));
  target.write(b.lane('i32x4.replace_lane', 0, splat(b, 4, 0), packed));
});

export const sseIntegerOperations: OperationTable = {
  PADDB: plain('i8x16.add'),
  PADDW: plain('i16x8.add'),
  PADDD: plain('i32x4.add'),
  PADDQ: plain('i64x2.add'),
  PSUBB: plain('i8x16.sub'),
  PSUBW: plain('i16x8.sub'),
  PSUBD: plain('i32x4.sub'),
  PSUBQ: plain('i64x2.sub'),
  PADDSB: plain('i8x16.add_sat_s'),
  PADDSW: plain('i16x8.add_sat_s'),
  PADDUSB: plain('i8x16.add_sat_u'),
  PADDUSW: plain('i16x8.add_sat_u'),
  PSUBSB: plain('i8x16.sub_sat_s'),
  PSUBSW: plain('i16x8.sub_sat_s'),
  PSUBUSB: plain('i8x16.sub_sat_u'),
  PSUBUSW: plain('i16x8.sub_sat_u'),
  PAVGB: plain('i8x16.avgr_u'),
  PAVGW: plain('i16x8.avgr_u'),
  PMINUB: plain('i8x16.min_u'),
  PMAXUB: plain('i8x16.max_u'),
  PMINSB: plain('i8x16.min_s'),
  PMAXSB: plain('i8x16.max_s'),
  PMINUW: plain('i16x8.min_u'),
  PMAXUW: plain('i16x8.max_u'),
  PMINSW: plain('i16x8.min_s'),
  PMAXSW: plain('i16x8.max_s'),
  PMINUD: plain('i32x4.min_u'),
  PMAXUD: plain('i32x4.max_u'),
  PMINSD: plain('i32x4.min_s'),
  PMAXSD: plain('i32x4.max_s'),
  PABSB: unary('i8x16.abs'),
  PABSW: unary('i16x8.abs'),
  PABSD: unary('i32x4.abs'),
  PSIGNB: sign('i8x16', 1),
  PSIGNW: sign('i16x8', 2),
  PSIGND: sign('i32x4', 4),
  PMULLW: plain('i16x8.mul'),
  PMULLD: plain('i32x4.mul'),
  PMULHW: multiplyHigh('s'),
  PMULHUW: multiplyHigh('u'),
  PMULHRSW: multiplyHighRounded,
  PMULUDQ: multiplyEven('u'),
  PMULDQ: multiplyEven('s'),
  PMADDWD: plain('i32x4.dot_i16x8_s'),
  PMADDUBSW: multiplyAddBytes,
  PSADBW: sumOfDifferences,
  PHADDW: horizontal('i16x8.add'),
  PHADDD: horizontal('i32x4.add'),
  PHADDSW: horizontal('i16x8.add_sat_s'),
  PHSUBW: horizontal('i16x8.sub'),
  PHSUBD: horizontal('i32x4.sub'),
  PHSUBSW: horizontal('i16x8.sub_sat_s'),
  PHMINPOSUW: minimumPosition,

  PAND: plain('v128.and'),
  PANDN: andNot,
  POR: plain('v128.or'),
  PXOR: plain('v128.xor'),
  ANDPS: plain('v128.and'),
  ANDPD: plain('v128.and'),
  ANDNPS: andNot,
  ANDNPD: andNot,
  ORPS: plain('v128.or'),
  ORPD: plain('v128.or'),
  XORPS: plain('v128.xor'),
  XORPD: plain('v128.xor'),
  PTEST: vector(testBits((b, place) => [readAligned(b, place)])),

  PCMPEQB: plain('i8x16.eq'),
  PCMPEQW: plain('i16x8.eq'),
  PCMPEQD: plain('i32x4.eq'),
  PCMPEQQ: plain('i64x2.eq'),
  PCMPGTB: plain('i8x16.gt_s'),
  PCMPGTW: plain('i16x8.gt_s'),
  PCMPGTD: plain('i32x4.gt_s'),
  PCMPGTQ: plain('i64x2.gt_s'),

  PSLLW: shiftLogical('shl', 16),
  PSLLD: shiftLogical('shl', 32),
  PSLLQ: shiftLogical('shl', 64),
  PSRLW: shiftLogical('shr_u', 16),
  PSRLD: shiftLogical('shr_u', 32),
  PSRLQ: shiftLogical('shr_u', 64),
  PSRAW: shiftArithmetic(16),
  PSRAD: shiftArithmetic(32),
};
