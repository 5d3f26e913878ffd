/** AES, carry-less multiplication and SHA instructions (FIPS 197, FIPS 180-4; SDM Vol. 2). Host operations. */
import type { Instruction } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const GENERAL_PROTECTION = 13;

/** 16 bytes, also seen as four dwords. */
class Block {
  readonly bytes = new Uint8Array(16);
  readonly words = new Uint32Array(this.bytes.buffer);
  readonly quads = new BigUint64Array(this.bytes.buffer);
}

function register(cpu: Processor, number: number): Block {
  const block = new Block();
  const at = cpu.state.base + S.vector + 32 * number;
  block.bytes.set(cpu.memory.u8.subarray(at, at + 16));
  return block;
}

function sourceOf(cpu: Processor, instruction: Instruction): Block {
  const source = instruction.operands[1];
  if (source.kind !== OperandKind.Memory) return register(cpu, source.register);
  cpu.addressOf(instruction);
  if (cpu.addressLow & 15) throw new GuestFault(GENERAL_PROTECTION, 0);
  const block = new Block();
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, block.bytes);
  return block;
}

/** result from the old target, the source and the immediate */
const operation =
  (compute: (target: Block, source: Block, immediate: number, cpu: Processor) => Block): HostOperation =>
  (cpu, instruction) => {
    const target = instruction.operands[0].register;
    const source = sourceOf(cpu, instruction);
    const result = compute(register(cpu, target), source, instruction.immediateLow & 0xff, cpu);
    cpu.memory.u8.set(result.bytes, cpu.state.base + S.vector + 32 * target);
  };

// ---- AES

/** Doubling in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const double = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;

function fieldProduct(a: number, b: number): number {
  let product = 0;
  for (let factor = a, bits = b; bits !== 0; bits >>= 1, factor = double(factor)) if (bits & 1) product ^= factor;
  return product;
}

const rotateLeft8 = (value: number, count: number): number => ((value << count) | (value >> (8 - count))) & 0xff;

/** The substitution box: inverse in the field (as its 254th power), then the affine map. */
const SUBSTITUTION = Uint8Array.from({ length: 256 }, (_, value) => {
  let inverse = 1;
  for (let i = 0; i < 254; i++) inverse = fieldProduct(inverse, value);
  const spread = [1, 2, 3, 4].reduce((sum, count) => sum ^ rotateLeft8(inverse, count), inverse);
  return spread ^ 0x63;
});
const INVERSE_SUBSTITUTION = new Uint8Array(256);
for (const [value, substituted] of SUBSTITUTION.entries()) INVERSE_SUBSTITUTION[substituted] = value;

/** Row r of the state moves left by r columns (right, backwards); byte r + 4c is row r, column c. */
function shiftRows(state: Block, direction: 1 | -1): Block {
  const result = new Block();
  for (let i = 0; i < 16; i++) result.bytes[i] = state.bytes[(i + direction * 4 * (i & 3) + 16) & 15]!;
  return result;
}

function substitute(state: Block, box: Uint8Array): Block {
  const result = new Block();
  for (let i = 0; i < 16; i++) result.bytes[i] = box[state.bytes[i]!]!;
  return result;
}

const MIX = [2, 3, 1, 1];
const INVERSE_MIX = [14, 11, 13, 9];

function mixColumns(state: Block, factors: readonly number[]): Block {
  const result = new Block();
  for (let column = 0; column < 16; column += 4)
    for (let row = 0; row < 4; row++)
      for (let i = 0; i < 4; i++)
        result.bytes[column + row]! ^= fieldProduct(state.bytes[column + ((row + i) & 3)]!, factors[i]!);
  return result;
}

function exclusiveOr(a: Block, b: Block): Block {
  const result = new Block();
  for (let i = 0; i < 4; i++) result.words[i] = a.words[i]! ^ b.words[i]!;
  return result;
}

const encryptLast = (state: Block): Block => substitute(shiftRows(state, 1), SUBSTITUTION);
const decryptLast = (state: Block): Block => substitute(shiftRows(state, -1), INVERSE_SUBSTITUTION);

/** AESKEYGENASSIST: substituted dwords 1 and 3, each also rotated and with the round constant. */
function assistKeyGeneration(source: Block, roundConstant: number): Block {
  const substituted = substitute(source, SUBSTITUTION);
  const result = new Block();
  for (const [at, word] of [substituted.words[1]!, substituted.words[3]!].entries()) {
    result.words[2 * at] = word;
    result.words[2 * at + 1] = ((word >>> 8) | (word << 24)) ^ roundConstant;
  }
  return result;
}

// ---- PCLMULQDQ

function carrylessProduct(x: Block, y: Block, selector: number): Block {
  const a = x.quads[selector & 1]!;
  const b = y.quads[(selector >> 4) & 1]!;
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if ((b >> i) & 1n) product ^= a << i;
  const result = new Block();
  result.quads[0] = product;
  result.quads[1] = product >> 64n;
  return result;
}

// ---- SHA

const rotateLeft = (value: number, count: number): number => (value << count) | (value >>> (32 - count));
const rotateRight = (value: number, count: number): number => (value >>> count) | (value << (32 - count));

