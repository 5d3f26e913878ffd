/** TDs of several vCPUs: their turns, the interrupts between them, and what one does to the other's code and translations. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem, mem8, mem32, mem64, memAt, r } from '../../src/isa/index.ts';
import { buildAcpiTables, SHIM_ROM_GPA } from '../../src/loader/index.ts';
import { BOARD, type EngineChoice, type PlatformOptions, TdxPlatform } from '../../src/machine/index.ts';
import { MAILBOX_GPA, smallTd } from './small-td.ts';
import { moduleCall, powerOff, print, vmmCall, writeMsr } from './small-td-calls.ts';
import {
  DATA_GPA,
  endOfInterrupt,
  get,
  loadIdt,
  put,
  setGate,
  takeStack,
  waitFor,
  wake,
  X2apicMsr,
} from './smp-calls.ts';

const MIB = 1 << 20;
const LIMIT = 50_000_000;
const VECTOR = 0x50;
const VE_VECTOR = 20;

type Options = Partial<PlatformOptions>;
const ENGINES: readonly EngineChoice[] = ['compiler', 'interpreter', 'mixed'];

function build(program: (a: Assembler) => void, vcpus: number, options: Options) {
  const platform = new TdxPlatform({ memoryBytes: 16 * MIB, ...options });
  const output: string[] = [];
  const td = platform.buildTd(smallTd(program, vcpus), {
    consoleOutput: (byte) => output.push(String.fromCharCode(byte)),
  });
  return { platform, td, output };
}

/** What two runs that are the same run share. */
function facts({ platform, output }: ReturnType<typeof build>) {
  const { memory } = platform;
  const ram = memory.u8.subarray(memory.ramBase, memory.ramBase + memory.ramBytes);
  return {
    text: output.join(''),
    ticks: platform.clock.nowTicks,
    memory: createHash('sha256').update(ram).digest('hex'),
  };
}

function live(program: (a: Assembler) => void, vcpus: number, options: Options = {}) {
  const built = build(program, vcpus, options);
  const { end, instructions } = built.td.run({ instructions: LIMIT });
  return { end, instructions, ...facts(built) };
}

/** Lives the program in every engine; they must agree to the last bit. */
function liveInAll(program: (a: Assembler) => void, vcpus: number) {
  const [compiled, ...others] = ENGINES.map((engine) => live(program, vcpus, { engine }));
  for (const other of others) assert.deepEqual(other, compiled);
  assert.deepEqual(compiled!.end, { cause: 'power-off' });
  return compiled!;
}

/** Three vCPUs race for places in a log, which the first one prints. */
function race(a: Assembler): void {
  const [RACERS, ROUNDS, WORK] = [3, 20, 9000];
  const Log = { next: 0, first: 0x100 } as const;
  const contend = (index: number) => {
    a.mov(r.esi, ROUNDS);
    a.label(`round-${index}`);
    a.mov(r.ecx, WORK);
    a.label(`work-${index}`);
    a.dec(r.ecx);
    a.jnz(`work-${index}`);
    a.mov(r.rbx, DATA_GPA);
    a.mov(r.eax, 1);
    a.lockXadd(mem32(r.rbx, Log.next), r.eax);
    a.mov(mem8(r.rbx, Log.first, { index: r.rax }), 'a'.charCodeAt(0) + index);
    a.dec(r.esi);
    a.jnz(`round-${index}`);
  };
  wake(a, 1, 'one');
  wake(a, 2, 'two');
  contend(0);
  waitFor(a, Log.next, RACERS * ROUNDS);
  a.mov(r.rbp, DATA_GPA + Log.first);
  a.label('letter');
  a.movzx(r.r15d, mem8(r.rbp));
  print(a, r.r15);
  a.inc(r.rbp);
  a.cmp(r.rbp, DATA_GPA + Log.first + RACERS * ROUNDS);
  a.jne('letter');
  powerOff(a);
  for (const [index, name] of [
    [1, 'one'],
    [2, 'two'],
  ] as const) {
    a.label(name);
    contend(index);
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 1);
  }
}

