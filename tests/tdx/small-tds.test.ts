/** Lives of small TDs: real module, real processor, real host; only the guests are a few instructions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, addressOf, mem, mem16, mem32, mem64, r } from '../../src/isa/index.ts';
import { SHIM_ROM_GPA } from '../../src/loader/index.ts';
import { type PlatformOptions, type RunLimits, TdxPlatform } from '../../src/machine/index.ts';
import { MAILBOX_GPA, MEMORY_BYTES, smallTd } from './small-td.ts';
import { moduleCall, powerOff, print, vmmCall, vpInfo, writeMsr } from './small-td-calls.ts';

const MIB = 1 << 20;
const SHARED_BIT = 1n << 47n;
const TWO_MIB = 0x20_0000;
/** a large page of accepted RAM */
const LARGE_PAGE_GPA = TWO_MIB;

interface Life {
  readonly vcpus?: number;
  readonly platform?: Partial<PlatformOptions>;
  readonly mapGpaChunkBytes?: number;
  readonly limits?: RunLimits;
}

function live(program: (a: Assembler) => void, life: Life = {}) {
  const platform = new TdxPlatform({ memoryBytes: 16 * MIB, ...life.platform });
  let text = '';
  const td = platform.buildTd(smallTd(program, life.vcpus), {
    consoleOutput: (byte) => {
      text += String.fromCharCode(byte);
    },
    ...(life.mapGpaChunkBytes === undefined ? {} : { mapGpaChunkBytes: life.mapGpaChunkBytes }),
  });
  const result = td.run({ instructions: 10_000_000, ...life.limits });
  return { platform, td, text, ...result };
}

