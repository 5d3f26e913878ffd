/** A profile of a guest: the same in every engine, and the run does not notice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestProfile, type SymbolLookup } from '../../src/debug/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { type EngineChoice, TdxPlatform } from '../../src/machine/index.ts';
import { PROGRAM_GPA, smallTd } from '../tdx/small-td.ts';
import { powerOff } from '../tdx/small-td-calls.ts';

/** Two loops, of three and one million rounds; each begins a page, so that its address names it. */
function program(a: Assembler): void {
  a.jmp('long');
  a.align(4096);
  a.label('long');
  a.mov(r.ecx, 3_000_000);
  a.label('first');
  a.add(r.rax, r.rcx);
  a.dec(r.ecx);
  a.jnz('first');
  a.jmp('short');
  a.align(4096);
  a.label('short');
  a.mov(r.ecx, 1_000_000);
  a.label('second');
  a.xor(r.rax, r.rcx);
  a.dec(r.ecx);
  a.jnz('second');
  powerOff(a);
}

const page = (address: bigint): number => Math.floor((Number(address) - PROGRAM_GPA) / 4096);
const symbols: SymbolLookup = (address) => ['start', 'long+0x9', 'short+0x9'][page(address)];

function live(engine: EngineChoice, withProfile: boolean) {
  const platform = new TdxPlatform({ memoryBytes: 16 << 20, engine });
  const td = platform.buildTd(smallTd(program));
  const profile = new GuestProfile();
  if (withProfile) profile.attach(platform);
  const { end, instructions } = td.run();
  assert.equal(end.cause, 'power-off');
  return { instructions, ticks: platform.clock.nowTicks, folded: profile.folded(symbols) };
}

describe('a profile of a guest', () => {
  const { folded, ...run } = live('compiler', true);

  test('counts the samples of each function, the most frequent first', () => {
    const counts = new Map(
      folded
        .trim()
        .split('\n')
        .map((line) => /^(.+) (\d+)$/.exec(line)!)
        .map(([, stack, samples]) => [stack!, Number(samples)]),
    );
    assert.equal([...counts.keys()][0], 'kernel;long');
    // nine and three million instructions, one sample each hundred thousand
    assert.ok(Math.abs(counts.get('kernel;long')! - 90) <= 2, folded);
    assert.ok(Math.abs(counts.get('kernel;short')! - 30) <= 2, folded);
  });

  for (const engine of ['interpreter', 'mixed'] as const)
    test(`is the same with the engine "${engine}"`, () => {
      assert.equal(live(engine, true).folded, folded);
    });

  test('does not change the run', () => {
    const { folded: nothing, ...without } = live('compiler', false);
    assert.equal(nothing, '');
    assert.deepEqual(run, without);
  });
});
