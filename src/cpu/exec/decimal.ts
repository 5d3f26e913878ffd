/** Decimal adjustment of AL and AX, which 64-bit mode does not have: AAA, AAD, AAM, AAS, DAA, DAS (SDM Vol. 2). */
import { Register } from './operand.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';

const DIVIDE_ERROR = 0;

const low = (b: Sem): Val => b.gpr(Register.AX, 8);
const high = (b: Sem): Val => b.zeroExtend(b.shrU(b.gpr(Register.AX, 16), 8), 8);
const join = (b: Sem, above: Val, below: Val): Val => b.or(b.shl(above, 8), b.zeroExtend(below, 8));

/** The low digit is none, or its addition carried. */
const needsAdjustment = (b: Sem, digits: Val): Val => b.or(b.gtU(b.and(digits, b.i32(15)), b.i32(9)), b.flag('AF'));

/** DAA, DAS: two packed digits. */
const packed = (direction: 'add' | 'sub'): Operation => ({
  emit: (b) => {
    const digits = low(b);
    const lowAdjusted = needsAdjustment(b, digits);
    const highAdjusted = b.or(b.gtU(digits, b.i32(0x99)), b.flag('CF'));
    const adjustment = b.add(b.mul(lowAdjusted, b.i32(6)), b.mul(highAdjusted, b.i32(0x60)));
    const result = b.zeroExtend(b[direction](digits, adjustment), 8);
    // DAS borrows even where only the low digit is adjusted
    const borrow = direction === 'sub' ? b.and(lowAdjusted, b.ltU(digits, b.i32(6))) : b.i32(0);
    b.flagsResult(8, result, b.or(highAdjusted, borrow), b.i32(0));
    b.flagsSet({ AF: lowAdjusted });
    b.setGpr(Register.AX, 8, result);
  },
});

/** AAA, AAS: one digit in AL, the next in AH. */
const unpacked = (direction: 'add' | 'sub'): Operation => ({
  emit: (b) => {
    const adjusted = needsAdjustment(b, low(b));
    const sum = b[direction](b.gpr(Register.AX, 16), b.mul(adjusted, b.i32(0x106)));
    b.flagsSet({ AF: adjusted, CF: adjusted });
    b.setGpr(Register.AX, 16, b.and(sum, b.i32(0xff0f)));
  },
});

const afterDigits = (b: Sem, digits: Val): void => b.flagsResult(8, digits, b.i32(0), b.i32(0));

export const decimals: OperationTable = {
  DAA: packed('add'),
  DAS: packed('sub'),
  AAA: unpacked('add'),
  AAS: unpacked('sub'),
  /** AH = AL / base, AL = the rest */
  AAM: {
    emit: (b, immediate) => {
      const base = b.zeroExtend(b.wrap(immediate!.read()), 8);
      b.if(b.eqz(base), () => b.raise(DIVIDE_ERROR));
      const digits = low(b);
      const rest = b.op('i32.rem_u', digits, base);
      afterDigits(b, rest);
      b.setGpr(Register.AX, 16, join(b, b.op('i32.div_u', digits, base), rest));
    },
  },
  /** AL = AH x base + AL, AH = 0 */
  AAD: {
    emit: (b, immediate) => {
      const base = b.wrap(immediate!.read());
      const digits = b.zeroExtend(b.add(low(b), b.mul(high(b), base)), 8);
      afterDigits(b, digits);
      b.setGpr(Register.AX, 16, digits);
    },
  },
};
