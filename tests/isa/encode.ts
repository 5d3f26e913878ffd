/**
 * Encodings of instructions under test, from one-line templates of their own: the decoder's tables are not asked.
 *
 * A template is a list of words. Operand sizes: `b` 8, `v` 16/32/64, `y` 32/64, `q` 64, `s` stack (16 and the mode's), `n` none. Mandatory
 * prefixes 66 F2 F3 come first. Hex bytes are opcode bytes; `/r` a ModRM with two operands, `/0`..`/7` one with a digit, `+r` a register in the opcode. Immediates: `ib` `iw` `iz` (16 or 32 bits)
 * `iv` (up to 64) `rel8` `rel32`; `moffs` an absolute address. `reg` and `mem` restrict ModRM; `lock` allows the prefix on memory. `VEX.128.66.0F.W0`
 * (as the SDM writes it) stands for prefixes and map; `vvvv` gives it a register; `vsib32x` is memory with an XMM (y: YMM) register of
 * 32-bit indices (64: of 64-bit ones).
 */
import { CODE_BASE, CROSSING_WINDOW, SLOT_BYTES, SLOT_ENTRY, type Slot } from './batch.ts';
import type { Random } from './random.ts';

/** The memory operand of an encoded instruction: base + (index << scale) + displacement; absolute if there is no base. */
export interface MemoryOperand {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  /** where it is if it has no base register */
  readonly absolute: number;
  readonly addressSize: 32 | 64;
  /** vector register whose `indexBits` wide elements are the index, instead of `index`; -1 if there is none */
  readonly vectorIndex: number;
  readonly indexBits: number;
}

/** An encoded instruction and what is needed to give it sensible operands. */
export interface Encoded extends Slot {
  readonly width: number;
  /** register numbers in ModRM.reg, ModRM.rm (or the opcode); -1 if absent */
  readonly reg: number;
  readonly rm: number;
  /** register number in VEX.vvvv, -1 if absent */
  readonly vvvv: number;
  readonly memory: MemoryOperand | undefined;
  /** value of the immediate, sign-extended */
  readonly immediate: bigint;
  readonly addressSize: 32 | 64;
}

