import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPTIONAL_FEATURES } from '../isa/index.ts';
import { Cr0, Cr4 } from './architecture.ts';
import { type FlatBench, flatBench } from './engine/flat-bench.ts';
import { vectorOperations } from './exec/vector.ts';
import { S } from './state.ts';

const CODE_SELECTOR = 8;
const UD = 6;
const NM = 7;
const CR0 = 0x8001_0031 | 0;
const CR4 = Cr4.PAE | Cr4.OSFXSR | Cr4.OSXSAVE;

const INSTRUCTIONS = {
  movaps: [0x0f, 0x28, 0xc1],
  vmovaps: [0xc5, 0xf8, 0x28, 0xc1],
  ldmxcsr: [0x0f, 0xae, 0x13],
  vzeroupper: [0xc5, 0xf8, 0x77],
  andn: [0xc4, 0xe2, 0x70, 0xf2, 0xc2],
  prefetch: [0x0f, 0x18, 0x0b],
  crc32: [0xf2, 0x0f, 0x38, 0xf1, 0xc1],
} as const;

/** A bench whose vectors 6 and 7 end in a HLT of their own. */
function bench(): FlatBench {
  const made = flatBench({ operations: vectorOperations, features: OPTIONAL_FEATURES });
  const { cpu, memory } = made;
  const { state } = cpu;
  const [gdt, idt, stubs, stack, data] = [1, 2, 3, 4, 5].map((page) => memory.ramBase + 0x20_0000 + page * 0x1000);
  memory.view.setBigUint64(gdt! + CODE_SELECTOR, 0x00af_9b00_0000_ffffn, true);
  for (const vector of [UD, NM]) {
    const handler = stubs! + 16 * vector;
    memory.u8[handler] = 0xf4;
    memory.view.setUint32(idt! + 16 * vector, (handler & 0xffff) | (CODE_SELECTOR << 16), true);
    memory.view.setUint32(idt! + 16 * vector + 4, (handler & 0xffff_0000) | 0x8e00, true);
  }
  memory.view.setUint32(data!, 0x1f80, true);
  state.set(S.gdtrBase, gdt!, 0);
  state.setLow(S.gdtrLimit, 0xfff);
  state.set(S.idtrBase, idt!, 0);
  state.setLow(S.idtrLimit, 0xfff);
  state.setLow(S.segmentSelector + 4, CODE_SELECTOR);
  state.set(S.gpr + 4 * 8, stack! + 0xff0, 0);
  state.set(S.gpr + 3 * 8, data!, 0);
  state.setLow(S.cr4, CR4);
  state.set(S.xcr0, 7, 0);
  return made;
}

/** The vector that an instruction raises; 0: none. */
function raised({ cpu, memory, at }: FlatBench, instruction: readonly number[]): number {
  const { state } = cpu;
  memory.u8.set([...instruction, 0xf4], at);
  cpu.hostPageReplaced(at);
  state.set(S.rip, at, 0);
  cpu.modeChanged();
  cpu.run();
  const stopped = state.low(S.rip);
  return stopped === at + instruction.length ? 0 : ((stopped - memory.ramBase) & 0xfff) >> 4;
}

/** Vectors for movaps, vmovaps, ldmxcsr and vzeroupper in that state of the system. */
const CASES: readonly (readonly [name: string, cr0: number, cr4: number, xcr0: number, sse: number, avx: number])[] = [
  ['everything is enabled', CR0, CR4, 7, 0, 0],
  ['CR0.TS is set', CR0 | Cr0.TS, CR4, 7, NM, NM],
  ['CR0.EM is set', CR0 | Cr0.EM, CR4, 7, UD, 0],
  ['CR4.OSFXSR is clear', CR0, CR4 & ~Cr4.OSFXSR, 7, UD, 0],
  ['CR4.OSXSAVE is clear', CR0, CR4 & ~Cr4.OSXSAVE, 7, 0, UD],
  ['XCR0 has no AVX', CR0, CR4, 3, 0, UD],
  ['nothing is enabled and CR0.TS is set', CR0 | Cr0.TS, Cr4.PAE, 1, UD, UD],
];

test('SSE and AVX instructions fault as CR0, CR4 and XCR0 say; those on general registers do not', () => {
  const made = bench();
  // twice, so that code decoded in each state is met again
  for (const [name, cr0, cr4, xcr0, sse, avx] of [...CASES, ...CASES]) {
    made.cpu.state.setLow(S.cr0, cr0);
    made.cpu.state.setLow(S.cr4, cr4);
    made.cpu.state.set(S.xcr0, xcr0, 0);
    const expected = { movaps: sse, vmovaps: avx, ldmxcsr: sse, vzeroupper: avx, andn: 0, prefetch: 0, crc32: 0 };
    for (const [mnemonic, vector] of Object.entries(expected))
      assert.equal(raised(made, INSTRUCTIONS[mnemonic as 'movaps']), vector, `${mnemonic} when ${name}`);
  }
});

test('a state switched off while code is hot is seen by the compiled code too', () => {
  const made = bench();
  const { cpu, memory, engine, at } = made;
  engine.code.compileAfter = 2;
  // movaps; dec ecx; jnz
  const loop = [...INSTRUCTIONS.movaps, 0xff, 0xc9, 0x75, 0xf9, 0xf4];
  memory.u8.set(loop, at);
  const run = (cr0: number): number => {
    cpu.state.setLow(S.cr0, cr0);
    cpu.state.set(S.gpr + 8, 100, 0);
    cpu.state.set(S.rip, at, 0);
    cpu.modeChanged();
    cpu.run();
    return cpu.state.low(S.gpr + 8);
  };
  for (let i = 0; i < 20; i++) assert.equal(run(CR0), 0);
  assert.ok(engine.code.regionsCompiled > 0);
  assert.equal(run(CR0 | Cr0.TS), 100);
  assert.equal(run(CR0), 0);
  // code that is not reached when it would fault is compiled around it: jmp over movaps; dec ecx; jnz
  const around = [0xeb, 0x03, ...INSTRUCTIONS.movaps, 0xff, 0xc9, 0x75, 0xf7, 0xf4];
  memory.u8.set(around, at);
  cpu.hostPageReplaced(at);
  const before = engine.code.regionsCompiled;
  for (let i = 0; i < 20; i++) assert.equal(run(CR0 | Cr0.TS), 0);
  assert.ok(engine.code.regionsCompiled > before);
});
