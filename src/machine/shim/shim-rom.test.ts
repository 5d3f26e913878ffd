import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode, TdgLeaf, TdvmcallLeaf } from '../../abi/index.ts';
import { Access, ExitReason, ProcessorComplex, S, SecondLevel } from '../../cpu/index.ts';
import { fillShimRom, type Range, type RtmrExtension, SHIM_ROM_BYTES, SHIM_ROM_GPA } from '../../loader/index.ts';
import { HostMemory } from '../../memory/index.ts';
import { Clock } from '../../time/index.ts';
import { SeededEntropy } from '../entropy.ts';
import { buildShimRom } from './shim-rom.ts';

const ENTRY = 0x1_0000;
const MAILBOX = 0x1_1000;
const BOOT_PARAMS = 0x1234_5000;
const LARGE = 0x20_0000;
const Register = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsi: 6, rdi: 7, r8: 8, r9: 9, r11: 11, r14: 14, r15: 15 } as const;

interface AcceptRequest {
  readonly gpa: number;
  readonly level: number;
}

/** A processor at the TD reset vector in front of the shim, and two pages of low memory; TDCALLs are answered by a script. */
function atReset(accept: readonly Range[], vcpuIndex = 0, extend: readonly RtmrExtension[] = []) {
  const memory = new HostMemory(1 << 20);
  const clock = new Clock();
  const cpu = new ProcessorComplex(memory, clock).create(new SeededEntropy(1, 0));
  const shim = buildShimRom();
  const rom = fillShimRom(shim, {
    entryGpa: ENTRY,
    bootParamsGpa: BOOT_PARAMS,
    mailboxGpa: MAILBOX,
    accept,
    extend,
  });
  const lowHpa = memory.ramBase + SHIM_ROM_BYTES;
  memory.u8.set(rom, memory.ramBase);
  const table = new SecondLevel();
  const rights = Access.Read | Access.Write | Access.Execute;
  for (let offset = 0; offset < SHIM_ROM_BYTES; offset += 4096)
    table.set(SHIM_ROM_GPA + offset, SecondLevel.entry(memory.ramBase + offset, rights));
  for (let offset = 0; offset < 0x2000; offset += 4096)
    table.set(ENTRY + offset, SecondLevel.entry(lowHpa + offset, rights));
  memory.u8[lowHpa] = 0xf4; // HLT at the kernel's entry
  cpu.secondLevel = table;

  const { state } = cpu;
  cpu.controls.cr4Supported = 0x0037_07ff;
  cpu.controls.tdcallExits = true;
  state.setLow(S.cr0, 0x21);
  state.setLow(S.cr4, 0x40);
  state.setLow(S.efer, 0x901);
  for (let segment = 0; segment < 6; segment++) {
    state.setLow(S.segmentRights + 4 * segment, segment === 1 ? 0xc09b : 0xc093);
    state.setLow(S.segmentLimit + 4 * segment, -1);
  }
  state.set(S.rip, 0xffff_fff0 | 0, 0);
  state.set(S.gpr + 8 * Register.rsi, vcpuIndex, 0);
  cpu.modeChanged();
  const register = (index: number) => memory.view.getBigUint64(state.base + S.gpr + 8 * index, true);

  /** Runs to anything but TDCALL; `answer` gives RAX of each. */
  const run = (answer: (request: AcceptRequest) => bigint, limit = 1e6, extendStatus = 0n) => {
    const requests: AcceptRequest[] = [];
    const extended: { rtmr: number; digest: number[] }[] = [];
    clock.ringDue();
    clock.schedule(clock.nowTicks + limit, () => {});
    for (;;) {
      const exit = cpu.run();
      const leaf = exit.reason === ExitReason.Tdcall ? Number(register(Register.rax)) : undefined;
      const rcx = Number(register(Register.rcx));
      if (leaf === TdgLeaf.MR_RTMR_EXTEND) {
        const offset = memory.ramBase + rcx - SHIM_ROM_GPA;
        extended.push({ rtmr: Number(register(Register.rdx)), digest: [...memory.u8.subarray(offset, offset + 48)] });
        memory.view.setBigUint64(state.base + S.gpr, extendStatus, true);
        cpu.skipInstruction(exit.instructionLength);
        continue;
      }
      if (leaf === TdgLeaf.VP_INFO) {
        memory.view.setBigUint64(state.base + S.gpr, 0n, true);
        memory.view.setBigUint64(state.base + S.gpr + 8 * Register.r9, BigInt(vcpuIndex), true);
        cpu.skipInstruction(exit.instructionLength);
        continue;
      }
      if (leaf !== TdgLeaf.MEM_PAGE_ACCEPT) return { exit, requests, extended };
      const request = { gpa: rcx - (rcx % 4096), level: rcx % 4096 };
      requests.push(request);
      memory.view.setBigUint64(state.base + S.gpr, answer(request), true);
      cpu.skipInstruction(exit.instructionLength);
    }
  };
  /** Goes where the kernel sends a processor that it switches off; what it had in its registers is gone. */
  const switchOff = (fiveLevels: boolean) => {
    state.gprs.fill(-1);
    state.set(S.rip, shim.switchedOffGpa | 0, 0);
    if (fiveLevels) {
      state.setLow(S.cr4, state.low(S.cr4) | (1 << 12));
      state.set(S.cr3, (SHIM_ROM_GPA + 0x8000) | 0, 0);
    }
    cpu.modeChanged();
    cpu.invalidateSecondLevel();
  };
  return { run, register, state, memory, switchOff, mailboxHpa: lowHpa + 0x1000 };
}

