/** Accesses by one register in a page, and beyond its ends, where other pages are, or none: compiled code does what the interpreter does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { integerOperations } from '../exec/integer.ts';
import type { Val } from '../exec/sem.ts';
import { packRflags } from '../flags.ts';
import { S } from '../state.ts';
import { type FlatBench, flatBench } from './flat-bench.ts';
import { NearAccesses } from './near-accesses.ts';
import { ImmediateRegionCompiler } from './region-compiler.ts';
import { READ_TAG, WRITE_TAG } from './tlb.ts';

const LINEAR = 0x2_0000_0000;
const PAGE = 4096;
const [RBX, RSP, RSI] = [3, 4, 6];
const HLT = 0xf4;

class AtOnce extends ImmediateRegionCompiler {
  override takes(waiting: number): number {
    return waiting;
  }
}

/** A byte from -128 to 127 as an instruction holds it. */
const displacement = fc.integer({ min: -128, max: 127 }).map((value) => value & 255);
/** One instruction: RBX or RSI is the base of each access, RSP that of the stack. */
const instruction = fc.oneof(
  fc.tuple(fc.constantFrom(0x43, 0x46), displacement).map(([modrm, disp]) => [0x48, 0x8b, modrm, disp]), // mov rax, [base]
  fc.tuple(fc.constantFrom(0x43, 0x46), displacement).map(([modrm, disp]) => [0x48, 0x01, modrm, disp]), // add [base], rax
  fc.tuple(fc.constantFrom(0x4b, 0x4e), displacement).map(([modrm, disp]) => [0x66, 0x89, modrm, disp]), // mov [base], cx
  fc.tuple(fc.constantFrom(0x4b, 0x4e), displacement).map(([modrm, disp]) => [0x0f, 0xb6, modrm, disp]), // movzx ecx, byte [base]
  displacement.map((disp) => [0x88, 0x4c, 0x1b, disp]), // mov [rbx + rbx + disp8], cl: nothing is known of it
  displacement.map((disp) => [0x48, 0x83, 0xc3, disp]), // add rbx, imm8
  displacement.map((disp) => [0x48, 0x8d, 0x73, disp]), // lea rsi, [rbx + disp8]
  fc.constant([0x48, 0x89, 0xde]), // mov rsi, rbx
  fc.constant([0x48, 0x0f, 0x42, 0xde]), // cmovc rbx, rsi
  fc.constant([0x66, 0xff, 0xc3]), // inc bx
  fc.constantFrom([0x50], [0x51], [0x53], [0x58], [0x59]), // push rax, rcx, rbx; pop rax, rcx
  displacement.map((disp) => [0x48, 0x8b, 0x4c, 0x24, disp]), // mov rcx, [rsp + disp8]
  displacement.map((disp) => [0x73, 4, 0x48, 0x8b, 0x43, disp]), // jnc over mov rax, [rbx + disp8]
);
/** Straight on, or three times around. */
function programOf(body: readonly number[], isLoop: boolean): number[] {
  if (!isLoop) return [...body, HLT];
  const back = -(body.length + 9);
  return [...body, 0x41, 0xff, 0xcf, 0x0f, 0x85, back & 255, (back >> 8) & 255, 0xff, 0xff, HLT];
}
const program = fc
  .tuple(fc.array(instruction, { minLength: 4, maxLength: 24 }), fc.boolean())
  .map(([instructions, isLoop]) => programOf(instructions.flat(), isLoop));
/** mov [rbx + 16], cx; mov rax, [rbx - 64]; mov [rbx - 60], cx, where only the first may be written */
const WRITES_BEHIND_A_READ = programOf([0x66, 0x89, 0x4b, 16, 0x48, 0x8b, 0x43, 0xc0, 0x66, 0x89, 0x4b, 0xc4], true);
const ROUNDS = 5;
const CONTENT = Uint8Array.from({ length: PAGE + 2 }, (_, i) => (i * i * 7) >> 3);

