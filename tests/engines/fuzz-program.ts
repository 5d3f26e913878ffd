/**
 * Random programs for user mode: instructions of every kind that the isa tests know, branches to and fro, stores into the program itself, operands
 * that fault. What a store leaves behind may be any bytes; user mode keeps that harmless.
 */
import { CODE_BASE, DATA_BASE, SLOT_BYTES } from '../isa/batch.ts';
import type { FormUnderTest } from '../isa/driver.ts';
import { type Encoded, encode } from '../isa/encode.ts';
import { BMI_FORMS, INTEGER_FORMS } from '../isa/integer-forms.ts';
import type { Random } from '../isa/random.ts';
import { TRANSCENDENTAL_FORMS, VECTOR_FORMS, VEX_FORMS, X87_FORMS } from '../isa/vector-forms.ts';

export const CODE_BYTES = 0x3000;
/** the code pages once more, to write to */
export const ALIAS_BASE = 0x1800_0000;
/** a page whose write right comes and goes */
export const FICKLE_PAGE = DATA_BASE + 0x2000;
const NOWHERE = 0x2100_0000;

const forms = (...tables: (readonly FormUnderTest[])[]): readonly FormUnderTest[] =>
  tables.flat().filter(({ modes }) => modes.includes(64));

/** Tables of instructions, each as often as its weight. */
const KINDS: readonly { readonly weight: number; readonly forms: readonly FormUnderTest[] }[] = [
  { weight: 24, forms: forms(INTEGER_FORMS) },
  { weight: 3, forms: forms(BMI_FORMS) },
  { weight: 4, forms: forms(VECTOR_FORMS) },
  { weight: 6, forms: forms(...VEX_FORMS.values()) },
  { weight: 2, forms: forms(X87_FORMS, TRANSCENDENTAL_FORMS) },
];

/** What the programs of one seed are made of: some forms of each kind, because each has a price when it is first decoded. */
export type Vocabulary = readonly FormUnderTest[];

const WORDS_PER_WEIGHT = 5;

export function randomVocabulary(random: Random): Vocabulary {
  return KINDS.flatMap(({ weight, forms }) =>
    Array.from({ length: weight * WORDS_PER_WEIGHT }, () => random.of(forms)),
  );
}

/** Instructions that are no plain computation: time, processor, host. */
const ODD: readonly (readonly number[])[] = [
  [0x0f, 0x31], // RDTSC
  [0x0f, 0x01, 0xf9], // RDTSCP
  [0x0f, 0xa2], // CPUID, which exits
  [0x66, 0x0f, 0x01, 0xcc], // TDCALL, which exits
  [0x0f, 0xc7, 0xf0], // RDRAND EAX
  [0xf3, 0x90], // PAUSE
  [0xf4], // HLT
  [0xfa], // CLI
  [0xcd, 0x20], // INT 20h
  [0xcc], // INT3
  [0x9c], // PUSHFQ
  [0x9d], // POPFQ
  [0x0f, 0xae, 0xf8], // SFENCE
  [0x0f, 0x05], // SYSCALL
  [0x0f, 0x01, 0xd0], // XGETBV
  [0x0f, 0x77], // EMMS
  [0xc5, 0xf8, 0x77], // VZEROUPPER
];

const word32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

/** MOV r64, imm */
function load(register: number, value: bigint): number[] {
  const bytes = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return [0x48 | (register >> 3), 0xb8 | (register & 7), ...bytes];
}

/** An address worth an access. */
function target(random: Random): number {
  switch (random.below(24)) {
    case 0:
      return CODE_BASE + random.below(CODE_BYTES);
    case 1:
      return ALIAS_BASE + random.below(CODE_BYTES);
    case 2:
      return NOWHERE + random.below(4096);
    case 3:
    case 4:
      return FICKLE_PAGE + random.below(4096);
    case 5:
    case 6:
      return DATA_BASE + 0x1000 - random.below(40); // across pages
    default:
      return DATA_BASE + 64 * random.below(128) + random.of([0, 0, 0, 8, 16, 32, 1, 63]);
  }
}

/** Instructions that give the memory operand's registers values with which it lies where `target` says. */
function place(random: Random, { memory }: Encoded): number[] {
  if (memory === undefined || memory.base < 0 || random.chance(4)) return [];
  const bytes: number[] = [];
  let offset = target(random) - memory.displacement;
  if (memory.index >= 0) {
    const index = random.below(64);
    bytes.push(...load(memory.index, BigInt(index)));
    offset -= index << memory.scale;
  }
  return [...bytes, ...load(memory.base, BigInt.asUintN(64, BigInt(offset)))];
}

/** A near branch from `at` to anywhere in the program, or not far. */
function branch(random: Random, at: number): number[] {
  const opcode = random.below(16);
  if (random.chance(3)) return [0x70 | opcode, random.below(256)];
  const to = random.chance(2) ? random.below(CODE_BYTES) : Math.max(0, at - random.below(300));
  if (random.chance(8)) return [0xe8, ...word32(to - at - 5)];
  if (random.chance(8)) return [0xe9, ...word32(to - at - 5)];
  return [0x0f, 0x80 | opcode, ...word32(to - at - 6)];
}

/** A store of random bytes to the program itself, near or anywhere. */
function selfModification(random: Random, at: number): number[] {
  const to = random.chance(2) ? at + random.below(80) - 40 : random.below(CODE_BYTES);
  const base = random.chance(2) ? CODE_BASE : ALIAS_BASE;
  return [...load(7, BigInt(base + Math.max(0, to))), ...random.of([[0xaa], [0xab], [0xc6, 0x07, random.below(256)]])];
}

function piece(random: Random, vocabulary: Vocabulary, at: number): number[] {
  const kind = random.below(100);
  if (kind < 16) return branch(random, at);
  if (kind < 17) return selfModification(random, at);
  if (kind < 19) return [...random.of(ODD)];
  if (kind < 22) return [...load(4, BigInt(DATA_BASE + 8 * random.below(512)))]; // a stack
  if (kind < 25) return [...load(1, BigInt(random.below(40)))]; // a count
  const { name, template } = random.of(vocabulary);
  const encoded = encode(random, name, template, 64, Math.floor(at / SLOT_BYTES));
  return [...place(random, encoded), ...encoded.bytes];
}

/** CODE_BYTES of code for CODE_BASE. */
export function randomProgram(random: Random, vocabulary: Vocabulary): Uint8Array {
  const code: number[] = [];
  while (code.length < CODE_BYTES) code.push(...piece(random, vocabulary, code.length));
  return Uint8Array.from(code.slice(0, CODE_BYTES));
}
