/**
 * SHA-384 as WebAssembly: a build measures 20 MB, which arithmetic on 32-bit halves takes ten times as long for.
 * Source: FIPS 180-4, sections 4.1.3, 4.2.3, 5.3.4, 6.4.
 */
import { invariant } from '../bits/index.ts';
import { Code, encodeModule } from '../wasm/index.ts';
import { bytesOf, type Hashed } from './labelled-stream.ts';

/** Bytes of a block of SHA-384. */
export const SHA384_BLOCK_BYTES = 128;

const ROUNDS = 80;
const WORDS = 16;
const STATE_WORDS = 8;
const DIGEST_BYTES = 48;
/** where the input lies in the memory of the function: behind the state */
const INPUT = 4096;
const MEMORY_PAGES = 2;
/** Blocks for one call: few enough to be fed from small pieces, enough to be worth the call. */
const CALL_BYTES = 65536;

/** Reverses the bytes of both 64-bit lanes. */
const SWAP = [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8];

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  return primes;
}

/** First 64 bits of the fractional part of the root of `prime` of that degree. */
function rootFraction(prime: bigint, degree: bigint): bigint {
  const scaled = prime << (64n * degree);
  let root = 0n;
  for (let bit = 1n << 70n; bit > 0n; bit >>= 1n) if ((root | bit) ** degree <= scaled) root |= bit;
  return BigInt.asUintN(64, root);
}

