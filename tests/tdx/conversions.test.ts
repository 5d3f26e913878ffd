/** Pages that change halves, in the TD's life: asked for, not asked for, and what is left of their content. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem64, r } from '../../src/isa/index.ts';
import { SHIM_ROM_GPA } from '../../src/loader/index.ts';
import { HOST_PROFILES, type HostProfile, TdxPlatform } from '../../src/machine/index.ts';
import { smallTd } from './small-td.ts';
import { moduleCall, powerOff, print, vmmCall } from './small-td-calls.ts';

const MIB = 1 << 20;
const SHARED_BIT = 1n << 47n;
/** a large page of accepted RAM, and the identity map's entry for it */
const PAGE = 0x20_0000;
const ENTRY = SHIM_ROM_GPA + 0x2000 + 8;

function live(host: HostProfile['name'], program: (a: Assembler) => void) {
  const hostProfile = HOST_PROFILES.find(({ name }) => name === host)!;
  const platform = new TdxPlatform({ memoryBytes: 16 * MIB, hostProfile });
  let text = '';
  const td = platform.buildTd(smallTd(program), { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
  const { end } = td.run({ instructions: 1_000_000 });
  return { text, td, end: end.cause === 'unhandled-exit' ? end.sentence : end.cause };
}

/** The guest's own tables: linear PAGE leads to its private or its shared half from now on. */
function use(a: Assembler, half: 'private' | 'shared'): void {
  a.mov(r.rbx, ENTRY);
  a.mov(r.rax, (half === 'shared' ? SHARED_BIT : 0n) + BigInt(PAGE) + 0xe7n);
  a.mov(mem64(r.rbx), r.rax);
  a.mov(r.rax, r.cr3);
  a.mov(r.cr3, r.rax);
}

function write(a: Assembler, letter: string): void {
  a.mov(r.rbx, PAGE);
  a.mov(mem64(r.rbx), letter.charCodeAt(0));
}

/** Prints the letter that is there, "0" where there is none. */
function show(a: Assembler): void {
  const something = `something-${a.offset}`;
  a.mov(r.rbx, PAGE);
  a.mov(r.r15, mem64(r.rbx));
  a.test(r.r15, r.r15);
  a.jnz(something);
  a.mov(r.r15d, '0'.charCodeAt(0));
  a.label(something);
  print(a, r.r15);
}

const map = (a: Assembler, half: 'private' | 'shared', bytes = 0x1000) =>
  vmmCall(a, TdvmcallLeaf.MAP_GPA, (half === 'shared' ? SHARED_BIT : 0n) + BigInt(PAGE), bytes);

function accept(a: Assembler, level: 0 | 1 = 0): void {
  a.mov(r.ecx, PAGE + level);
  moduleCall(a, TdgLeaf.MEM_PAGE_ACCEPT);
  a.lea(r.r15, mem64(r.rax, 'A'.charCodeAt(0)));
  print(a, r.r15);
}

describe('pages that change halves', () => {
  test('private, shared, private, shared: nothing of the content survives, whoever the host is', () => {
    for (const { name } of HOST_PROFILES) {
      const { text, end } = live(name, (a) => {
        write(a, 'P');
        show(a);
        map(a, 'shared');
        use(a, 'shared');
        show(a);
        write(a, 'S');
        show(a);
        map(a, 'private');
        use(a, 'private');
        accept(a);
        show(a);
        write(a, 'Q');
        map(a, 'shared');
        use(a, 'shared');
        show(a);
        powerOff(a);
      });
      assert.deepEqual([text, end], ['P0SA00', 'power-off'], name);
    }
  });

  test('a private page used as shared: QEMU converts it, Cloud Hypervisor gives up', () => {
    const program = (a: Assembler) => {
      write(a, 'P');
      use(a, 'shared');
      show(a);
      write(a, 'S');
      show(a);
      powerOff(a);
    };
    const converted = live('qemu', program);
    assert.deepEqual([converted.text, converted.end], ['0S', 'power-off']);
    assert.deepEqual([...converted.td.host.sharedMemory.read(PAGE, 2)!], ['S'.charCodeAt(0), 0], 'the host sees it');
    assert.match(live('cloud-hypervisor', program).end, /page 0x200000 as shared before it asked for that/);
    assert.equal(live('strict', program).end, 'triple-fault', '#VE, and no handler');
  });

  test('a shared page used as private: QEMU makes it private again, and then it has to be accepted', () => {
    const program = (accepts: boolean) => (a: Assembler) => {
      map(a, 'shared');
      use(a, 'shared');
      write(a, 'S');
      use(a, 'private');
      if (accepts) accept(a);
      show(a);
      powerOff(a);
    };
    const converted = live('qemu', program(true));
    assert.deepEqual([converted.text, converted.end], ['A0', 'power-off']);
    assert.equal(converted.td.host.sharedMemory.isMapped(PAGE), false);
    assert.match(live('qemu', program(false)).end, /private page 0x200000 before it accepted it/);
    for (const host of ['cloud-hypervisor', 'hyperv-like', 'strict'] as const)
      assert.match(live(host, program(true)).end, /page 0x200000 as private after it made it shared/);
  });
});
