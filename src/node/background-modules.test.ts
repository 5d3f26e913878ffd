import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { BackgroundModules } from './background-modules.ts';
import { BackgroundThread } from './background-thread.ts';
import { digestOf, type StoredModule } from './stored-module.ts';
import { HAS_KNOWN_SERIALIZER, setEngineFlags } from './v8-flags.ts';

/** magic number and version: a module of nothing */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const BEGINS_AT = 5;
const stored: StoredModule[] = [0, 1, 2].map((i) => ({
  bytes: [i * EMPTY.length, (i + 1) * EMPTY.length],
  native: null,
  digest: digestOf(i === 1 ? Uint8Array.of(1) : EMPTY).toString('base64'),
  optimised: 0,
}));

/** Of the modules 0, 2 and 1, in this order, those that a thread has ready within `milliseconds`. */
async function taken(milliseconds: number, script?: URL): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-modules-'));
  const path = join(directory, 'modules');
  writeFileSync(path, Buffer.concat([Buffer.alloc(BEGINS_AT), EMPTY, EMPTY, EMPTY]));
  const file = openSync(path, 'r');
  try {
    const modules = new BackgroundModules({ file, modulesAt: BEGINS_AT }, () => stored, new BackgroundThread(script));
    const got: number[] = [];
    const deadline = Date.now() + milliseconds;
    while (got.length < 2 && Date.now() < deadline) {
      for (const index of [0, 2, 1]) if (modules.take(index) instanceof WebAssembly.Module) got.push(index);
      await pause(5);
    }
    return got;
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true });
  }
}

const skip = !HAS_KNOWN_SERIALIZER && `code is kept by the V8 of Node 20 only, and this is ${process.version}`;

test('a thread makes modules ready, and gives each once; one that is damaged it leaves out', { skip }, async () => {
  setEngineFlags(); // name the serialiser
  assert.deepEqual((await taken(20_000)).sort(), [0, 2]);
});

test('a thread that fails has nothing ready, and nobody waits for it', async () => {
  assert.deepEqual(await taken(200, new URL('data:text/javascript,throw new Error("of the thread");')), []);
});