test('a TD asks the module who it is, prints through the host, and powers off', () => {
  const { text, end } = live((a) => {
    vpInfo(a); // RCX: width of guest addresses, R8: vCPUs
    a.lea(r.rbx, mem(r.rcx, 'A'.charCodeAt(0) - 48));
    a.mov(r.rbp, r.r8);
    print(a, r.rbx);
    a.lea(r.r15, mem(r.rbp, 0));
    a.and(r.r15d, 0xff);
    a.add(r.r15d, '0'.charCodeAt(0));
    print(a, r.r15);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, 'A1');
});

test('pending memory reads as zeros once accepted, and keeps what is written', () => {
  const { text, end, td } = live((a) => {
    a.mov(r.rbx, LARGE_PAGE_GPA + 3 * MIB);
    a.mov(r.rax, mem64(r.rbx));
    a.test(r.rax, r.rax);
    a.jnz('fail');
    a.mov(mem32(r.rbx), 'm'.charCodeAt(0));
    a.mov(r.r15d, mem32(r.rbx));
    print(a, r.r15);
    a.label('fail');
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, 'm');
  assert.equal(td.host.privateMemory.levelAt(LARGE_PAGE_GPA), 1);
  assert.equal(td.host.privateMemory.levelAt(MEMORY_BYTES - 0x1000), 0);
});

test('memory that was never accepted is the end, with a sentence', () => {
  const touch = (a: Assembler) => {
    a.mov(r.rbx, 0x4000_0000);
    a.mov(r.rax, mem64(r.rbx));
  };
  const { end } = live(touch);
  assert.equal(end.cause, 'unhandled-exit');
  assert.match(
    end.cause === 'unhandled-exit' ? end.sentence : '',
    /private address 0x40000000, where it has no memory/,
  );
});

test('a page made shared is another page: host and guest both see it, and its private content is gone', () => {
  const { text, end, td } = live((a) => {
    a.mov(r.rbx, LARGE_PAGE_GPA);
    a.mov(mem64(r.rbx), 0x55);
    vmmCall(a, TdvmcallLeaf.MAP_GPA, SHARED_BIT + BigInt(LARGE_PAGE_GPA), 0x2000);
    a.lea(r.r15, mem(r.r10, 'A'.charCodeAt(0)));
    print(a, r.r15);
    // the identity map's entry for linear 2 MiB, with the shared bit
    a.mov(r.rbx, SHIM_ROM_GPA + 0x2000 + 8);
    a.mov(r.rax, SHARED_BIT + BigInt(LARGE_PAGE_GPA) + 0xe7n);
    a.mov(mem64(r.rbx), r.rax);
    a.mov(r.rax, r.cr3);
    a.mov(r.cr3, r.rax);
    a.mov(r.rbx, LARGE_PAGE_GPA);
    a.mov(r.r15, mem64(r.rbx));
    a.add(r.r15d, '0'.charCodeAt(0));
    a.mov(mem64(r.rbx, 0x1ff8), r.r15);
    print(a, r.r15);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, 'A0');
  assert.deepEqual([...td.host.sharedMemory.read(LARGE_PAGE_GPA + 0x1ff8, 2)!], [0x30, 0]);
  assert.equal(td.host.privateMemory.levelAt(LARGE_PAGE_GPA), undefined);
  assert.equal(td.host.privateMemory.levelAt(LARGE_PAGE_GPA + 0x2000), 0, 'the rest of the large page was demoted');
});

test('a page made private again must be accepted again, and is empty', () => {
  const { text, end } = live((a) => {
    vmmCall(a, TdvmcallLeaf.MAP_GPA, SHARED_BIT + BigInt(LARGE_PAGE_GPA), TWO_MIB);
    vmmCall(a, TdvmcallLeaf.MAP_GPA, LARGE_PAGE_GPA, TWO_MIB);
    a.mov(r.ecx, LARGE_PAGE_GPA + 1);
    moduleCall(a, TdgLeaf.MEM_PAGE_ACCEPT);
    a.lea(r.r15, mem(r.rax, 'A'.charCodeAt(0)));
    print(a, r.r15);
    a.mov(r.rbx, LARGE_PAGE_GPA + 0x5000);
    a.mov(r.r15, mem64(r.rbx));
    a.add(r.r15d, '0'.charCodeAt(0));
    print(a, r.r15);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, 'A0');
});

test('HLT sleeps until the TSC deadline, and no longer', () => {
  const DEADLINE = 50_000_000;
  const { end, instructions, ticks, platform } = live((a) => {
    writeMsr(a, 0x80f, 0x1ff);
    writeMsr(a, 0x832, 0x400ec);
    writeMsr(a, 0x6e0, DEADLINE);
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
  assert.ok(instructions < 20_000, `${instructions} instructions`);
  assert.ok(ticks >= DEADLINE && platform.clock.nowTicks < DEADLINE + 20_000);
});

test('an interrupt that is already waiting keeps HLT from sleeping', () => {
  const { end } = live((a) => {
    a.mov(r.ecx, 0x83f); // SELF_IPI: native, on the virtual-APIC page
    a.mov(r.eax, 0x40);
    a.xor(r.edx, r.edx);
    a.wrmsr();
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'power-off' });
});

test('without anything to wake it a TD is idle for ever, and can be woken by typing', () => {
  const { td, end } = live((a) => {
    writeMsr(a, 0x80f, 0x1ff);
    for (const [register, value] of [
      [0x10 + 8, 0x24],
      [0x11 + 8, 0],
    ] as const) {
      vmmCall(a, TdvmcallLeaf.REQUEST_MMIO, 4, 1, SHARED_BIT + 0xfec0_0000n, register);
      vmmCall(a, TdvmcallLeaf.REQUEST_MMIO, 4, 1, SHARED_BIT + 0xfec0_0010n, value);
    }
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 1, 0x3fc, 8);
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 1, 0x3f9, 1);
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 0, 0x3f8, 0);
    print(a, r.r11);
    powerOff(a);
  });
  assert.deepEqual(end, { cause: 'idle', nextAlarmTicks: Number.POSITIVE_INFINITY });
  td.type(Uint8Array.of('!'.charCodeAt(0)));
  assert.deepEqual(td.run().end, { cause: 'power-off' });
});

test('the second vCPU starts through the wakeup mailbox', () => {
  const { text, end } = live(
    (a) => {
      a.mov(r.rbx, MAILBOX_GPA);
      a.mov(r.rax, addressOf('second'));
      a.mov(mem64(r.rbx, 8), r.rax);
      a.mov(mem32(r.rbx, 4), 1);
      a.mov(mem16(r.rbx), 1);
      a.label('wait');
      a.cmp(mem16(r.rbx), 0);
      a.jne('wait');
      a.label('wait-for-flag');
      a.cmp(mem32(r.rbx, 0x1000), 0);
      a.je('wait-for-flag');
      print(a, 'B'.charCodeAt(0));
      powerOff(a);
      a.label('second');
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_RDMSR, 0x802);
      a.lea(r.r15, mem(r.r11, '0'.charCodeAt(0)));
      print(a, r.r15);
      a.mov(r.rbx, MAILBOX_GPA + 0x1000);
      a.mov(mem32(r.rbx), 1);
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_HLT, 0);
    },
    { vcpus: 2 },
  );
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, '1B');
});

