import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, divide, FloatEnvironment, multiply, Rounding, squareRoot, subtract, toInteger } from './arithmetic.ts';
import { DOUBLE, EXTENDED, type Format, pack, SINGLE, unpack } from './format.ts';
import { Exception } from './x87-state.ts';

const view = new DataView(new ArrayBuffer(8));
const bitsOfDouble = (value: number): bigint => {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
};
const doubleOfBits = (bits: bigint): number => {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
};
const single = fc.float({ noNaN: false }).map(Math.fround);
const double = fc.oneof(fc.double(), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(doubleOfBits));

const through = (format: Format, value: number): bigint => {
  if (format === DOUBLE) return bitsOfDouble(value);
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
};
const back = (format: Format, bits: bigint): number => {
  if (format === DOUBLE) return doubleOfBits(bits);
  view.setUint32(0, Number(bits));
  return view.getFloat32(0);
};

const OPERATIONS = [
  { name: 'add', soft: add, hard: (a: number, b: number) => a + b },
  { name: 'subtract', soft: subtract, hard: (a: number, b: number) => a - b },
  { name: 'multiply', soft: multiply, hard: (a: number, b: number) => a * b },
  { name: 'divide', soft: divide, hard: (a: number, b: number) => a / b },
] as const;

for (const { name, soft, hard } of OPERATIONS) {
  test(`${name} rounds doubles as JavaScript does`, () => {
    fc.assert(
      fc.property(double, double, (a, b) => {
        const env = new FloatEnvironment();
        const result = soft(env, unpack(through(DOUBLE, a), DOUBLE), unpack(through(DOUBLE, b), DOUBLE), DOUBLE);
        assert.ok(Object.is(back(DOUBLE, pack(result, DOUBLE)), hard(a, b)));
      }),
      { numRuns: 2000 },
    );
  });
  test(`${name} rounds singles as Math.fround does`, () => {
    fc.assert(
      fc.property(single, single, (a, b) => {
        const env = new FloatEnvironment();
        const result = soft(env, unpack(through(SINGLE, a), SINGLE), unpack(through(SINGLE, b), SINGLE), SINGLE);
        // 53 bits are more than twice 24 and 2, so rounding twice is rounding once
        assert.ok(Object.is(back(SINGLE, pack(result, SINGLE)), Math.fround(hard(a, b))));
      }),
      { numRuns: 2000 },
    );
  });
}

test('squareRoot rounds doubles as Math.sqrt does', () => {
  fc.assert(
    fc.property(double, (a) => {
      const root = squareRoot(new FloatEnvironment(), unpack(through(DOUBLE, a), DOUBLE), DOUBLE);
      assert.ok(Object.is(back(DOUBLE, pack(root, DOUBLE)), Math.sqrt(a)));
    }),
    { numRuns: 1000 },
  );
});

test('directed roundings enclose the exact quotient', () => {
  fc.assert(
    fc.property(double, double, (a, b) => {
      fc.pre(Number.isFinite(a) && Number.isFinite(b) && b !== 0);
      const quotient = (rounding: number): number => {
        const env = new FloatEnvironment();
        env.rounding = rounding;
        return back(
          DOUBLE,
          pack(divide(env, unpack(bitsOfDouble(a), DOUBLE), unpack(bitsOfDouble(b), DOUBLE), DOUBLE), DOUBLE),
        );
      };
      const [down, nearest, up] = [Rounding.Down, Rounding.Nearest, Rounding.Up].map(quotient) as [
        number,
        number,
        number,
      ];
      assert.ok(down <= nearest && nearest <= up);
      assert.equal(quotient(Rounding.Zero), down < 0 ? up : down);
    }),
    { numRuns: 1000 },
  );
});

test('packing undoes unpacking for every supported pattern of the three formats', () => {
  const check = (format: Format, bits: bigint): void => {
    const value = unpack(bits, format);
    if (value.kind !== 'unsupported') assert.equal(pack(value, format), bits);
  };
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 80n) - 1n }), (bits) => {
      check(SINGLE, bits & 0xffff_ffffn);
      check(DOUBLE, bits & 0xffff_ffff_ffff_ffffn);
      // pseudo-denormals have a second, normal spelling
      if ((bits >> 64n) % 0x8000n !== 0n) check(EXTENDED, bits);
    }),
    { numRuns: 2000 },
  );
});

test('overflow, underflow and inexactness are signalled', () => {
  const flagsOf = (rounding: number, a: number, b: number): number => {
    const env = new FloatEnvironment();
    env.rounding = rounding;
    multiply(env, unpack(bitsOfDouble(a), DOUBLE), unpack(bitsOfDouble(b), DOUBLE), DOUBLE);
    return env.flags;
  };
  assert.equal(flagsOf(Rounding.Nearest, 3, 5), 0);
  assert.equal(flagsOf(Rounding.Nearest, 1e308, 10), Exception.Overflow | Exception.Precision);
  assert.equal(flagsOf(Rounding.Zero, 1e-300, 1e-20), Exception.Underflow | Exception.Precision);
  assert.equal(flagsOf(Rounding.Nearest, 2 ** -1022, 0.5), 0);
  assert.equal(flagsOf(Rounding.Nearest, 5e-324, 1), Exception.Denormal);
});

test('an integer that does not fit is invalid, not truncated', () => {
  const env = new FloatEnvironment();
  assert.equal(toInteger(env, unpack(bitsOfDouble(2 ** 31), DOUBLE), 32), undefined);
  assert.equal(env.flags, Exception.Invalid);
  assert.equal(toInteger(new FloatEnvironment(), unpack(bitsOfDouble(-(2 ** 31)), DOUBLE), 32), -(2n ** 31n));
});
