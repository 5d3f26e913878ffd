/** AES instructions (FIPS 197; SDM Vol. 2). The state's row r, column c is byte r + 4c. */
import { double, INVERSES, substitute } from './galois.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';
import { readAligned } from './vector-operand.ts';

const rotateLeft8 = (value: number, count: number): number => ((value << count) | (value >> (8 - count))) & 0xff;

/** The substitution box: the inverse in the field, then the affine map. */
const SUBSTITUTION = INVERSES.map((inverse) =>
  [1, 2, 3, 4].reduce((sum, count) => sum ^ rotateLeft8(inverse, count), inverse ^ 0x63),
);
const INVERSE_SUBSTITUTION = new Uint8Array(256);
for (const [value, substituted] of SUBSTITUTION.entries()) INVERSE_SUBSTITUTION[substituted] = value;

/** Row r moves left by r columns (right, backwards). */
const shiftRows = (b: Sem, state: Val, direction: 1 | -1): Val =>
  b.shuffle(
    state,
    state,
    Array.from({ length: 16 }, (_, i) => (i + direction * 4 * (i & 3) + 16) & 15),
  );

/** In each column, row r gets what was in row r + count. */
const rotateColumns = (b: Sem, state: Val, count: number): Val =>
  b.shuffle(
    state,
    state,
    Array.from({ length: 16 }, (_, i) => (i & 12) | ((i + count) & 3)),
  );

const exclusiveOr = (b: Sem, ...values: readonly Val[]): Val => values.reduce((x, y) => b.op('v128.xor', x, y));

/** Columns times 2, 3, 1, 1. */
function mixColumns(b: Sem, state: Val): Val {
  const doubled = double(b, state);
  const tripled = b.op('v128.xor', doubled, state);
  const [once, twice, thrice] = [1, 2, 3].map((count) => (value: Val) => rotateColumns(b, value, count));
  return exclusiveOr(b, doubled, once!(tripled), twice!(state), thrice!(state));
}

/** Columns times 14, 11, 13, 9: that is 2, 3, 1, 1 after 5, 0, 4, 0. */
function inverseMixColumns(b: Sem, state: Val): Val {
  const quadrupled = double(b, double(b, b.op('v128.xor', state, rotateColumns(b, state, 2))));
  return mixColumns(b, b.op('v128.xor', state, quadrupled));
}

const encryptLast = (b: Sem, state: Val): Val => substitute(b, shiftRows(b, state, 1), SUBSTITUTION);
const decryptLast = (b: Sem, state: Val): Val => substitute(b, shiftRows(b, state, -1), INVERSE_SUBSTITUTION);

/** A round of the state in the target with the key in the source. */
const round = (change: (b: Sem, state: Val) => Val): Operation => ({
  emit: (b, target, source) => {
    const key = readAligned(b, source!);
    target!.write(b.op('v128.xor', change(b, target!.read()), key));
  },
});

/** Substituted dwords 1 and 3, each also rotated right by a byte and with the round constant. */
const assistKeyGeneration: Operation = {
  emit: (b, target, source, immediate) => {
    const substituted = substitute(b, readAligned(b, source!), SUBSTITUTION);
    const arranged = b.shuffle(substituted, substituted, [4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12]);
    const constant = b.op('i64x2.splat', b.shl(b.extendU(b.wrap(immediate!.read())), 32));
    target!.write(b.op('v128.xor', arranged, constant));
  },
};

export const aesOperations: OperationTable = {
  AESENC: round((b, state) => mixColumns(b, encryptLast(b, state))),
  AESENCLAST: round(encryptLast),
  AESDEC: round((b, state) => inverseMixColumns(b, decryptLast(b, state))),
  AESDECLAST: round(decryptLast),
  AESIMC: { emit: (b, target, source) => target!.write(inverseMixColumns(b, readAligned(b, source!))) },
  AESKEYGENASSIST: assistKeyGeneration,
};
