/** Functions of a compiler's objects: arguments, relocations, and every way in which a call may end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LoadError } from '../../src/loader/index.ts';
import { type FunctionArgument, MODULE_VERSIONS, runFunction, SPR_PROFILE } from '../../src/machine/index.ts';

const SOURCE = `
extern void panic(const char *text);
extern void nowhere(void);
static long table[4] = { 10, 20, 30, 40 };
long *entry = &table[2];
long zeroed[3];
long many(long a, long b, long c, long d, long e, long f, long g, long h) { return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h; }
long through_pointers(long i) { zeroed[1] += table[i] + *entry; return zeroed[1]; }
struct pair { int first; long second; };
int swap(struct pair *p) { int old = p->first; p->first = (int)p->second; p->second = old; return -1; }
void give_up(void) { panic("enough"); }
volatile long hundred = 100;
long divide(long by) { return hundred / by; }
void cpuid(void) { __asm__ volatile("cpuid" : : "a"(2) : "ebx", "ecx", "edx"); }
void forever(void) { for (;;) __asm__ volatile("pause"); }
long ymm(long a) {
  long lanes[4] = { 1, 2, 3, 4 };
  __asm__ volatile("vmovq %1, %%xmm0; vpbroadcastq %%xmm0, %%ymm0; vpaddq (%0), %%ymm0, %%ymm0; vmovdqu %%ymm0, (%0)"
    : : "r"(lanes), "r"(a) : "memory");
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}
void breaks_abi(void) { __asm__ volatile("xor %r12d, %r12d"); }
#ifdef NOWHERE
void lost(void) { nowhere(); }
#endif
`;

/** Compiled once; undefined where there is no gcc for x86-64. */
function compile(...flags: string[]): Uint8Array | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
  try {
    writeFileSync(join(directory, 'f.c'), SOURCE);
    const object = join(directory, 'f.o');
    const options = ['-m64', '-O1', '-ffreestanding', '-mno-sse', '-mno-red-zone', '-w'];
    const { status } = spawnSync('gcc', [...options, ...flags, '-o', object, join(directory, 'f.c')]);
    return status === 0 ? new Uint8Array(readFileSync(object)) : undefined;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const relocatable = compile('-c', '-fno-pic', '-mcmodel=kernel');
const skip = relocatable === undefined ? 'no gcc for x86-64 here' : false;
const run = (symbol: string, args: FunctionArgument[] = [], bytes = relocatable!) =>
  runFunction({ object: { name: 'f.o', bytes }, symbol, args, maxInstructions: 100_000 });
const rax = (result: ReturnType<typeof run>) =>
  result.outcome.how === 'returned' ? result.outcome.rax : result.outcome;

test('eight integers travel in registers and on the stack', { skip }, () => {
  const result = run('many', [1n, 1n, 1n, 1n, 1n, -1n, 100n, 1000n]);
  assert.equal(rax(result), BigInt(1 + 2 + 3 + 4 + 5 - 6 + 700 + 8000));
  assert.deepEqual(result.clobbered, []);
});

test('a function may use the vector registers that its processor has', { skip }, () => {
  const call = { object: { name: 'f.o', bytes: relocatable! }, symbol: 'ymm', args: [10n], maxInstructions: 100_000 };
  const expected = BigInt(1 + 2 + 3 + 4 + 4 * 10);
  for (const moduleVersion of MODULE_VERSIONS)
    assert.equal(rax(runFunction({ ...call, cpu: SPR_PROFILE, moduleVersion })), expected);
  assert.equal(runFunction(call).outcome.how, 'exception', 'the minimal processor has no AVX');
});

test('data, pointers to data and zeroed data are where the code looks', { skip }, () => {
  assert.equal(rax(run('through_pointers', [1n])), 50n);
});

test('position-independent code finds its data too', { skip }, () => {
  const pic = compile('-c', '-fPIC');
  assert.equal(rax(run('through_pointers', [3n], pic)), 70n);
});

test('a static executable runs at its own addresses', { skip }, () => {
  const executable = compile('-static', '-nostdlib', '-no-pie', '-Wl,-e,many', '-Wl,--unresolved-symbols=ignore-all');
  assert.equal(rax(run('through_pointers', [1n], executable)), 50n);
});

test('a structure comes back changed', { skip }, () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setInt32(0, 7, true);
  new DataView(bytes.buffer).setBigInt64(8, 9n, true);
  const result = run('swap', [{ name: 'p', bytes }]);
  assert.equal(BigInt.asIntN(32, rax(result) as bigint), -1n);
  const after = new DataView(result.structures[0]!.after.buffer);
  assert.deepEqual([after.getInt32(0, true), after.getBigInt64(8, true)], [9, 7n]);
  assert.equal(result.structures[0]!.before[0], 7, 'what was passed stays as it was');
});

test('a panic, an exception, a #VE and an endless loop are ends with a cause', { skip }, () => {
  const panicked = run('give_up').outcome;
  assert.equal(panicked.how === 'panicked' && panicked.symbol, 'panic');
  const long = { object: { name: 'f.o', bytes: relocatable! }, symbol: 'give_up', args: Array<bigint>(9).fill(1n) };
  assert.equal(runFunction({ ...long, cpu: SPR_PROFILE }).outcome.how, 'panicked', 'wherever the call itself lies');
  const divided = run('divide', [0n]).outcome;
  assert.equal(divided.how === 'exception' && divided.vector, 0);
  const virtualised = run('cpuid').outcome;
  assert.equal(virtualised.how === 'exception' && virtualised.vector, 20);
  const endless = run('forever').outcome;
  assert.equal(endless.how === 'ended' && endless.end.cause, 'instruction-limit');
});

test('a function that does not restore its registers is found out', { skip }, () => {
  assert.deepEqual(run('breaks_abi').clobbered, ['r12']);
});

test('what cannot run is refused in one sentence', { skip }, () => {
  const refused = (sentence: RegExp, body: () => unknown) =>
    assert.throws(body, (error: unknown) => error instanceof LoadError && sentence.test(error.message));
  refused(/f\.o has no symbol missing: it has /, () => run('missing'));
  refused(/needs the symbol nowhere/, () => run('many', [], compile('-c', '-fno-pic', '-DNOWHERE')!));
  const high = compile(
    '-static',
    '-nostdlib',
    '-no-pie',
    '-Wl,-e,many',
    '-Wl,-Ttext-segment=0x60000000',
    '-Wl,--unresolved-symbols=ignore-all',
  );
  refused(/many wants address 0x6[0-9a-f]+, past the 0x40000000 bytes/, () => run('many', [], high));
  refused(/not an ELF file/, () => run('many', [], new TextEncoder().encode('hello')));
  refused(/structures have \d+ bytes/, () => run('swap', [{ name: 'p', bytes: new Uint8Array(1 << 20) }]));
});