/** The text in the registers of ReportFatalError. */
function fatalText(register: (index: number) => bigint): string {
  const order = [
    Register.r14,
    Register.r15,
    Register.rbx,
    Register.rdi,
    Register.rsi,
    Register.r8,
    Register.r9,
    Register.rdx,
  ];
  const text = new Uint8Array(64);
  order.forEach((index, at) => {
    new DataView(text.buffer).setBigUint64(8 * at, register(index), true);
  });
  return new TextDecoder().decode(text);
}

const SUCCESS = () => 0n;
const status = (code: number, details = 0) => (BigInt(code) << 32n) | BigInt(details);

test('vCPU 0 reaches the kernel in 64-bit mode with RSI = boot_params', () => {
  const { run, register, state } = atReset([]);
  const { exit, requests } = run(SUCCESS);
  assert.equal(exit.reason, ExitReason.Hlt);
  assert.equal(state.low(S.rip), ENTRY);
  assert.equal(register(Register.rsi), BigInt(BOOT_PARAMS));
  assert.deepEqual(requests, []);
  assert.ok(state.low(S.efer) & (1 << 10), 'long mode is active');
  assert.equal(state.low(S.cr4) & 0x40, 0x40, 'CR4.MCE stays');
  assert.equal(state.low(S.rflags) & 0x200, 0, 'interrupts are off');
});

test('ranges are accepted in large pages where they fit, in small ones at their edges', () => {
  const { run } = atReset([
    { startGpa: LARGE - 0x2000, endGpa: 3 * LARGE + 0x1000 },
    { startGpa: 8 * LARGE + 0x5000, endGpa: 8 * LARGE + 0x6000 },
  ]);
  assert.deepEqual(run(SUCCESS).requests, [
    { gpa: LARGE - 0x2000, level: 0 },
    { gpa: LARGE - 0x1000, level: 0 },
    { gpa: LARGE, level: 1 },
    { gpa: 2 * LARGE, level: 1 },
    { gpa: 3 * LARGE, level: 0 },
    { gpa: 8 * LARGE + 0x5000, level: 0 },
  ]);
});

test('where the host mapped small pages, small ones are accepted; accepted ones are passed over', () => {
  const { run } = atReset([{ startGpa: LARGE, endGpa: 3 * LARGE }]);
  const { exit, requests } = run(({ gpa, level }) => {
    if (level === 1 && gpa === LARGE) return status(CompletionCode.PAGE_SIZE_MISMATCH, 1);
    return gpa === LARGE ? status(CompletionCode.PAGE_ALREADY_ACCEPTED, 0) : 0n;
  });
  assert.equal(exit.reason, ExitReason.Hlt);
  assert.equal(requests.length, 1 + 512 + 1);
  assert.deepEqual(requests.at(-1), { gpa: 2 * LARGE, level: 1 });
});

