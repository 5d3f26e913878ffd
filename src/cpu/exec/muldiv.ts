/** Multiplication and division. */
import { type IntegerWidth, Register, resizeSigned, signBit, widthOf } from './operand.ts';
import type { OperationTable, Place, Sem, Val } from './sem.ts';

const DIVIDE_ERROR = 0;

interface Product {
  readonly low: Val;
  readonly high: Val;
}

/** The 128-bit product of two unsigned i64, from the four products of their halves. */
function multiplyWide(b: Sem, x: Val, y: Val): Product {
  const xLow = b.zeroExtend(x, 32);
  const xHigh = b.shrU(x, 32);
  const yLow = b.zeroExtend(y, 32);
  const yHigh = b.shrU(y, 32);
  const middle = b.add(b.mul(xHigh, yLow), b.shrU(b.mul(xLow, yLow), 32));
  const otherMiddle = b.add(b.mul(xLow, yHigh), b.zeroExtend(middle, 32));
  const high = b.add(b.add(b.mul(xHigh, yHigh), b.shrU(middle, 32)), b.shrU(otherMiddle, 32));
  return { low: b.mul(x, y), high };
}

function multiplyWideSigned(b: Sem, x: Val, y: Val): Product {
  const { low, high } = multiplyWide(b, x, y);
  const correction = b.add(b.and(b.shrS(x, 63), y), b.and(b.shrS(y, 63), x));
  return { low, high: b.sub(high, correction) };
}

/** The product of two `width`-bit values in two halves of that width. */
function multiply(b: Sem, width: IntegerWidth, signed: boolean, x: Val, y: Val): Product {
  if (width === 64) return signed ? multiplyWideSigned(b, x, y) : multiplyWide(b, x, y);
  if (width === 32) {
    const product = signed ? b.mul(b.extendS(x), b.extendS(y)) : b.mul(b.extendU(x), b.extendU(y));
    return { low: b.wrap(product), high: b.wrap(b.shrU(product, 32)) };
  }
  const product = signed ? b.mul(b.signExtend(x, width), b.signExtend(y, width)) : b.mul(x, y);
  return { low: b.zeroExtend(product, width), high: signed ? b.shrS(product, width) : b.shrU(product, width) };
}

/** i32: the upper half says nothing that the lower does not say too. */
function lost(b: Sem, width: IntegerWidth, signed: boolean, { low, high }: Product): Val {
  if (!signed) return b.ne(high, b.int(width, 0));
  const sign = width < 32 ? b.shrS(b.signExtend(low, width), 31) : b.shrS(low, width - 1);
  return b.ne(high, sign);
}

/** AX = AL * operand, or (R/E)DX:(R/E)AX = (R/E)AX * operand. */
function multiplyAccumulator(b: Sem, source: Place, signed: boolean): void {
  const width = widthOf(source);
  const product = multiply(b, width, signed, b.gpr(Register.AX, width), source.read());
  if (width === 8) b.setGpr(Register.AX, 16, b.or(product.low, b.shl(product.high, 8)));
  else {
    b.setGpr(Register.AX, width, product.low);
    b.setGpr(Register.DX, width, product.high);
  }
  const overflow = lost(b, width, signed, product);
  b.flagsResult(width, product.low, overflow, overflow);
}

function multiplyInto(b: Sem, destination: Place, left: Place, right: Place): void {
  const width = widthOf(destination);
  const product = multiply(b, width, true, left.read(), right.read());
  const overflow = lost(b, width, true, product);
  b.flagsResult(width, product.low, overflow, overflow);
  destination.write(product.low);
}

function divideErrorIf(b: Sem, condition: Val): void {
  b.if(condition, () => b.raise(DIVIDE_ERROR));
}

function opOf(width: IntegerWidth, name: string): string {
  return `${width === 64 ? 'i64' : 'i32'}.${name}`;
}

/** Writes quotient and remainder of a division by a `width`-bit value where they belong. */
function setQuotient(b: Sem, width: IntegerWidth, quotient: Val, remainder: Val): void {
  if (width === 8) {
    b.setGpr(Register.AX, 16, b.or(b.zeroExtend(quotient, 8), b.shl(remainder, 8)));
    return;
  }
  b.setGpr(Register.AX, width, quotient);
  b.setGpr(Register.DX, width, remainder);
}

/** The dividend of an 8-, 16- or 32-bit division: i32 for the first two, i64 for the last. */
function narrowDividend(b: Sem, width: 8 | 16 | 32): Val {
  if (width === 8) return b.gpr(Register.AX, 16);
  const low = b.gpr(Register.AX, width);
  const high = b.gpr(Register.DX, width);
  if (width === 16) return b.or(low, b.shl(high, 16));
  return b.or(b.extendU(low), b.shl(b.extendU(high), 32));
}

function divideNarrow(b: Sem, width: 8 | 16 | 32, divisor: Val): void {
  divideErrorIf(b, b.eqz(divisor));
  const type = width === 32 ? 64 : 32;
  const dividend = narrowDividend(b, width);
  const by = type === 64 ? b.extendU(divisor) : divisor;
  const quotient = b.op(opOf(type, 'div_u'), dividend, by);
  divideErrorIf(b, b.ne(quotient, b.zeroExtend(quotient, width)));
  const remainder = b.op(opOf(type, 'rem_u'), dividend, by);
  setQuotient(b, width, b.wrap(quotient), b.wrap(remainder));
}

