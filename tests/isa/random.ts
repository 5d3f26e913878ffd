/** Random choices from a fixed seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 unsigned bits (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  /** 0 to limit - 1 */
  below(limit: number): number {
    return this.next() % limit;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  u64(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }

  /** A 64-bit value of the kind that finds mistakes: ends of ranges at every width, single bits, small numbers, noise. */
  operand(): bigint {
    const width = this.of([8, 16, 32, 64]);
    const sign = 1n << BigInt(width - 1);
    switch (this.below(8)) {
      case 0:
        return BigInt.asUintN(64, BigInt(this.below(5)) - 2n);
      case 1:
        return BigInt.asUintN(64, sign + BigInt(this.below(3)) - 1n);
      case 2:
        return BigInt.asUintN(64, (sign << 1n) - BigInt(this.below(3)));
      case 3:
        return 1n << BigInt(this.below(64));
      case 4:
        return BigInt(this.below(256));
      case 5:
        return BigInt.asUintN(64, BigInt.asIntN(width, this.u64()));
      default:
        return this.u64();
    }
  }
}