const SEGMENTLESS_BASES_64 = [3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const SEGMENTLESS_BASES_32 = [3, 5, 6, 7];

const NO_INDEX = { index: -1, scale: 0, vectorIndex: -1, indexBits: 0 } as const;
const VEX_MAPS: Readonly<Record<string, number>> = { '0F': 1, '0F38': 2, '0F3A': 3 };
const VEX_PREFIXES: Readonly<Record<string, number>> = { '66': 1, F3: 2, F2: 3 };

class Encoder {
  readonly #random: Random;
  readonly #words: readonly string[];
  readonly #mode: 32 | 64;
  readonly #slot: number;
  readonly #after: number[] = [];
  readonly width: number;
  reg = -1;
  rm = -1;
  vvvv = -1;
  memory: MemoryOperand | undefined;
  immediate = 0n;
  #rex = 0;
  #ripRelativeAt = -1;

  constructor(random: Random, template: string, mode: 32 | 64, slot: number) {
    this.#random = random;
    this.#words = template.split(' ');
    this.#mode = mode;
    this.#slot = slot;
    this.width = this.#chooseWidth(this.#words[0]!);
  }

  #chooseWidth(letter: string): number {
    const long = this.#mode === 64;
    switch (letter) {
      case 'b':
        return 8;
      case 'v':
        return this.#random.of(long ? [16, 32, 64] : [16, 32]);
      case 'y':
        return this.#random.of(long ? [32, 64] : [32]);
      case 's':
        return this.#random.of([16, this.#mode]);
      case 'q':
        return 64;
      case 'n':
        return 0;
      default:
        throw new Error(`a template starts with an operand size, not "${letter}"`);
    }
  }

  #has(word: string): boolean {
    return this.#words.includes(word);
  }

  #register(): number {
    return this.#random.below(this.#mode === 64 ? 16 : 8);
  }

  #extend(register: number, rexBit: number): number {
    if (register >= 8) this.#rex |= rexBit;
    return register & 7;
  }

  #immediate(bytes: number): void {
    const value = BigInt.asIntN(8 * bytes, this.#random.operand());
    this.immediate = value;
    for (let i = 0; i < bytes; i++) this.#after.push(Number((value >> BigInt(8 * i)) & 0xffn));
  }

  #word32(value: number): number[] {
    return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
  }

  /** Places within the slot that an INT3 ends: relative targets stay there. */
  #relative(bytes: 1 | 4): void {
    const displacement = this.#random.below(16) - (this.#random.chance(2) ? 28 : 0);
    this.#after.push(...(bytes === 1 ? [displacement & 0xff] : this.#word32(displacement)));
  }

  #modRm(regField: number, addressSize: 32 | 64): void {
    const random = this.#random;
    const isMemory = this.#has('mem') || (!this.#has('reg') && random.chance(2));
    const reg = regField << 3;
    if (!isMemory) {
      this.rm = this.#register();
      this.#after.push(0xc0 | reg | this.#extend(this.rm, 1));
      return;
    }
    const bases = this.#mode === 64 ? SEGMENTLESS_BASES_64 : SEGMENTLESS_BASES_32;
    const kind = random.below(8);
    const absolute = CROSSING_WINDOW + 100 + random.below(40);
    if (kind === 0) {
      this.memory = { ...NO_INDEX, base: -1, displacement: 0, absolute, addressSize };
      if (this.#mode === 32) this.#after.push(reg | 5, ...this.#word32(absolute));
      else if (random.chance(2)) this.#after.push(reg | 4, 0x25, ...this.#word32(absolute));
      else {
        this.#ripRelativeAt = this.#after.length + 1;
        this.#after.push(reg | 5, 0, 0, 0, 0);
      }
      return;
    }
    const base = random.of(bases);
    const byteDisplacement = random.chance(2);
    const displacement = byteDisplacement ? random.below(256) - 128 : random.next() | 0;
    const displacementBytes = byteDisplacement ? [displacement & 0xff] : this.#word32(displacement);
    const mod = byteDisplacement ? 0x40 : 0x80;
    let index = -1;
    let scale = 0;
    if (kind < 4) {
      index = random.of(bases.filter((register) => register !== base));
      scale = random.below(4);
    }
    this.memory = { ...NO_INDEX, base, index, scale, displacement, absolute: 0, addressSize };
    const low = this.#extend(base, 1);
    if (index >= 0)
      this.#after.push(mod | reg | 4, (scale << 6) | (this.#extend(index, 2) << 3) | low, ...displacementBytes);
    else if (low === 4) this.#after.push(mod | reg | 4, 0x24, ...displacementBytes);
    else this.#after.push(mod | reg | low, ...displacementBytes);
  }

  /** A base register and, as index, a vector register that is neither `reg` nor `vvvv`. */
  #vectorMemory(indexBits: number, addressSize: 32 | 64): void {
    const random = this.#random;
    const base = random.of(this.#mode === 64 ? SEGMENTLESS_BASES_64 : SEGMENTLESS_BASES_32);
    let index = this.#register();
    while (index === this.reg || index === this.vvvv) index = this.#register();
    const scale = random.below(4);
    const displacement = random.below(256) - 128;
    this.memory = { base, index: -1, scale, displacement, absolute: 0, addressSize, vectorIndex: index, indexBits };
    const sib = (scale << 6) | (this.#extend(index, 2) << 3) | this.#extend(base, 1);
    this.#after.push(0x44 | (this.#extend(this.reg, 4) << 3), sib, displacement & 0xff);
  }

  /** The prefix that a word like VEX.128.66.0F38.W0 asks for, with the register bits chosen so far. */
  #vexPrefix(text: string): number[] {
    const random = this.#random;
    const [, length = '', ...rest] = text.split('.');
    const prefix = VEX_PREFIXES[rest[0]!] ?? 0;
    if (prefix !== 0) rest.shift();
    const map = VEX_MAPS[rest[0]!]!;
    const long = length === 'LIG' ? random.below(2) : length === '256' ? 1 : 0;
    const widths: Readonly<Record<string, number>> = { W0: 0, W1: 1, WIG: random.below(2) };
    const wide = rest[1] === undefined ? (this.#rex >> 3) & 1 : widths[rest[1]]!;
    const last = ((this.vvvv < 0 ? 15 : ~this.vvvv & 15) << 3) | (long << 2) | prefix;
    if (map === 1 && wide === 0 && (this.#rex & 3) === 0 && random.chance(2))
      return [0xc5, ((~this.#rex & 4) << 5) | last];
    return [0xc4, ((~this.#rex & 7) << 5) | map, (wide << 7) | last];
  }

  encode(name: string): Encoded {
    const random = this.#random;
    const addressSize = this.#mode === 64 && random.chance(8) && !this.#has('noa32') ? 32 : (this.#mode as 32 | 64);
    const prefixes: number[] = [];
    const opcode: number[] = [];
    let inOpcode = false;
    let vex: string | undefined;
    if (this.#has('vvvv')) this.vvvv = this.#register();
    for (const word of this.#words.slice(1)) {
      if (word.startsWith('VEX.')) vex = word;
      else if (/^vsib/.test(word)) {
        this.reg = this.#register();
        while (this.reg === this.vvvv) this.reg = this.#register();
        this.#vectorMemory(Number(word.slice(4, 6)), addressSize);
      } else if (!inOpcode && /^(66|F2|F3)$/.test(word)) prefixes.push(Number.parseInt(word, 16));
      else if (/^[0-9A-F]{2}$/.test(word)) {
        opcode.push(Number.parseInt(word, 16));
        inOpcode = true;
      } else if (word === '/r') {
        this.reg = this.#register();
        this.#modRm(this.#extend(this.reg, 4), addressSize);
      } else if (/^\/[0-7]$/.test(word)) this.#modRm(Number(word[1]), addressSize);
      else if (word === '+r') {
        this.rm = this.#register();
        opcode.push(opcode.pop()! + this.#extend(this.rm, 1));
      } else if (word === 'ib') this.#immediate(1);
      else if (word === 'iw') this.#immediate(2);
      else if (word === 'iz') this.#immediate(this.width === 16 ? 2 : 4);
      else if (word === 'iv') this.#immediate(this.width / 8);
      else if (word === 'rel8') this.#relative(1);
      else if (word === 'rel32') this.#relative(4);
      else if (word === 'moffs') this.#moffs(addressSize);
    }
    if (this.width === 64 && this.#words[0] !== 's') this.#rex |= 8;
    const whole: number[] = [];
    if (addressSize !== this.#mode) whole.push(0x67);
    if (this.width === 16) whole.push(0x66);
    if (this.#has('lock') && this.memory !== undefined && random.chance(2)) whole.push(0xf0);
    whole.push(...prefixes);
    if (vex !== undefined) whole.push(...this.#vexPrefix(vex));
    else if (this.#rex !== 0 || (this.width === 8 && this.#mode === 64 && random.chance(2)))
      whole.push(0x40 | this.#rex);
    whole.push(...opcode, ...this.#after);
    if (this.#ripRelativeAt >= 0) {
      const at = whole.length - this.#after.length + this.#ripRelativeAt;
      const next = CODE_BASE + this.#slot * SLOT_BYTES + SLOT_ENTRY + whole.length;
      whole.splice(at, 4, ...this.#word32(this.memory!.absolute - next));
    }
    const bytes = Uint8Array.from(whole);
    const hex = Buffer.from(bytes).toString('hex');
    const { width, reg, rm, vvvv, memory, immediate } = this;
    return {
      bytes,
      mode: this.#mode,
      text: `${name} ${width} (${hex}, ${this.#mode}-bit mode)`,
      width,
      reg,
      rm,
      vvvv,
      memory,
      immediate,
      addressSize,
    };
  }

  #moffs(addressSize: 32 | 64): void {
    const absolute = CROSSING_WINDOW + 100 + this.#random.below(40);
    this.memory = { ...NO_INDEX, base: -1, displacement: 0, absolute, addressSize };
    this.#after.push(...this.#word32(absolute));
    if (addressSize === 64) this.#after.push(0, 0, 0, 0);
  }
}

/** One random encoding of a template, for the slot with that number. */
export function encode(random: Random, name: string, template: string, mode: 32 | 64, slot: number): Encoded {
  return new Encoder(random, template, mode, slot).encode(name);
}
