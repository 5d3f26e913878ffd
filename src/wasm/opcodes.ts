/** WebAssembly instruction names and their encodings (WebAssembly Core Specification 2.0, "Instructions", binary format). */

export type WasmType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const TYPE_CODE: Readonly<Record<WasmType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export interface WasmOp {
  /** opcode bytes, prefix included, without immediates */
  readonly bytes: readonly number[];
  readonly result: WasmType;
}

const table = new Map<string, WasmOp>();

const integerCompare = 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'.split(' ');
const floatCompare = 'eq ne lt gt le ge'.split(' ');
const integerArithmetic =
  'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'.split(' ');
const floatArithmetic = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'.split(' ');

function run(first: number, prefix: string, names: readonly string[], result: WasmType): void {
  names.forEach((name, i) => {
    table.set(`${prefix}.${name}`, { bytes: [first + i], result });
  });
}
run(0x45, 'i32', integerCompare, 'i32');
run(0x50, 'i64', integerCompare, 'i32');
run(0x5b, 'f32', floatCompare, 'i32');
run(0x61, 'f64', floatCompare, 'i32');
run(0x67, 'i32', integerArithmetic, 'i32');
run(0x79, 'i64', integerArithmetic, 'i64');
run(0x8b, 'f32', floatArithmetic, 'f32');
run(0x99, 'f64', floatArithmetic, 'f64');
(
  'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s ' +
  'i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u ' +
  'f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 ' +
  'i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s'
)
  .split(' ')
  .forEach((name, i) => {
    table.set(name, { bytes: [0xa7 + i], result: name.slice(0, 3) as WasmType });
  });
'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u'
  .split(' ')
  .forEach((name, i) => {
    table.set(name, { bytes: [0xfc, i], result: name.slice(0, 3) as WasmType });
  });

/** Vector instructions by their number after the 0xFD prefix; runs of consecutive numbers on one line. */
const vector: readonly (readonly [number, string])[] = [
  [14, 'i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [
    21,
    'i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane',
  ],
  [
    27,
    'i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane',
  ],
  [33, 'f64x2.extract_lane f64x2.replace_lane'],
  [35, 'i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u'],
  [45, 'i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u'],
  [55, 'i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u'],
  [65, 'f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge'],
  [77, 'v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true'],
  [94, 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [96, 'i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u'],
  [103, 'f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add i8x16.add_sat_s'],
  [112, 'i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u'],
  [120, 'i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u'],
  [
    126,
    'i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i16x8.abs i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true',
  ],
  [132, 'i16x8.bitmask i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s'],
  [
    137,
    'i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s',
  ],
  [144, 'i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u'],
  [152, 'i16x8.max_s i16x8.max_u'],
  [
    155,
    'i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u',
  ],
  [160, 'i32x4.abs i32x4.neg'],
  [163, 'i32x4.all_true i32x4.bitmask'],
  [167, 'i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u'],
  [171, 'i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add'],
  [177, 'i32x4.sub'],
  [181, 'i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s'],
  [188, 'i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u'],
  [192, 'i64x2.abs i64x2.neg'],
  [195, 'i64x2.all_true i64x2.bitmask'],
  [199, 'i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u'],
  [203, 'i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add'],
  [209, 'i64x2.sub'],
  [213, 'i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s'],
  [220, 'i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u'],
  [224, 'f32x4.abs f32x4.neg'],
  [
    227,
    'f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax f64x2.abs f64x2.neg',
  ],
  [239, 'f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax'],
  [248, 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [
    252,
    'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u',
  ],
];

function vectorResult(name: string): WasmType {
  const [shape, operation] = name.split('.') as [string, string];
  if (/any_true|all_true|bitmask/.test(operation)) return 'i32';
  if (!operation.startsWith('extract_lane')) return 'v128';
  return shape.startsWith('i8') || shape.startsWith('i16') || shape.startsWith('i32')
    ? 'i32'
    : (shape.slice(0, 3) as WasmType);
}
for (const [first, names] of vector)
  names.split(' ').forEach((name, i) => {
    const number = first + i;
    table.set(name, {
      bytes: number < 128 ? [0xfd, number] : [0xfd, (number & 127) | 128, number >> 7],
      result: vectorResult(name),
    });
  });

/** Encoding and result type of an instruction without memory or control immediates. Throws for an unknown name. */
export function wasmOp(name: string): WasmOp {
  const op = table.get(name);
  if (op === undefined) throw new Error(`no WebAssembly instruction is called "${name}"`);
  return op;
}
