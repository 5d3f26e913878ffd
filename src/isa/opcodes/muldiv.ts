import type { Row } from './row.ts';

/** Multiplication and division. */
export const muldiv: readonly Row[] = [
  ['F6 /6', 'DIV r/m8'],
  ['F7 /6', 'DIV r/mv'],
  ['F6 /7', 'IDIV r/m8'],
  ['F7 /7', 'IDIV r/mv'],
  ['F6 /5', 'IMUL r/m8'],
  ['F7 /5', 'IMUL r/mv'],
  ['0F AF /r', 'IMUL rv, r/mv'],
  ['6B /r', 'IMUL rv, r/mv, simm8'],
  ['69 /r', 'IMUL rv, r/mv, immz'],
  ['F6 /4', 'MUL r/m8'],
  ['F7 /4', 'MUL r/mv'],
  ['VEX.LZ.F2.0F38 F6 /r', 'MULX ry, ry, r/my', 'BMI2'],
];
