/** SHA instructions (FIPS 180-4; SDM Vol. 2). */
import { S } from '../state.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';
import { readAligned } from './vector-operand.ts';

type Words = readonly [Val, Val, Val, Val];

const wordsOf = (b: Sem, vector: Val): Words => {
  const word = (lane: number): Val => b.lane('i32x4.extract_lane', lane, vector);
  return [word(0), word(1), word(2), word(3)];
};

/** Dwords from the highest to the lowest. */
const fromWords = (b: Sem, w3: Val, w2: Val, w1: Val, w0: Val): Val =>
  [w1, w2, w3].reduce((vector, word, i) => b.lane('i32x4.replace_lane', i + 1, vector, word), b.op('i32x4.splat', w0));

const exclusiveOr = (b: Sem, ...values: readonly Val[]): Val => values.reduce((x, y) => b.xor(x, y));
const sum = (b: Sem, ...values: readonly Val[]): Val => values.reduce((x, y) => b.add(x, y));

const choose = (b: Sem, x: Val, y: Val, z: Val): Val => b.xor(b.and(x, y), b.and(b.not(x), z));
const majority = (b: Sem, x: Val, y: Val, z: Val): Val => exclusiveOr(b, b.and(x, y), b.and(x, z), b.and(y, z));

/** Computes the target from the words of the target, those of the source, and the immediate. */
const operation = (compute: (b: Sem, x: Words, y: Words, immediate: Val) => Val): Operation => ({
  emit: (b, target, source, third) => {
    const y = wordsOf(b, readAligned(b, source!));
    const immediate = third?.kind === 'immediate' ? b.wrap(third.read()) : b.i32(0);
    target!.write(compute(b, wordsOf(b, target!.read()), y, immediate));
  },
});

const SHA1_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

/** Four rounds; the immediate says which of the four kinds. The first message dword already has e added. */
function sha1Rounds(b: Sem, state: Words, messages: Words, immediate: Val): Val {
  const kind = b.and(immediate, b.i32(3));
  const byKind = (values: readonly Val[]): Val =>
    values.reduce((chosen, value, i) => (i === 0 ? value : b.select(b.eq(kind, b.i32(i)), value, chosen)));
  const constant = byKind(SHA1_CONSTANTS.map((value) => b.i32(value)));
  let [d, c, second, a] = state;
  let e: Val = b.i32(0);
  for (let round = 3; round >= 0; round--) {
    const parity = exclusiveOr(b, second, c, d);
    const mixed = byKind([choose(b, second, c, d), parity, majority(b, second, c, d), parity]);
    const next = sum(b, mixed, b.rotl(a, 5), messages[round]!, e, constant);
    [e, d, c, second, a] = [d, c, b.rotl(second, 30), a, next];
  }
  return fromWords(b, a, second, c, d);
}

const smallSigma0 = (b: Sem, x: Val): Val => exclusiveOr(b, b.rotr(x, 7), b.rotr(x, 18), b.shrU(x, 3));
const smallSigma1 = (b: Sem, x: Val): Val => exclusiveOr(b, b.rotr(x, 17), b.rotr(x, 19), b.shrU(x, 10));
const bigSigma0 = (b: Sem, x: Val): Val => exclusiveOr(b, b.rotr(x, 2), b.rotr(x, 13), b.rotr(x, 22));
const bigSigma1 = (b: Sem, x: Val): Val => exclusiveOr(b, b.rotr(x, 6), b.rotr(x, 11), b.rotr(x, 25));

/** Two rounds; the message dwords, with their constants added, are the low half of XMM0. */
const sha256Rounds = operation((b, x, y) => {
  const messages = wordsOf(b, b.state(S.vector, 'v128'));
  let [f, e, second, a] = y;
  let [h, g, d, c] = x;
  for (let round = 0; round < 2; round++) {
    const first = sum(b, choose(b, e, f, g), bigSigma1(b, e), messages[round]!, h);
    const rest = b.add(majority(b, a, second, c), bigSigma0(b, a));
    [h, g, f, e, d, c, second, a] = [g, f, e, b.add(d, first), c, second, a, b.add(first, rest)];
  }
  return fromWords(b, a, second, e, f);
});

export const shaOperations: OperationTable = {
  SHA1RNDS4: operation(sha1Rounds),
  SHA1NEXTE: operation((b, x, y) => fromWords(b, b.add(y[3], b.rotl(x[3], 30)), y[2], y[1], y[0])),
  SHA1MSG1: operation((b, x, y) =>
    fromWords(b, b.xor(x[1], x[3]), b.xor(x[0], x[2]), b.xor(y[3], x[1]), b.xor(y[2], x[0])),
  ),
  SHA1MSG2: operation((b, x, y) => {
    const w16 = b.rotl(b.xor(x[3], y[2]), 1);
    return fromWords(b, w16, b.rotl(b.xor(x[2], y[1]), 1), b.rotl(b.xor(x[1], y[0]), 1), b.rotl(b.xor(x[0], w16), 1));
  }),
  SHA256RNDS2: sha256Rounds,
  SHA256MSG1: operation((b, x, y) =>
    fromWords(
      b,
      b.add(x[3], smallSigma0(b, y[0])),
      b.add(x[2], smallSigma0(b, x[3])),
      b.add(x[1], smallSigma0(b, x[2])),
      b.add(x[0], smallSigma0(b, x[1])),
    ),
  ),
  SHA256MSG2: operation((b, x, y) => {
    const w16 = b.add(x[0], smallSigma1(b, y[2]));
    const w17 = b.add(x[1], smallSigma1(b, y[3]));
    return fromWords(b, b.add(x[3], smallSigma1(b, w17)), b.add(x[2], smallSigma1(b, w16)), w17, w16);
  }),
};