/** Dwords from the highest to the lowest. */
function fromWords(w3: number, w2: number, w1: number, w0: number): Block {
  const result = new Block();
  result.words.set([w0, w1, w2, w3]);
  return result;
}

type Choice = (b: number, c: number, d: number) => number;
const choose: Choice = (b, c, d) => (b & c) ^ (~b & d);
const parity: Choice = (b, c, d) => b ^ c ^ d;
const majority: Choice = (b, c, d) => (b & c) ^ (b & d) ^ (c & d);
const SHA1_ROUNDS: readonly (readonly [Choice, number])[] = [
  [choose, 0x5a827999],
  [parity, 0x6ed9eba1],
  [majority, 0x8f1bbcdc],
  [parity, 0xca62c1d6],
];

function sha1Rounds(state: Block, messages: Block, selector: number): Block {
  const [mix, constant] = SHA1_ROUNDS[selector & 3]!;
  let [d, c, b, a] = [...state.words] as [number, number, number, number];
  let e = 0;
  for (let round = 3; round >= 0; round--) {
    // the first message dword already has e added
    const next = (mix(b, c, d) + rotateLeft(a, 5) + messages.words[round]! + e + constant) | 0;
    [e, d, c, b, a] = [d, c, rotateLeft(b, 30), a, next];
  }
  return fromWords(a, b, c, d);
}

function sha1NextE(state: Block, messages: Block): Block {
  const [w0, w1, w2, w3] = [...messages.words] as [number, number, number, number];
  return fromWords((w3 + rotateLeft(state.words[3]!, 30)) | 0, w2, w1, w0);
}

function sha1Message1({ words: x }: Block, { words: y }: Block): Block {
  return fromWords(x[1]! ^ x[3]!, x[0]! ^ x[2]!, y[3]! ^ x[1]!, y[2]! ^ x[0]!);
}

function sha1Message2({ words: x }: Block, { words: y }: Block): Block {
  const w16 = rotateLeft(x[3]! ^ y[2]!, 1);
  const w17 = rotateLeft(x[2]! ^ y[1]!, 1);
  const w18 = rotateLeft(x[1]! ^ y[0]!, 1);
  return fromWords(w16, w17, w18, rotateLeft(x[0]! ^ w16, 1));
}

const smallSigma0 = (x: number): number => rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
const smallSigma1 = (x: number): number => rotateRight(x, 17) ^ rotateRight(x, 19) ^ (x >>> 10);
const bigSigma0 = (x: number): number => rotateRight(x, 2) ^ rotateRight(x, 13) ^ rotateRight(x, 22);
const bigSigma1 = (x: number): number => rotateRight(x, 6) ^ rotateRight(x, 11) ^ rotateRight(x, 25);

/** Two rounds; the message dwords, with their constants added, are the low half of XMM0. */
function sha256Rounds({ words: x }: Block, { words: y }: Block, messages: Uint32Array): Block {
  let [a, b, e, f] = [y[3]!, y[2]!, y[1]!, y[0]!];
  let [c, d, g, h] = [x[3]!, x[2]!, x[1]!, x[0]!];
  for (let round = 0; round < 2; round++) {
    const first = (choose(e, f, g) + bigSigma1(e) + messages[round]! + h) | 0;
    const second = (majority(a, b, c) + bigSigma0(a)) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  return fromWords(a, b, e, f);
}

function sha256Message1({ words: x }: Block, { words: y }: Block): Block {
  return fromWords(
    x[3]! + smallSigma0(y[0]!),
    x[2]! + smallSigma0(x[3]!),
    x[1]! + smallSigma0(x[2]!),
    x[0]! + smallSigma0(x[1]!),
  );
}

function sha256Message2({ words: x }: Block, { words: y }: Block): Block {
  const w16 = (x[0]! + smallSigma1(y[2]!)) | 0;
  const w17 = (x[1]! + smallSigma1(y[3]!)) | 0;
  return fromWords(x[3]! + smallSigma1(w17), x[2]! + smallSigma1(w16), w17, w16);
}

export const cryptoOperations: OperationTable = {
  AESENC: { host: operation((x, y) => exclusiveOr(mixColumns(encryptLast(x), MIX), y)) },
  AESENCLAST: { host: operation((x, y) => exclusiveOr(encryptLast(x), y)) },
  AESDEC: { host: operation((x, y) => exclusiveOr(mixColumns(decryptLast(x), INVERSE_MIX), y)) },
  AESDECLAST: { host: operation((x, y) => exclusiveOr(decryptLast(x), y)) },
  AESIMC: { host: operation((_x, y) => mixColumns(y, INVERSE_MIX)) },
  AESKEYGENASSIST: { host: operation((_x, y, immediate) => assistKeyGeneration(y, immediate)) },
  PCLMULQDQ: { host: operation(carrylessProduct) },
  SHA1RNDS4: { host: operation(sha1Rounds) },
  SHA1NEXTE: { host: operation(sha1NextE) },
  SHA1MSG1: { host: operation(sha1Message1) },
  SHA1MSG2: { host: operation(sha1Message2) },
  SHA256RNDS2: { host: operation((x, y, _immediate, cpu) => sha256Rounds(x, y, register(cpu, 0).words)) },
  SHA256MSG1: { host: operation(sha256Message1) },
  SHA256MSG2: { host: operation(sha256Message2) },
};