test('any other status stops the TD with a message, again and again', () => {
  const { run, register } = atReset([{ startGpa: 0, endGpa: 0x1000 }]);
  const { exit } = run(() => status(CompletionCode.GPA_RANGE_BLOCKED, 0x1234));
  assert.equal(exit.reason, ExitReason.Tdcall);
  assert.equal(register(Register.rax), 0n);
  assert.equal(register(Register.r11), BigInt(TdvmcallLeaf.REPORT_FATAL_ERROR));
  assert.equal(fatalText(register), 'The shim could not accept memory, upper half of status: c0000b0c');
});

test('RTMRs are extended with the digests, in order, before the kernel is entered', () => {
  const extend = [2, 0, 3].map((rtmr) => ({ rtmr, digest: new Uint8Array(48).fill(0xd0 + rtmr) }));
  const { run } = atReset([{ startGpa: 0, endGpa: 0x1000 }], 0, extend);
  const { exit, requests, extended } = run(SUCCESS);
  assert.equal(exit.reason, ExitReason.Hlt);
  assert.equal(requests.length, 1);
  assert.deepEqual(
    extended,
    extend.map(({ rtmr, digest }) => ({ rtmr, digest: [...digest] })),
  );
});

test('an RTMR that cannot be extended stops the TD with a message', () => {
  const { run, register } = atReset([], 0, [{ rtmr: 1, digest: new Uint8Array(48) }]);
  const { exit } = run(SUCCESS, 1e6, status(CompletionCode.OPERAND_INVALID, 1));
  assert.equal(exit.reason, ExitReason.Tdcall);
  assert.equal(fatalText(register), 'The shim could not extend an RTMR, upper half of status:c0000100');
});

test('other vCPUs wait at the mailbox for their own wakeup and take the command off before they go', () => {
  const { run, state, memory, mailboxHpa } = atReset([], 2);
  assert.equal(run(SUCCESS, 5000).exit.reason, ExitReason.ExternalInterrupt, 'spins');
  const mailbox = new DataView(memory.wasm.buffer, mailboxHpa, 16);
  mailbox.setUint32(4, 1, true);
  mailbox.setBigUint64(8, BigInt(ENTRY), true);
  mailbox.setUint16(0, 1, true);
  assert.equal(run(SUCCESS, 5000).exit.reason, ExitReason.ExternalInterrupt, 'the wakeup is for vCPU 1');
  mailbox.setUint32(4, 2, true);
  assert.equal(run(SUCCESS).exit.reason, ExitReason.Hlt);
  assert.equal(state.low(S.rip), ENTRY);
  assert.equal(mailbox.getUint16(0, true), 0);
});

test('a processor that was switched off waits again, tells when it is asked, and comes back', () => {
  for (const fiveLevels of [false, true]) {
    const { run, state, memory, mailboxHpa, switchOff } = atReset([], 2);
    const waits = () => assert.equal(run(SUCCESS, 5000).exit.reason, ExitReason.ExternalInterrupt);
    waits();
    switchOff(fiveLevels);
    waits();
    const mailbox = new DataView(memory.wasm.buffer, mailboxHpa, 16);
    mailbox.setUint32(4, 1, true);
    mailbox.setUint16(0, 2, true);
    waits();
    assert.equal(mailbox.getUint16(0, true), 2, 'the test is for vCPU 1');
    mailbox.setUint32(4, 2, true);
    waits();
    assert.equal(mailbox.getUint16(0, true), 0, 'it is here');
    mailbox.setUint16(0, 3, true);
    waits();
    assert.equal(mailbox.getUint16(0, true), 3, 'no command that there is');
    mailbox.setBigUint64(8, BigInt(ENTRY), true);
    mailbox.setUint16(0, 1, true);
    assert.equal(run(SUCCESS).exit.reason, ExitReason.Hlt);
    assert.equal(state.low(S.rip), ENTRY);
    assert.equal(mailbox.getUint16(0, true), 0);
  }
});