test('ReportFatalError, a triple fault and an endless loop each end as what they are', () => {
  const fatal = live((a) => {
    vmmCall(a, TdvmcallLeaf.REPORT_FATAL_ERROR, 0x10000, 0, 0x6f6f_7421n, 0);
  }).end;
  assert.deepEqual(fatal, { cause: 'fatal-error', vcpu: 0, code: 0x10000n, message: '!too' });
  assert.deepEqual(live((a) => a.ud2()).end, { cause: 'triple-fault', vcpu: 0 });
  const loop = live(
    (a) => {
      a.label('loop');
      a.jmp('loop');
    },
    { limits: { instructions: 100_000 } },
  );
  assert.deepEqual(loop.end, { cause: 'instruction-limit' });
  assert.ok(loop.instructions >= 100_000 && loop.instructions < 100_100, 'a block may overshoot');
});

test('a hostile host can lie in registers and refuse, but a guest sees only what the mask lets in', () => {
  const { text, end } = live(
    (a) => {
      a.mov(r.rbp, 'P'.charCodeAt(0));
      a.mov(r.rbx, 'X'.charCodeAt(0));
      vmmCall(a, TdvmcallLeaf.INSTRUCTION_RDMSR, 0x1b);
      print(a, r.r11);
      print(a, r.rbp);
      print(a, r.rbx);
      powerOff(a);
    },
    {
      platform: {
        hostHooks: {
          tdvmcall: (call, serve) => {
            const status = serve();
            if (call.leaf === TdvmcallLeaf.INSTRUCTION_RDMSR) call.registers.setNumber(11, 'L'.charCodeAt(0));
            return status;
          },
          beforeEntry: ({ registers }) => {
            registers.setNumber(3, 0x666); // RBX
            registers.setNumber(5, 0x666); // RBP
          },
        },
      },
    },
  );
  assert.deepEqual(end, { cause: 'power-off' });
  assert.equal(text, 'LPX');
});

/** Of all host memory: private, shared, and the processors' own. */
function digest({ memory }: TdxPlatform): string {
  return createHash('sha256').update(memory.u8).digest('hex');
}

test('two platforms given the same do the same, in one run or in slices', () => {
  const program = (a: Assembler) => {
    a.mov(r.ebx, 2000);
    a.label('again');
    a.rdrand(r.r15);
    a.and(r.r15d, 0x0f);
    a.add(r.r15d, 'a'.charCodeAt(0));
    a.dec(r.ebx);
    a.jnz('again');
    print(a, r.r15);
    powerOff(a);
  };
  const whole = live(program);
  const again = live(program);
  const facts = ({ text, instructions, ticks, platform }: typeof whole) => [
    text,
    instructions,
    ticks,
    digest(platform),
  ];
  assert.deepEqual(facts(again), facts(whole));
  const sliced = live(program, { limits: { instructions: 777 } });
  let { instructions } = sliced;
  while (sliced.td.run({ instructions: 777 }).end.cause === 'instruction-limit') instructions += 777;
  assert.equal(sliced.platform.clock.nowTicks, whole.platform.clock.nowTicks);
  assert.equal(whole.text.length, 1);
  assert.ok(instructions <= whole.instructions);
  const other = live(program, { platform: { seed: 99 } });
  assert.equal(other.instructions, whole.instructions);
});
