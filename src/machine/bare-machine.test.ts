import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason } from '../cpu/index.ts';
import { Bus } from '../devices/index.ts';
import { BareMachine } from './bare-machine.ts';

const code = (...bytes: number[]) => Uint8Array.from(bytes);

test('runs 64-bit code to its HLT', () => {
  const machine = new BareMachine();
  // mov rax, 0x1122334455667788; add rax, 1; mov [0x3000], rax; hlt
  machine.write(
    0x1000,
    code(
      0x48,
      0xb8,
      0x88,
      0x77,
      0x66,
      0x55,
      0x44,
      0x33,
      0x22,
      0x11,
      0x48,
      0x83,
      0xc0,
      0x01,
      0x48,
      0x89,
      0x04,
      0x25,
      0,
      0x30,
      0,
      0,
      0xf4,
    ),
  );
  machine.setRegister('RIP', 0x1000n);
  assert.deepEqual(machine.run(), { cause: 'hlt' });
  assert.equal(machine.register('RAX'), 0x1122334455667789n);
  assert.equal(machine.register('RIP'), 0x1017n);
  assert.deepEqual([...machine.read(0x3000, 8)], [0x89, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
  assert.equal(machine.processor.retired, 4);
});

test('runs 32-bit code', () => {
  const machine = new BareMachine({ mode: 32 });
  // mov eax, 7; inc eax (which 64-bit mode has not); hlt
  machine.write(0x1000, code(0xb8, 7, 0, 0, 0, 0x40, 0xf4));
  machine.setRegister('RIP', 0x1000n);
  assert.deepEqual(machine.run(), { cause: 'hlt' });
  assert.equal(machine.register('RAX'), 8n);
});

test('stops after the given number of instructions, and goes on', () => {
  const machine = new BareMachine();
  machine.write(0x1000, code(0x48, 0xff, 0xc0, 0xeb, 0xfb)); // inc rax; jmp back
  machine.setRegister('RIP', 0x1000n);
  assert.deepEqual(machine.run(1000), { cause: 'instruction-limit' });
  const { retired } = machine.processor;
  assert.ok(retired === 1000 || retired === 1001, 'a block may overshoot');
  assert.equal(machine.clock.nowTicks, retired);
  assert.deepEqual(machine.run(1000), { cause: 'instruction-limit' });
  assert.equal(machine.register('RAX'), BigInt(Math.ceil(machine.processor.retired / 2)));
});

test('ports are a bus; partial registers keep their rest', () => {
  const written: number[][] = [];
  const device = {
    read: () => 0xab,
    write: (offset: number, size: number, value: number) => void written.push([offset, size, value]),
  };
  const ports = new Bus([{ name: 'p', base: 0x10, lengthBytes: 4, accessBytes: 4, device }]);
  const machine = new BareMachine({ ports });
  // mov eax, 0x11223344; out 0x12, ax; in al, 0x10; hlt
  machine.write(0x1000, code(0xb8, 0x44, 0x33, 0x22, 0x11, 0x66, 0xe7, 0x12, 0xe4, 0x10, 0xf4));
  machine.setRegister('RIP', 0x1000n);
  assert.deepEqual(machine.run(), { cause: 'hlt' });
  assert.deepEqual(written, [[2, 2, 0x3344]]);
  assert.equal(machine.register('RAX'), 0x112233abn);
});

test('an exit it does not serve ends the run with its record', () => {
  const machine = new BareMachine();
  machine.write(0x1000, code(0x0f, 0xa2)); // cpuid
  machine.setRegister('RIP', 0x1000n);
  const end = machine.run();
  assert.equal(end.cause === 'exit' && end.exit.reason, ExitReason.Cpuid);
});

test('a triple fault is an end, not an exception of ours', () => {
  const machine = new BareMachine();
  machine.write(0x1000, code(0x0f, 0x0b)); // ud2, without an IDT
  machine.setRegister('RIP', 0x1000n);
  const end = machine.run();
  assert.equal(end.cause === 'exit' && end.exit.reason, ExitReason.TripleFault);
});
