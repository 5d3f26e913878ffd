import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleHelloTd } from '../../guests/index.ts';
import { planBareTd } from '../../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform, type VmmHooks } from '../../src/machine/index.ts';

const MEMORY_BYTES = 8 << 20;

function run(hostHooks: VmmHooks = {}) {
  const { origin, bytes } = assembleHelloTd({
    serialPort: BOARD.serial.port,
    sleepControlPort: BOARD.power.sleepControlPort,
    powerOffType: BOARD.power.powerOffType,
  });
  const plan = planBareTd({
    name: 'hello-td',
    pieces: [{ startGpa: origin, content: bytes }],
    entryGpa: origin,
    memoryBytes: MEMORY_BYTES,
    vcpus: 1,
    mailboxGpa: 0x1000,
    shim: buildShimRom(),
  });
  const printed: number[] = [];
  const td = new TdxPlatform({ memoryBytes: MEMORY_BYTES, hostHooks }).buildTd(plan, {
    consoleOutput: (byte) => printed.push(byte),
  });
  const { end } = td.run({ instructions: 1e6 });
  return { end, td, lines: String.fromCharCode(...printed).split('\r\n') };
}

test('hello-td says who it is and switches itself off', () => {
  const { end, td, lines } = run();
  assert.deepEqual(end, { cause: 'power-off' });
  assert.deepEqual(lines, [
    'Hello from a Trust Domain.',
    '__tdx_module_call, TDG.VP.INFO: status 0x0, GPA width 0x30, attributes 0x10000000, vCPUs 0x1',
    `__tdx_module_call, TDG.VM.RD: MRTD ${hexadecimal(td.readMrtd())}`,
    '__tdx_hypercall, GetTdVmCallInfo: status 0x0',
    '__tdx_hypercall, Instruction.IO: you are reading it. Good night.',
    '',
  ]);
});

test('a host that refuses port writes is told on', () => {
  const { end, lines } = run({
    tdvmcall: (call, serve) => (call.leaf === 0x1e ? (1n as ReturnType<typeof serve>) : serve()),
  });
  assert.deepEqual(lines, ['']);
  assert.equal(end.cause === 'fatal-error' && end.message, 'hello-td: the host refuses to write to the serial port');
});

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
