import type { Row } from './row.ts';

/** Bit test, scan, count, extraction, CRC32. */
export const bit: readonly Row[] = [
  ['VEX.LZ.0F38 F2 /r', 'ANDN ry, ry, r/my', 'BMI1'],
  ['VEX.LZ.0F38 F7 /r', 'BEXTR ry, r/my, ry', 'en:RMV BMI1'],
  ['VEX.LZ.0F38 F3 /3', 'BLSI ry, r/my', 'en:VM BMI1'],
  ['VEX.LZ.0F38 F3 /2', 'BLSMSK ry, r/my', 'en:VM BMI1'],
  ['VEX.LZ.0F38 F3 /1', 'BLSR ry, r/my', 'en:VM BMI1'],
  ['0F BC /r', 'BSF rv, r/mv'],
  ['0F BD /r', 'BSR rv, r/mv'],
  ['0F A3 /r', 'BT r/mv, rv'],
  ['0F BA /4', 'BT r/mv, imm8'],
  ['0F BB /r', 'BTC r/mv, rv', 'lock'],
  ['0F BA /7', 'BTC r/mv, imm8', 'lock'],
  ['0F B3 /r', 'BTR r/mv, rv', 'lock'],
  ['0F BA /6', 'BTR r/mv, imm8', 'lock'],
  ['0F AB /r', 'BTS r/mv, rv', 'lock'],
  ['0F BA /5', 'BTS r/mv, imm8', 'lock'],
  ['VEX.LZ.0F38 F5 /r', 'BZHI ry, r/my, ry', 'en:RMV BMI2'],
  ['F2 0F 38 F0 /r', 'CRC32 ry, r/m8', 'SSE4_2'],
  ['F2 0F 38 F1 /r', 'CRC32 ry, r/mv', 'SSE4_2'],
  ['F3 0F BD /r', 'LZCNT rv, r/mv', 'LZCNT'],
  ['VEX.LZ.F2.0F38 F5 /r', 'PDEP ry, ry, r/my', 'BMI2'],
  ['VEX.LZ.F3.0F38 F5 /r', 'PEXT ry, ry, r/my', 'BMI2'],
  ['F3 0F B8 /r', 'POPCNT rv, r/mv', 'POPCNT'],
  ['F3 0F BC /r', 'TZCNT rv, r/mv', 'BMI1'],
];
