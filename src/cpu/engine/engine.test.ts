/** The engine on small machine-code programs in flat 64-bit mode, without any system instruction but HLT. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason } from '../exit.ts';
import { S } from '../state.ts';
import { type FlatBench as Bench, flatBench as bench } from './flat-bench.ts';

const TWO_PAGES = 0x2_0000_0000;

function run({ cpu, memory, at }: Bench, bytes: readonly number[], start = at): number {
  if (start === at) memory.u8.set(bytes, at);
  cpu.state.set(S.rip, start | 0, Math.floor(start / 0x1_0000_0000));
  return cpu.run().reason;
}

test('a loop counts, flags and all', () => {
  const b = bench();
  // mov ecx,1000; xor eax,eax; l: add rax,rcx; dec ecx; jnz l; hlt
  assert.equal(
    run(b, [0xb9, 0xe8, 3, 0, 0, 0x31, 0xc0, 0x48, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xf9, 0xf4]),
    ExitReason.Hlt,
  );
  assert.equal(b.cpu.state.big(S.gpr), 500500n);
  assert.equal(b.cpu.retired, 2 + 3000);
  assert.equal(b.clock.nowTicks, 3002);
});

test('the budget stops a loop at a branch and it goes on from there', () => {
  const b = bench();
  b.clock.schedule(100, () => {});
  const program = [0x48, 0xff, 0xc0, 0xeb, 0xfb]; // l: inc rax; jmp l
  assert.equal(run(b, program), ExitReason.ExternalInterrupt);
  assert.equal(b.cpu.state.big(S.gpr), 50n);
  b.clock.ringDue();
  b.clock.schedule(200, () => {});
  assert.equal(b.cpu.run().reason, ExitReason.ExternalInterrupt);
  assert.equal(b.cpu.state.big(S.gpr), 100n);
});

test('code that changes the instruction after it sees the new one, in a page it has run before', () => {
  const b = bench();
  // mov byte [rip+1], 7 (patches the immediate below); mov al, 1; hlt
  const program = [0xc6, 0x05, 1, 0, 0, 0, 7, 0xb0, 1, 0xf4];
  assert.equal(run(b, program), ExitReason.Hlt);
  assert.equal(b.cpu.state.big(S.gpr) & 0xffn, 7n);
  // a linked loop whose body is patched half-way: mov ecx,4; l: mov al,1; add bl,al; mov byte [rip-9],5 (the 1 of mov al,1); dec ecx; jnz l; hlt
  b.cpu.state.set(S.gpr + 24, 0, 0);
  const loop = [
    0xb9, 4, 0, 0, 0, 0xb0, 1, 0x00, 0xc3, 0xc6, 0x05, 0xf6, 0xff, 0xff, 0xff, 5, 0xff, 0xc9, 0x75, 0xf1, 0xf4,
  ];
  b.at += 0x1000;
  assert.equal(run(b, loop), ExitReason.Hlt);
  assert.equal(b.cpu.state.big(S.gpr + 24), 16n);
});

test('an instruction that sets flags and changes the branch behind it branches as the new one says', () => {
  const b = bench();
  // add byte [rip+0], 1: JZ (74) becomes JNZ (75); jz +2; mov al, 7; hlt
  assert.equal(run(b, [0x80, 0x05, 0, 0, 0, 0, 1, 0x74, 2, 0xb0, 7, 0xf4]), ExitReason.Hlt);
  assert.equal(b.cpu.state.big(S.gpr), 0n);
});

test('all of a page is decoded again when the host replaces it, or when it has been data for a while', () => {
  const b = bench();
  const page = b.at;
  const runAll = (): number => {
    b.cpu.state.set(S.gpr, 0, 0);
    for (let offset = 0; offset < 4096; offset += 32) {
      b.cpu.state.set(S.rip, page + offset, 0);
      assert.equal(b.cpu.run().reason, ExitReason.Hlt);
    }
    return b.cpu.state.low(S.gpr);
  };
  // 31 bytes and hlt
  const fill = (bytes: readonly number[]): void => {
    for (let at = 0; at < 4096; at += 32) b.memory.u8.set([...Array(10).fill(bytes).flat(), 0x90, 0xf4], page + at);
  };
  for (let round = 0; round < 3; round++) {
    fill([0x90, 0x90, 0x90]); // nop
    b.cpu.hostPageReplaced(page);
    assert.equal(runAll(), 0);
    fill([0xff, 0xc0, 0x90]); // inc eax; nop
    b.cpu.hostPageReplaced(page);
    assert.equal(runAll(), 10 * 128);
    // mov ecx, 300; l: mov byte [rip+d], 0x90: the page has no code any more when it is written; dec ecx; jnz l; hlt
    b.cpu.hostPageReplaced(page);
    const writer = page + 0x2000;
    const distance = page + 100 - (writer + 12);
    const bytes = [0, 8, 16, 24].map((shift) => (distance >> shift) & 255);
    b.memory.u8.set([0xb9, 0x2c, 1, 0, 0, 0xc6, 0x05, ...bytes, 0x90, 0xff, 0xc9, 0x75, 0xf5, 0xf4], writer);
    b.cpu.state.set(S.rip, writer, 0);
    assert.equal(b.cpu.run().reason, ExitReason.Hlt);
    b.memory.u8[page + 100] = 0xc0;
    assert.equal(b.engine.code.isCode(page), false);
    assert.equal(runAll(), 10 * 128);
  }
});

test('code behind a block head that was given up is decoded again when it is patched', () => {
  const b = bench();
  b.engine.code.compileAfter = 2;
  // nop; hlt; hlt: a jump to an instruction that only the host executes makes a head that is given up
  run(b, [0x90, 0xf4, 0xf4]);
  const [start, host] = [b.at, b.at + 1];
  for (let i = 0; i < 20; i++) {
    b.cpu.state.set(S.rip, host, 0);
    assert.equal(b.cpu.run().reason, ExitReason.Hlt);
  }
  // mov byte [rip+d], 0x90; hlt: the first HLT becomes a NOP, so the straight line ends at the second
  b.at += 0x1000;
  const distance = host - (b.at + 7);
  const bytes = [0, 8, 16, 24].map((shift) => (distance >> shift) & 255);
  run(b, [0xc6, 0x05, ...bytes, 0x90, 0xf4]);
  b.cpu.state.set(S.rip, start, 0);
  assert.equal(b.cpu.run().reason, ExitReason.Hlt);
  assert.equal(b.cpu.state.low(S.rip), host + 1);
});

test('a branch whose condition was fused with its comparison can be patched alone', () => {
  const b = bench();
  // mov ecx,2; l: mov byte [rip+2],0x74 (jne becomes je); cmp eax,eax; jne +2; inc ebx (2 bytes); dec ecx; jnz l; hlt
  const program = [
    0xb9, 2, 0, 0, 0, 0xc6, 0x05, 2, 0, 0, 0, 0x74, 0x39, 0xc0, 0x75, 2, 0xff, 0xc3, 0xff, 0xc9, 0x75, 0xef, 0xf4,
  ];
  // run once so that the pair is decoded, then with the original byte restored: each time the store comes first and the branch is taken
  for (let i = 0; i < 2; i++) {
    run(b, program);
    assert.equal(b.cpu.state.big(S.gpr + 24), 0n);
  }
});

test('an instruction and an access that reach into the next page', () => {
  const b = bench();
  const [first, second] = [b.memory.ramBase + 0x20_0000, b.memory.ramBase + 0x40_0000];
  b.map(0x0, first);
  b.map(0x1000, second);
  // mov rax,[rsi] ; mov [rsi+1], rax; hlt with the second instruction across the page end
  const program = [0x48, 0x8b, 0x06, 0x48, 0x89, 0x46, 0x01, 0xf4];
  program.forEach((byte, i) => {
    const offset = 0xffb + i;
    b.memory.u8[offset < 0x1000 ? first + offset : second + offset - 0x1000] = byte;
  });
  const { state } = b.cpu;
  state.set(S.gpr + 6 * 8, 0xffc - 0x800, 2);
  for (let i = 0; i < 8; i++) b.memory.u8[first + 0x7fc + i] = i + 1;
  assert.equal(run(b, [], TWO_PAGES + 0xffb), ExitReason.Hlt);
  assert.equal(state.big(S.gpr), 0x0807060504030201n);
  assert.equal(b.memory.view.getBigUint64(first + 0x7fd, true), 0x0807060504030201n);
  // the data access across the two pages
  state.set(S.gpr + 6 * 8, 0xffa, 2);
  const at = b.at;
  assert.equal(run(b, [0x48, 0x89, 0x06, 0x48, 0xff, 0x06, 0x48, 0x8b, 0x1e, 0xf4], at), ExitReason.Hlt); // mov [rsi],rax; inc qword [rsi]; mov rbx,[rsi]
  assert.equal(state.big(S.gpr + 24), 0x0807060504030202n);
  assert.equal(b.memory.u8[second + 1], 0x08);
});

test('one page under two linear addresses keeps apart what RIP-relative code reads', () => {
  const b = bench();
  const page = b.memory.ramBase + 0x20_0000;
  b.map(0x3000, page);
  b.map(0x5000, page);
  b.memory.u8.set([0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xf4], page); // lea rax,[rip]; hlt
  run(b, [], TWO_PAGES + 0x3000);
  assert.equal(b.cpu.state.big(S.gpr), 0x2_0000_3007n);
  run(b, [], TWO_PAGES + 0x5000);
  assert.equal(b.cpu.state.big(S.gpr), 0x2_0000_5007n);
});

test('an operation that is not there is #UD, and counted by name', () => {
  const b = bench();
  b.cpu.state.setLow(S.idtrLimit, 0);
  assert.equal(run(b, [0x0f, 0xa2, 0xf4]), ExitReason.TripleFault); // cpuid without its operation, no IDT
  assert.deepEqual([...b.cpu.unimplemented], [['CPUID', 1]]);
});

test('a loop whose accesses come to lie across two pages reads and writes both, wherever they are', () => {
  for (const compileAfter of [0, 2]) {
    const b = bench();
    b.engine.code.compileAfter = compileAfter;
    const [first, second] = [b.at + 0x10_0000, b.at + 0x5000];
    b.map(0x7000, first);
    b.map(0x8000, second);
    const hostOf = (offset: number) => (offset < 0x1000 ? first + offset : second + offset - 0x1000);
    for (let offset = 0xf00; offset < 0x1100; offset++) b.memory.u8[hostOf(offset)] = offset * 7;
    // mov rdi,rsi; mov ecx,200; l: mov rax,[rsi]; add rbx,rax; mov [rdi],ecx; dec rsi; dec rdi; dec ecx; jnz l; hlt
    const program = [
      ...[0x48, 0x89, 0xf7, 0xb9, 200, 0, 0, 0, 0x48, 0x8b, 0x06, 0x48, 0x01, 0xc3, 0x89, 0x0f],
      ...[0x48, 0xff, 0xce, 0x48, 0xff, 0xcf, 0xff, 0xc9, 0x75, 0xee, 0xf4],
    ];
    b.cpu.state.set(S.gpr + 6 * 8, (TWO_PAGES + 0x8080) | 0, Math.floor(TWO_PAGES / 0x1_0000_0000));
    const bytes = Array.from({ length: 0x200 }, (_, i) => ((0xf00 + i) * 7) & 255);
    let sum = 0n;
    for (let count = 200, at = 0x180; count > 0; count--, at--) {
      for (let i = 0; i < 8; i++) sum += BigInt(bytes[at + i]!) << BigInt(8 * i);
      for (let i = 0; i < 4; i++) bytes[at + i] = (count >> (8 * i)) & 255;
    }
    assert.equal(run(b, program), ExitReason.Hlt);
    assert.equal(b.cpu.state.big(S.gpr + 24), BigInt.asUintN(64, sum), `compiled after ${compileAfter} visits`);
    assert.deepEqual(
      Array.from(bytes, (_, i) => b.memory.u8[hostOf(0xf00 + i)]),
      bytes,
    );
  }
});

test('code and data above 2 GiB of host memory run, straddle and are patched as anywhere', () => {
  const b = bench({ ramBytes: 0xa000_0000 });
  b.engine.code.compileAfter = 2;
  const [first, second] = [0x9000_0000, 0x9100_0000];
  b.map(0x7000, first);
  b.map(0x8000, second);
  // at ...ff0: mov ecx,20; l: mov al,1; add ebx,eax (after the patch: 5); mov byte [rip+..], 5 patches the 1 and straddles; dec ecx; jnz l; hlt
  const program = [
    0xb9, 20, 0, 0, 0, 0xb0, 1, 0x00, 0xc3, 0xc6, 0x05, 0xf6, 0xff, 0xff, 0xff, 5, 0xff, 0xc9, 0x75, 0xf1, 0xf4,
  ];
  const linear = TWO_PAGES + 0x7ff3;
  for (let round = 0; round < 3; round++) {
    program.forEach((byte, i) => {
      const offset = 0xff3 + i;
      b.memory.u8[offset < 0x1000 ? first + offset : second + offset - 0x1000] = byte;
    });
    b.cpu.hostPageReplaced(first);
    b.cpu.hostPageReplaced(second);
    b.cpu.state.set(S.gpr, 0, 0);
    b.cpu.state.set(S.gpr + 24, 0, 0);
    assert.equal(run(b, [], linear), ExitReason.Hlt);
    assert.equal(b.cpu.state.big(S.gpr + 24), 1n + 19n * 5n);
  }
});