describe('the order of turns', () => {
  test('comes from the seed: the same seed, the same run in every engine; another seed, another order', () => {
    const first = liveInAll(race, 3);
    assert.equal(first.text.length, 60);
    assert.deepEqual(live(race, 3), first);
    const others = [2, 3, 4].map((seed) => live(race, 3, { seed }).text);
    for (const text of others) assert.deepEqual([...text].sort(), [...first.text].sort());
    assert.equal(new Set([first.text, ...others]).size, 4, 'four seeds, four orders');
  });

  test('does not depend on how a run is cut into slices', () => {
    const whole = live(race, 3);
    const sliced = build(race, 3, {});
    let instructions = 0;
    for (;;) {
      const run = sliced.td.run({ instructions: 7919 });
      instructions += run.instructions;
      if (run.end.cause !== 'instruction-limit') break;
    }
    const { end: _, ...expected } = whole;
    assert.deepEqual({ instructions, ...facts(sliced) }, expected);
  });

  test('who waits for another with PAUSE costs next to nothing', () => {
    const WORK = 1_000_000;
    const { instructions } = liveInAll((a) => {
      wake(a, 1, 'one');
      waitFor(a, 0, 1);
      powerOff(a);
      a.label('one');
      a.mov(r.ecx, WORK);
      a.label('work');
      a.dec(r.ecx);
      a.jnz('work');
      put(a, 0, 1);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 1);
    }, 2);
    assert.ok(instructions < 2 * WORK * 1.02, `${instructions} instructions`);
  });

  test('time is skipped when all wait, not spun away', () => {
    const DEADLINE = 30_000_000;
    const { instructions, ticks } = liveInAll((a) => {
      wake(a, 1, 'one');
      wake(a, 2, 'one');
      wake(a, 3, 'one');
      writeMsr(a, X2apicMsr.spuriousVector, 0x1ff);
      writeMsr(a, 0x832, 0x4_0000 | VECTOR);
      writeMsr(a, 0x6e0, DEADLINE);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
      powerOff(a);
      a.label('one');
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
    }, 4);
    assert.ok(ticks >= DEADLINE, `${ticks} ticks`);
    assert.ok(instructions < 50_000, `${instructions} instructions`);
  });
});