/** `run(blocks)`: compresses that many blocks at INPUT into the state at 0. */
function compile(memory: WebAssembly.Memory): (blocks: number) => void {
  const constants = firstPrimes(ROUNDS).map((prime) => rootFraction(prime, 3n));
  const code = new Code(1);
  const blocks = 0;
  const at = code.local('i32');
  const pair = code.local('v128');
  const t = code.local('i64');
  const locals = (count: number) => Array.from({ length: count }, () => code.local('i64'));
  const w = locals(WORDS);
  const working = locals(STATE_WORDS);

  /** pushes the exclusive or of three rotations, or of two and a shift */
  const mix = (
    x: number,
    first: number,
    second: number,
    third: number,
    last: 'i64.rotr' | 'i64.shr_u' = 'i64.rotr',
  ) => {
    const turned = (op: string, by: number) => {
      code.get(x);
      code.i64(BigInt(by));
      code.op(op);
    };
    turned('i64.rotr', first);
    turned('i64.rotr', second);
    code.op('i64.xor');
    turned(last, third);
    code.op('i64.xor');
  };

  code.i32(INPUT);
  code.set(at);
  code.loop();
  working.forEach((local, i) => {
    code.i32(0);
    code.memory('i64.load', i * 8);
    code.set(local);
  });
  for (let i = 0; i < WORDS; i += 2) {
    code.get(at);
    code.memory('v128.load', i * 8);
    code.tee(pair);
    code.get(pair);
    code.shuffle(SWAP);
    code.tee(pair);
    code.lane('i64x2.extract_lane', 0);
    code.set(w[i]!);
    code.get(pair);
    code.lane('i64x2.extract_lane', 1);
    code.set(w[i + 1]!);
  }
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b, c, d, e, f, g, h] = Array.from(
      { length: STATE_WORDS },
      (_, i) => working[(i - round + ROUNDS) % STATE_WORDS]!,
    ) as [number, number, number, number, number, number, number, number];
    const word = w[round % WORDS]!;
    if (round >= WORDS) {
      code.get(word);
      mix(w[(round + 1) % WORDS]!, 1, 8, 7, 'i64.shr_u');
      code.op('i64.add');
      code.get(w[(round + 9) % WORDS]!);
      code.op('i64.add');
      mix(w[(round + 14) % WORDS]!, 19, 61, 6, 'i64.shr_u');
      code.op('i64.add');
      code.set(word);
    }
    // t = h + Sigma1(e) + Ch(e, f, g) + K + W
    code.get(h);
    mix(e, 14, 18, 41);
    code.op('i64.add');
    code.get(f);
    code.get(g);
    code.op('i64.xor');
    code.get(e);
    code.op('i64.and');
    code.get(g);
    code.op('i64.xor');
    code.op('i64.add');
    code.i64(BigInt.asIntN(64, constants[round]!));
    code.op('i64.add');
    code.get(word);
    code.op('i64.add');
    code.tee(t);
    code.get(d);
    code.op('i64.add');
    code.set(d); // is e of the next round
    // h = t + Sigma0(a) + Maj(a, b, c), which is a of the next round
    code.get(t);
    mix(a, 28, 34, 39);
    code.op('i64.add');
    code.get(a);
    code.get(b);
    code.op('i64.or');
    code.get(c);
    code.op('i64.and');
    code.get(a);
    code.get(b);
    code.op('i64.and');
    code.op('i64.or');
    code.op('i64.add');
    code.set(h);
  }
  working.forEach((local, i) => {
    code.i32(0);
    code.i32(0);
    code.memory('i64.load', i * 8);
    code.get(local);
    code.op('i64.add');
    code.memory('i64.store', i * 8);
  });
  code.get(at);
  code.i32(SHA384_BLOCK_BYTES);
  code.op('i32.add');
  code.set(at);
  code.get(blocks);
  code.i32(1);
  code.op('i32.sub');
  code.tee(blocks);
  code.brIf(0);
  code.end();

  const bytes = encodeModule({
    types: [{ parameters: ['i32'], results: [] }],
    imports: [],
    table: false,
    functions: [{ type: 0, code }],
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports['0'] as (blocks: number) => void;
}

interface Core {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly run: (blocks: number) => void;
}

let core: Core | undefined;

function sharedCore(): Core {
  if (core === undefined) {
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    core = { bytes: new Uint8Array(memory.buffer), view: new DataView(memory.buffer), run: compile(memory) };
  }
  return core;
}

/** SHA-384 of the pieces, one behind the other; each but the last is a whole number of blocks. */
export type Sha384 = (pieces: Iterable<Uint8Array>) => Uint8Array<ArrayBuffer>;

/** What a platform may do better. */
export interface Sha384Platform {
  readonly hash: Sha384;
  /** Begins to hash; the digest is there when it is asked for. Until then what is hashed does not change. */
  begin(hashed: Hashed): () => Uint8Array<ArrayBuffer>;
  /** Memory for parts of a stream, to be filled. */
  buffer(bytes: number): ArrayBufferLike;
}

let chosen: Sha384Platform = {
  hash: generatedSha384,
  begin: (hashed) => () => generatedSha384(bytesOf(hashed)),
  buffer: (bytes) => new ArrayBuffer(bytes),
};

export const sha384: Sha384 = (pieces) => chosen.hash(pieces);
export const beginSha384: Sha384Platform['begin'] = (hashed) => chosen.begin(hashed);
export const sha384Buffer: Sha384Platform['buffer'] = (bytes) => chosen.buffer(bytes);

/** Lets a platform put its own in place: the same digests, sooner. */
export function useSha384(own: Sha384Platform): void {
  chosen = own;
}

export function generatedSha384(pieces: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const { bytes, view, run } = sharedCore();
  firstPrimes(2 * STATE_WORDS)
    .slice(STATE_WORDS)
    .forEach((prime, i) => {
      view.setBigUint64(i * 8, rootFraction(prime, 2n), true);
    });
  let lengthBytes = 0;
  let rest = new Uint8Array();
  for (const piece of pieces) {
    invariant(rest.length === 0, 'only the last piece may end within a block');
    const wholeBytes = piece.length - (piece.length % SHA384_BLOCK_BYTES);
    for (let start = 0; start < wholeBytes; start += CALL_BYTES) {
      const part = piece.subarray(start, Math.min(start + CALL_BYTES, wholeBytes));
      bytes.set(part, INPUT);
      run(part.length / SHA384_BLOCK_BYTES);
    }
    rest = piece.slice(wholeBytes);
    lengthBytes += piece.length;
  }
  // the rest, a one bit, zeros, and the length in the last 16 bytes of a block
  const blocks = rest.length + 17 > SHA384_BLOCK_BYTES ? 2 : 1;
  bytes.fill(0, INPUT, INPUT + blocks * SHA384_BLOCK_BYTES);
  bytes.set(rest, INPUT);
  bytes[INPUT + rest.length] = 0x80;
  view.setBigUint64(INPUT + blocks * SHA384_BLOCK_BYTES - 8, BigInt(lengthBytes) * 8n);
  run(blocks);
  const digest = new Uint8Array(DIGEST_BYTES);
  const words = new DataView(digest.buffer);
  for (let i = 0; i < DIGEST_BYTES; i += 8) words.setBigUint64(i, view.getBigUint64(i, true));
  return digest;
}