function divideNarrowSigned(b: Sem, width: 8 | 16 | 32, divisor: Val): void {
  divideErrorIf(b, b.eqz(divisor));
  const type = width === 32 ? 64 : 32;
  const unsigned = narrowDividend(b, width);
  const dividend = width === 8 ? b.signExtend(unsigned, 16) : unsigned;
  const by = resizeSigned(b, divisor, width, type);
  const least = b.int(type, -(2n ** BigInt(type - 1)));
  divideErrorIf(b, b.and(b.eq(dividend, least), b.eq(by, b.int(type, -1))));
  const quotient = b.op(opOf(type, 'div_s'), dividend, by);
  divideErrorIf(b, b.ne(quotient, b.signExtend(quotient, width)));
  const remainder = b.op(opOf(type, 'rem_s'), dividend, by);
  setQuotient(b, width, b.wrap(quotient), b.wrap(remainder));
}

/** high:low / divisor, unsigned, bit by bit; high is below the divisor. */
function divideWide(b: Sem, high: Val, low: Val, divisor: Val): { quotient: Val; remainder: Val } {
  const upper = b.variable(high);
  const lower = b.variable(low);
  const rounds = b.variable(b.i32(64));
  b.loop((stop) => {
    const before = b.get(upper);
    const shifted = b.or(b.shl(before, 1), b.shrU(b.get(lower), 63));
    const goesIn = b.or(b.wrap(b.shrU(before, 63)), b.geU(shifted, divisor));
    b.set(lower, b.or(b.shl(b.get(lower), 1), b.extendU(goesIn)));
    b.set(upper, b.select(goesIn, b.sub(shifted, divisor), shifted));
    b.set(rounds, b.sub(b.get(rounds), b.i32(1)));
    b.if(b.eqz(b.get(rounds)), stop);
  });
  return { quotient: b.get(lower), remainder: b.get(upper) };
}

function divide64(b: Sem, divisor: Val): void {
  const low = b.gpr(Register.AX, 64);
  const high = b.gpr(Register.DX, 64);
  divideErrorIf(b, b.geU(high, divisor));
  b.if(
    b.eqz(high),
    () => setQuotient(b, 64, b.op('i64.div_u', low, divisor), b.op('i64.rem_u', low, divisor)),
    () => {
      const { quotient, remainder } = divideWide(b, high, low, divisor);
      setQuotient(b, 64, quotient, remainder);
    },
  );
}

function negateIf(b: Sem, condition: Val, value: Val): Val {
  return b.select(condition, b.neg(value), value);
}

function divide64Signed(b: Sem, divisor: Val): void {
  divideErrorIf(b, b.eqz(divisor));
  const low = b.gpr(Register.AX, 64);
  const high = b.gpr(Register.DX, 64);
  const least = b.i64(-(2n ** 63n));
  b.if(
    b.eq(high, b.shrS(low, 63)),
    () => {
      divideErrorIf(b, b.and(b.eq(low, least), b.eq(divisor, b.i64(-1))));
      setQuotient(b, 64, b.op('i64.div_s', low, divisor), b.op('i64.rem_s', low, divisor));
    },
    () => {
      const dividendNegative = signBit(b, 64, high);
      const divisorNegative = signBit(b, 64, divisor);
      const quotientNegative = b.xor(dividendNegative, divisorNegative);
      const magnitudeLow = negateIf(b, dividendNegative, low);
      const borrow = b.extendU(b.ne(low, b.i64(0)));
      const magnitudeHigh = b.select(dividendNegative, b.sub(b.neg(high), borrow), high);
      const magnitudeDivisor = negateIf(b, divisorNegative, divisor);
      divideErrorIf(b, b.geU(magnitudeHigh, magnitudeDivisor));
      const { quotient, remainder } = divideWide(b, magnitudeHigh, magnitudeLow, magnitudeDivisor);
      const limit = b.sub(least, b.extendU(b.eqz(quotientNegative)));
      divideErrorIf(b, b.gtU(quotient, limit));
      setQuotient(b, 64, negateIf(b, quotientNegative, quotient), negateIf(b, dividendNegative, remainder));
    },
  );
}

export const muldiv = {
  MUL: { emit: (b, source) => multiplyAccumulator(b, source!, false) },
  /** One operand as MUL; two: destination * source; three: source * immediate. */
  IMUL: {
    emit: (b, first, second, third) => {
      if (second === undefined) multiplyAccumulator(b, first!, true);
      else if (third === undefined) multiplyInto(b, first!, first!, second);
      else multiplyInto(b, first!, second, third);
    },
  },
  /** No flags; the upper half is written last, so it wins if both destinations are one register. */
  MULX: {
    emit: (b, high, low, source) => {
      const width = widthOf(source!);
      const product = multiply(b, width, false, b.gpr(Register.DX, width), source!.read());
      low!.write(product.low);
      high!.write(product.high);
    },
  },
  DIV: {
    emit: (b, source) => {
      const width = widthOf(source!);
      const divisor = source!.read();
      if (width === 64) divide64(b, divisor);
      else divideNarrow(b, width, divisor);
    },
  },
  IDIV: {
    emit: (b, source) => {
      const width = widthOf(source!);
      const divisor = source!.read();
      if (width === 64) divide64Signed(b, divisor);
      else divideNarrowSigned(b, width, divisor);
    },
  },
} satisfies OperationTable;