describe('vCPUs together', () => {
  test('APIC ids: the MADT, CPUID, the topology leaf and the x2APIC agree; one package', () => {
    const VCPUS = 4;
    const { bytes } = buildAcpiTables(BOARD, VCPUS, 0x8_0000, {
      mailboxGpa: MAILBOX_GPA,
      switchedOffGpa: SHIM_ROM_GPA,
    });
    const madt = bytes.subarray(Buffer.from(bytes).indexOf('APIC'));
    const madtIds: number[] = [];
    for (let at = 44; at < new DataView(madt.buffer, madt.byteOffset).getUint32(4, true); at += madt[at + 1]!)
      if (madt[at] === 0) madtIds.push(madt[at + 3]!);

    const digit = (a: Assembler) => {
      a.add(r.r15d, '0'.charCodeAt(0));
      print(a, r.r15);
    };
    const identify = (a: Assembler) => {
      a.mov(r.eax, 1);
      a.cpuid();
      a.mov(r.r15d, r.ebx);
      a.shr(r.r15d, 24);
      digit(a);
      a.mov(r.eax, 4);
      a.mov(r.ecx, 3);
      a.cpuid();
      a.mov(r.r15d, r.eax);
      a.shr(r.r15d, 26); // cores of the package, less one
      digit(a);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_CPUID, 0xb, 1);
      a.mov(r.rbp, r.r12); // bits of the package's ids
      a.mov(r.rsi, r.r13);
      digit(a);
      a.mov(r.r15, r.rbp);
      digit(a);
      a.mov(r.r15, r.rsi);
      digit(a);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_RDMSR, 0x802);
      a.mov(r.r15, r.r11);
      digit(a);
      print(a, ' '.charCodeAt(0));
    };
    const { text } = live((a) => {
      identify(a);
      for (let index = 1; index < VCPUS; index++) {
        wake(a, index, `vcpu-${index}`);
        waitFor(a, 4 * index, 1);
      }
      powerOff(a);
      for (let index = 1; index < VCPUS; index++) {
        a.label(`vcpu-${index}`);
        identify(a);
        put(a, 4 * index, 1);
        vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 1);
      }
    }, VCPUS);
    // leaf 1, cores less one, leaf 0xB: id, shift, count; MSR 0x802
    assert.equal(text, madtIds.map((id) => `${id}3${id}24${id} `).join(''));
    assert.deepEqual(madtIds, [0, 1, 2, 3]);
  });

  test('a remote translation is flushed by a real interrupt, and holds from then on', () => {
    const PAGE = 0x40_0000;
    const OTHER_PAGE = 0x60_0000;
    const ENTRY = SHIM_ROM_GPA + 0x2000 + (PAGE / (2 * MIB)) * 8;
    const Word = { ready: 0, rounds: 4, latest: 8, acknowledged: 12 } as const;
    const { text } = liveInAll((a) => {
      takeStack(a, 0);
      setGate(a, VECTOR, 'shootdown');
      a.mov(r.rbx, PAGE);
      a.mov(mem32(r.rbx), 'A'.charCodeAt(0));
      a.mov(r.rbx, OTHER_PAGE);
      a.mov(mem32(r.rbx), 'B'.charCodeAt(0));
      wake(a, 1, 'one');
      waitFor(a, Word.ready, 1);
      get(a, Word.latest);
      a.mov(r.r15, r.rax);
      print(a, r.r15);
      // the other page now lies there; this vCPU's own translation goes at once
      a.mov(r.rbx, ENTRY);
      a.mov(r.rax, OTHER_PAGE + 0xe7);
      a.mov(mem64(r.rbx), r.rax);
      a.mov(r.rbx, PAGE);
      a.invlpg(mem(r.rbx));
      a.movzx(r.r15d, mem8(r.rbx));
      print(a, r.r15);
      writeMsr(a, X2apicMsr.interruptCommand, (1n << 32n) | BigInt(VECTOR));
      waitFor(a, Word.acknowledged, 1);
      put(a, Word.rounds, 0);
      waitFor(a, Word.rounds, 5);
      get(a, Word.latest);
      a.mov(r.r15, r.rax);
      print(a, r.r15);
      powerOff(a);

      a.label('one');
      takeStack(a, 1);
      loadIdt(a);
      writeMsr(a, X2apicMsr.spuriousVector, 0x1ff);
      a.sti();
      a.mov(r.rsi, PAGE);
      a.mov(r.rdi, DATA_GPA);
      a.label('look');
      a.mov(r.eax, mem32(r.rsi));
      a.mov(mem32(r.rdi, Word.latest), r.eax);
      a.mov(mem32(r.rdi, Word.ready), 1);
      a.cmp(mem32(r.rdi, Word.rounds), 5);
      a.je('look');
      a.inc(mem32(r.rdi, Word.rounds));
      a.jmp('look');
      a.label('shootdown');
      a.invlpg(mem(r.rsi));
      a.mov(mem32(r.rdi, Word.acknowledged), 1);
      endOfInterrupt(a);
      a.iretq();
    }, 2);
    assert.equal(text, 'ABB');
  });

  test('code that one vCPU changes while another runs it, hot or not, is the new code', () => {
    const Word = { rounds: 0, done: 4 } as const;
    const ROUNDS = 60_000;
    const { text } = liveInAll((a) => {
      wake(a, 1, 'one');
      a.mov(r.rbx, DATA_GPA);
      a.label('until-hot');
      a.pause();
      a.cmp(mem32(r.rbx, Word.rounds), ROUNDS);
      a.jb('until-hot');
      a.lea(r.rbx, memAt('patched'));
      a.mov(mem8(r.rbx, 1), 'N'.charCodeAt(0)); // the immediate of MOV EAX
      waitFor(a, Word.done, 'N'.charCodeAt(0));
      print(a, 'N'.charCodeAt(0));
      powerOff(a);

      a.label('one');
      takeStack(a, 1);
      a.mov(r.rdi, DATA_GPA);
      a.label('call');
      a.inc(mem32(r.rdi, Word.rounds));
      a.call('patched');
      a.cmp(r.eax, 'O'.charCodeAt(0));
      a.je('call');
      a.mov(mem32(r.rdi, Word.done), r.eax);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 1);
      a.align(64);
      a.label('patched');
      a.mov(r.eax, 'O'.charCodeAt(0));
      a.ret();
    }, 2);
    assert.equal(text, 'N');
  });

  test('each vCPU has a #VE of its own, however they interleave', () => {
    const Word = { inHandler: 0, port: [4, 8], done: 12 } as const;
    const { text } = liveInAll((a) => {
      setGate(a, VE_VECTOR, 'virtualization-exception');
      wake(a, 1, 'one');
      takeStack(a, 0);
      loadIdt(a);
      a.xor(r.ebp, r.ebp);
      a.in(r.al, 0x40);
      waitFor(a, Word.done, 1);
      for (const offset of Word.port) {
        get(a, offset);
        a.mov(r.r15, r.rax);
        print(a, r.r15);
      }
      powerOff(a);

      a.label('one');
      takeStack(a, 1);
      loadIdt(a);
      a.mov(r.ebp, 1);
      a.in(r.al, 0x61);
      put(a, Word.done, 1);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 1);

      a.label('virtualization-exception');
      a.mov(r.rbx, DATA_GPA);
      a.mov(r.eax, 1);
      a.lockXadd(mem32(r.rbx, Word.inHandler), r.eax);
      waitFor(a, Word.inHandler, 2); // both have one pending now
      moduleCall(a, TdgLeaf.VP_VEINFO_GET);
      a.shr(r.rdx, 16); // RDX: the qualification, its port
      a.mov(r.rbx, DATA_GPA);
      a.mov(mem32(r.rbx, Word.port[0], { index: r.rbp, scale: 4 }), r.edx);
      a.mov(r.rax, mem64(r.rsp));
      a.add(r.rax, 2); // IN AL, imm8
      a.mov(mem64(r.rsp), r.rax);
      a.iretq();
    }, 2);
    assert.equal(text, '@a');
  });

  test('an interrupt command reaches whom it names: one, itself, all, all but itself, a logical cluster', () => {
    const ICR = X2apicMsr.interruptCommand;
    const commands: readonly (readonly [bigint, string])[] = [
      [(2n << 32n) | 0x50n, '0010'],
      [(1n << 18n) | 0x50n, '1000'],
      [(2n << 18n) | 0x50n, '1111'],
      [(3n << 18n) | 0x50n, '0111'],
      [(0xan << 32n) | 0x850n, '0101'],
      [(0xffff_ffffn << 32n) | 0x50n, '1111'],
    ];
    for (const [command, expected] of commands) {
      const { text } = live((a) => {
        setGate(a, VECTOR, 'interrupt');
        for (let index = 1; index < 4; index++) wake(a, index, `vcpu-${index}`);
        takeStack(a, 0);
        loadIdt(a);
        a.xor(r.ebp, r.ebp);
        writeMsr(a, X2apicMsr.spuriousVector, 0x1ff);
        waitFor(a, 0x100, 3);
        a.sti();
        writeMsr(a, ICR, command);
        a.mov(r.ecx, 100);
        a.label('settle');
        a.pause();
        a.dec(r.ecx);
        a.jnz('settle');
        for (let index = 0; index < 4; index++) {
          get(a, 4 * index);
          a.lea(r.r15, mem(r.rax, '0'.charCodeAt(0)));
          print(a, r.r15);
        }
        powerOff(a);
        for (let index = 1; index < 4; index++) {
          a.label(`vcpu-${index}`);
          takeStack(a, index);
          loadIdt(a);
          a.mov(r.ebp, index);
          writeMsr(a, X2apicMsr.spuriousVector, 0x1ff);
          a.mov(r.rbx, DATA_GPA);
          a.mov(r.eax, 1);
          a.lockXadd(mem32(r.rbx, 0x100), r.eax);
          a.sti();
          a.label(`sleep-${index}`);
          vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
          a.jmp(`sleep-${index}`);
        }
        a.label('interrupt');
        a.mov(r.rdi, DATA_GPA);
        a.inc(mem32(r.rdi, 0, { index: r.rbp, scale: 4 }));
        a.push(r.rax);
        a.push(r.rcx);
        a.push(r.rdx);
        endOfInterrupt(a);
        a.pop(r.rdx);
        a.pop(r.rcx);
        a.pop(r.rax);
        a.iretq();
      }, 4);
      assert.equal(text, expected, `ICR ${command.toString(16)}`);
    }
  });
});
