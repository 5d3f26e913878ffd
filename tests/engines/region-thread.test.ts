/** The thread that compiles: its regions are used, and its death ends nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FlatBench, flatBench } from '../../src/cpu/engine/flat-bench.ts';
import { S } from '../../src/cpu/index.ts';
import { RegionThread } from '../../src/node/index.ts';

const RAX = S.gpr;
const LOOPS = 16;

/** A loop that adds 1 to RAX a hundred thousand times, in each of many pages; the event loop turns in between. */
async function run({ cpu, memory, at }: FlatBench): Promise<void> {
  // mov ecx, 100000; l: inc rax; dec ecx; jnz l; hlt
  const loop = [0xb9, 0xa0, 0x86, 0x01, 0x00, 0x48, 0xff, 0xc0, 0xff, 0xc9, 0x75, 0xf9, 0xf4];
  cpu.state.set(RAX, 0, 0);
  for (let page = 0; page < LOOPS; page++) {
    memory.u8.set(loop, at + page * 4096);
    cpu.state.set(S.rip, at + page * 4096, 0);
    cpu.run();
    await sleep(5);
  }
  assert.equal(cpu.state.big(RAX), BigInt(LOOPS) * 100_000n);
}

/** Of the threads of this process, by Linux (proc(5), /proc/pid/stat, field 19). */
const niceness = (): number[] =>
  readdirSync('/proc/self/task').map((thread) =>
    Number(readFileSync(`/proc/self/task/${thread}/stat`, 'latin1').replace(/.*\) /, '').split(' ')[16]),
  );

const script = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

describe('the thread that compiles', () => {
  test('compiles while the guest runs, and is asked how long it has worked', async () => {
    const deaths: string[] = [];
    const thread = new RegionThread((reason) => deaths.push(reason));
    const bench = flatBench({ compiler: thread });
    await run(bench);
    for (let waits = 0; bench.engine.code.regionsCompiled === 0 && waits < 200; waits++) {
      await sleep(50);
      bench.engine.code.collect();
    }
    assert.ok(bench.engine.code.regionsCompiled > 0);
    assert.ok(thread.busyMilliseconds > 0);
    if (process.platform === 'linux') assert.equal(Math.max(...niceness()), Math.min(getPriority() + 10, 19));
    await thread.close();
    assert.deepEqual(deaths, [], 'to be closed is no death');
  });

  for (const [how, text, reason] of [
    ['throws', 'throw new Error("out of memory")', /out of memory/],
    ['ends', 'process.exit(3)', /ended with 3/],
  ] as const)
    test(`if it ${how}, the run goes on without it, and this is said once`, async () => {
      const deaths: string[] = [];
      const bench = flatBench({ compiler: new RegionThread((why) => deaths.push(why), script(text)) });
      const { code } = bench.engine;
      await run(bench);
      for (let waits = 0; deaths.length === 0 && waits < 200; waits++) await sleep(50);
      await run(bench);
      assert.equal(deaths.length, 1);
      assert.match(deaths[0]!, reason);
      assert.equal(code.regionsCompiled, 0);
    });
});
