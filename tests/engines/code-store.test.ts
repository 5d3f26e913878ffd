/** Generated code on disk: used by the next run, and as good as none where it is damaged, of another build, or cannot be written. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { flatBench } from '../../src/cpu/engine/flat-bench.ts';
import { type GeneratedCode, S } from '../../src/cpu/index.ts';
import { CodeStore } from '../../src/node/index.ts';
import { HAS_KNOWN_SERIALIZER, setEngineFlags } from '../../src/node/v8-flags.ts';

const BUILD = 'the build under test';
const GUEST = 'a kernel';

/** Runs a hot loop; what its engine has generated, and how many regions it had to compile. */
function run(ready?: GeneratedCode): { generated: GeneratedCode; compiled: number } {
  const { cpu, engine, memory, at } = flatBench(ready === undefined ? {} : { ready });
  engine.code.compileAfter = 100;
  // mov ecx, 100000; l: dec ecx; jnz l; hlt
  memory.u8.set([0xb9, 0xa0, 0x86, 0x01, 0, 0xff, 0xc9, 0x75, 0xfc, 0xf4], at);
  for (let i = 0; i < 20; i++) {
    cpu.state.set(S.rip, at, 0);
    cpu.run();
    assert.equal(cpu.state.big(S.gpr + 8), 0n);
  }
  return { generated: engine.generated, compiled: engine.code.regionsCompiled };
}

const skip = !HAS_KNOWN_SERIALIZER && `code is kept by the V8 of Node 20 only, and this is ${process.version}`;

describe('generated code on disk', { skip }, () => {
  setEngineFlags();
  const cache = mkdtempSync(join(tmpdir(), 'seamulator-test-'));
  const before = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = cache;
  after(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(cache, { recursive: true });
  });
  const directory = join(cache, 'seamulator', 'code');
  const onlyFile = (): string => {
    const [name, ...more] = readdirSync(directory);
    assert.ok(name !== undefined && more.length === 0);
    return join(directory, name);
  };

  const first = run();
  new CodeStore(GUEST, BUILD).save(first.generated);
  const whole = readFileSync(onlyFile());

  test('is what the next run starts with, and compiles less', () => {
    const { stored } = new CodeStore(GUEST, BUILD);
    assert.ok(stored !== undefined);
    assert.equal(stored.regions.length, first.generated.regions.length);
    assert.deepEqual(Buffer.from(stored.templates()), Buffer.from(first.generated.templates()));
    assert.ok(first.compiled > 0);
    assert.equal(run(stored).compiled, 0);
  });

  test('another guest, and another build, find nothing', () => {
    assert.equal(new CodeStore('another kernel', BUILD).stored, undefined);
    assert.equal(new CodeStore(GUEST, 'another build').stored, undefined);
  });

  for (const [what, damage] of [
    ['its index changed', (bytes: Buffer) => bytes.fill(0x7b, 40, 60)],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['shorter than its digest', (bytes: Buffer) => bytes.subarray(0, 7)],
    ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
  ] as const)
    test(`a file that is damaged (${what}) is ignored, and replaced`, () => {
      writeFileSync(onlyFile(), damage(Buffer.from(whole)));
      const store = new CodeStore(GUEST, BUILD);
      assert.equal(store.stored, undefined);
      store.save(first.generated);
      assert.equal(new CodeStore(GUEST, BUILD).stored?.regions.length, first.generated.regions.length);
    });

  test('a module that is damaged is left out, and made anew', () => {
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 9]! ^= 1;
    writeFileSync(onlyFile(), damaged);
    const store = new CodeStore(GUEST, BUILD);
    assert.ok(store.stored !== undefined);
    const { generated, compiled } = run(store.stored);
    assert.ok(compiled > 0);
    store.save(generated);
    assert.equal(run(new CodeStore(GUEST, BUILD).stored).compiled, 0);
  });

  test('a file of another build is left alone, and does not end up in this one', () => {
    copyFileSync(onlyFile(), join(directory, 'f'.repeat(32)));
    const store = new CodeStore(GUEST, 'another build');
    assert.equal(store.stored, undefined);
    store.save(first.generated);
    assert.equal(readdirSync(directory).length, 3);
    assert.ok(new CodeStore(GUEST, BUILD).stored !== undefined);
  });

  test('a directory that cannot be written costs nothing but the head start', () => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'not a directory');
    const store = new CodeStore(GUEST, BUILD);
    assert.equal(store.stored, undefined);
    store.save(first.generated);
    rmSync(directory);
  });
});
