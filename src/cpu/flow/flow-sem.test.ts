/** Where marks go, by the meaning of each instruction. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Assembler, createInstruction, DecodeResult, Decoder, mem, r } from '../../isa/index.ts';
import { OPERATIONS } from '../index.ts';
import { CpuState, S } from '../state.ts';
import { FlowSem } from './flow-sem.ts';
import { type FlowSink, type Marks, NO_MARKS } from './marks.ts';

const A = { is: 'A' };
const B = { is: 'B' };
const MASKED = { is: 'A masked' };
const RAX = 0;
const RCX = 1;
const RDI = 7;
const R8 = 8;

/** RAX has mark A, RCX has mark B, memory has none; RDI is 0x4000, RSP 0x8000. */
function follow(emit: (a: Assembler) => void) {
  const state = new CpuState(new WebAssembly.Memory({ initial: 1, maximum: 1 }), 0);
  state.setBig(S.gpr + 8 * RAX, 3n);
  state.setBig(S.gpr + 8 * RCX, 5n);
  state.setBig(S.gpr + 8 * RDI, 0x4000n);
  state.setBig(S.gpr + 8 * 4, 0x8000n);
  state.setLow(S.rflags, 2);
  const marks = new Map<number, Marks>([
    [S.gpr + 8 * RAX, [A]],
    [S.gpr + 8 * RCX, [B]],
  ]);
  const said: string[] = [];
  const text = (found: Marks): string => found.map((mark) => (mark as typeof A).is).join('+');
  const sink: FlowSink = {
    stateMarks: (offset) => marks.get(offset) ?? NO_MARKS,
    setStateMarks: (offset, found) => void marks.set(offset, found),
    load: (linear, bytes) => {
      said.push(`load ${linear.toString(16)} ${bytes}`);
      return NO_MARKS;
    },
    store: (linear, bytes, found) => void said.push(`store ${linear.toString(16)} ${bytes} ${text(found)}`.trim()),
    copy: (to, from, bytes) => void said.push(`copy ${to.toString(16)} ${from.toString(16)} ${bytes}`),
    used: (use, found) => void (found.length > 0 && said.push(`${use} ${text(found)}`)),
    decided: (found) => void (found.length > 0 && said.push(`decided ${text(found)}`)),
    masked: () => [MASKED],
  };
  const flow = new FlowSem(OPERATIONS, state, sink);
  const a = new Assembler();
  emit(a);
  const { bytes } = a.assemble();
  const decoder = new Decoder();
  let isFollowed = true;
  for (let at = 0; at < bytes.length; ) {
    const instruction = createInstruction();
    assert.equal(decoder.decode(bytes, at, bytes.length, 64, instruction), DecodeResult.Ok);
    isFollowed = flow.follow(instruction, BigInt(at));
    at += instruction.length;
  }
  return { isFollowed, said, of: (register: number) => text(marks.get(S.gpr + 8 * register) ?? NO_MARKS) };
}

const cases: readonly (readonly [name: string, emit: (a: Assembler) => void, r8: string, said: readonly string[]])[] = [
  ['a move takes marks along', (a) => a.mov(r.r8, r.rax), 'A', []],
  ['a constant brings none', (a) => a.mov(r.r8, 7), '', []],
  ['a sum has those of both', (a) => a.lea(r.r8, mem(r.rax, 0, { index: r.rcx, scale: 2 })), 'A+B', []],
  ['what is left of a value by a mask is bounded', (a) => [a.and(r.eax, 7), a.mov(r.r8, r.rax)], 'A masked', []],
  ['a register less itself is nothing', (a) => [a.xor(r.eax, r.eax), a.mov(r.r8, r.rax)], '', []],
  ['... of its upper half too', (a) => [a.xor(r.eax, r.eax), a.mov(r.r8d, r.eax)], '', []],
  ['a part that is written leaves the rest', (a) => [a.mov(r.al, r.cl), a.mov(r.r8, r.rax)], 'A+B', []],
  ['a branch decides by what was compared', (a) => [a.cmp(r.rax, 9), a.ja('end'), a.label('end')], '', ['decided A']],
  ['a flag that was kept as a value decides later', (a) => [a.test(r.rax, r.rax), a.setcc(5, r.r8b)], 'A', []],
  ['a choice decides', (a) => [a.test(r.rax, r.rax), a.cmovcc(4, r.r8, r.rcx)], 'B', ['decided A']],
  [
    'an address is used',
    (a) => a.mov(r.r8, mem(r.rdi, 8, { index: r.rax, scale: 8 })),
    '',
    ['address A', 'load 4020 8'],
  ],
  ['a store says where and what', (a) => a.mov(mem(r.rdi, 8), r.ecx), '', ['store 4008 4 B']],
  ['push and pop', (a) => [a.push(r.rcx), a.pop(r.r8)], '', ['store 7ff8 8 B', 'load 8000 8']],
  ['a jump by a register', (a) => a.jmp(r.rax), '', ['target A']],
  ['the stack pointer', (a) => a.mov(r.rsp, r.rax), '', ['stack A']],
];

for (const [name, emit, r8, said] of cases)
  test(name, () => {
    const found = follow(emit);
    assert.equal(found.isFollowed, true);
    assert.equal(found.of(R8), r8);
    assert.deepEqual(found.said, said);
  });

test('what the host executes is not followed', () => {
  assert.equal(follow((a) => a.cpuid()).isFollowed, false);
});

test('no bytes that are an instruction are too much for it', () => {
  const state = new CpuState(new WebAssembly.Memory({ initial: 1, maximum: 1 }), 0);
  state.setLow(S.rflags, 2);
  const silent: FlowSink = {
    stateMarks: () => [A],
    setStateMarks: () => {},
    load: () => [B],
    store: () => {},
    copy: () => {},
    used: () => {},
    decided: () => {},
    masked: (found) => found,
  };
  const flow = new FlowSem(OPERATIONS, state, silent);
  const decoder = new Decoder();
  const instruction = createInstruction();
  const followed = new Set<string>();
  /** starts as instructions do, most of the time */
  const starts = fc.constantFrom<number[]>(
    [],
    [0x0f],
    [0x66, 0x0f],
    [0xf3, 0x0f],
    [0x48],
    [0x48, 0x0f],
    [0xf3],
    [0xc5],
  );
  const word = fc.bigInt(0n, 2n ** 64n - 1n);
  fc.assert(
    fc.property(
      starts,
      fc.uint8Array({ minLength: 14, maxLength: 14 }),
      fc.tuple(word, word),
      (start, rest, [x, y]) => {
        const bytes = Uint8Array.of(...start, ...rest);
        if (decoder.decode(bytes, 0, bytes.length, 64, instruction) !== DecodeResult.Ok) return;
        for (let register = 0; register < 16; register++)
          state.setBig(S.gpr + 8 * register, register % 3 === 0 ? x : y);
        if (flow.follow(instruction, x)) followed.add(instruction.form.operation);
      },
    ),
    { numRuns: 20_000 },
  );
  assert.ok(followed.size > 150, `only ${followed.size} operations`);
});