/** Three pages in a row, of which the host has no two together: one that may be read, one that may be written as well, and a third. */
function pages(b: FlatBench): readonly number[] {
  const hosts = [0, 1, 2].map((index) => b.memory.ramBase + 0x40_0000 + (2 - index) * 0x3000);
  const readOnly = -2; // of what `map` adds for a page that may be written
  b.map(LINEAR, hosts[0]! + readOnly);
  b.map(LINEAR + PAGE, hosts[1]!);
  b.map(LINEAR + 2 * PAGE, hosts[2]!);
  return hosts;
}

function outcome(b: FlatBench, code: readonly number[], rbx: number, rsp: number): string[] {
  const { cpu, memory } = b;
  const hosts = pages(b);
  memory.u8.set(code, b.at);
  cpu.hostPageReplaced(b.at);
  const seen: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    hosts.forEach((host, i) => {
      memory.u8.set(CONTENT.subarray(i, i + PAGE), host);
    });
    for (let register = 0; register < 16; register++) cpu.state.set(S.gpr + register * 8, register, 0);
    for (const [register, at] of [
      [RBX, rbx],
      [RSI, rbx],
      [RSP, rsp],
    ] as const)
      cpu.state.set(S.gpr + register * 8, at, LINEAR / 2 ** 32);
    cpu.state.set(S.gpr + 15 * 8, 3, 0);
    cpu.state.set(S.rip, b.at, 0);
    const before = cpu.retired;
    const { reason } = cpu.run();
    const registers = Array.from({ length: 16 }, (_, i) => cpu.state.big(S.gpr + i * 8).toString(16));
    const memoryNow = hosts.map((host) => Buffer.from(memory.u8.subarray(host, host + PAGE)).toString('latin1'));
    seen.push(
      `${reason} ${cpu.state.low(S.rip)} ${cpu.retired - before} ${packRflags(cpu.state)} ${registers} ${memoryNow}`,
    );
  }
  return seen;
}

test('accesses near each other give the same bits interpreted and compiled, over ends of pages too', () => {
  const interpreter = flatBench({ compiler: null });
  const compiler = flatBench({ compiler: new AtOnce(integerOperations, 2) });
  const nearAnEnd = fc.tuple(fc.constantFrom(PAGE, 2 * PAGE, PAGE + 2048), fc.integer({ min: -40, max: 40 }));
  fc.assert(
    fc.property(program, nearAnEnd, nearAnEnd, (code, [rbx, more], [rsp, less]) => {
      const run = (b: FlatBench): string[] => outcome(b, code, rbx + more, rsp + less);
      assert.deepEqual(run(compiler), run(interpreter));
    }),
    { numRuns: 150, examples: [[WRITES_BEHIND_A_READ, [PAGE, 0], [2 * PAGE, 0]]] },
  );
  assert.ok(compiler.engine.code.regionsCompiled > 100, 'the compiler had work');
});

const value = (): Val => ({ type: 'i64' }) as Val;

test('what follows an access that may write may read; what follows a reading one may not write', () => {
  const near = new NearAccesses();
  const [base, behind, far] = [value(), value(), value()];
  near.read(RBX, base);
  near.add(behind, base, 24);
  near.add(far, base, 4000);
  const reading = near.access(base, READ_TAG)!;
  assert.equal(reading.distance, undefined);
  assert.equal(near.access(behind, READ_TAG)!.leader, reading.leader);
  const writing = near.access(behind, WRITE_TAG)!;
  assert.equal(writing.distance, undefined, 'a page that was read may be one for reading only');
  assert.deepEqual(near.access(base, READ_TAG), { leader: writing.leader, distance: -24 });
  assert.equal(near.access(far, READ_TAG)!.distance, undefined);
});

test('a register that one way writes, and the other does not, is near nothing behind both', () => {
  const near = new NearAccesses();
  const [before, sum, after] = [value(), value(), value()];
  near.read(RBX, before);
  near.access(before, READ_TAG);
  const { known } = near;
  near.add(sum, before, 8);
  near.write(RBX, sum);
  const inside = value();
  near.read(RBX, inside);
  assert.equal(near.access(inside, READ_TAG)!.distance, 8);
  near.backTo(known);
  near.read(RBX, after);
  assert.equal(near.access(after, READ_TAG)!.distance, undefined);
  assert.equal(near.access(before, READ_TAG)!.distance, 0, 'the value of before is where it was');
});
