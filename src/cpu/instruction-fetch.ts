/** From RIP to the record that runs, and back: which code a processor executes, where its bytes are, and as what they are read. */
import type { StateVisitor } from '../bits/index.ts';
import { createInstruction, DecodeResult, type Instruction, Vector } from '../isa/index.ts';
import type { Engine } from './engine/engine.ts';
import { Handler } from './engine/handlers.ts';
import { R } from './engine/record.ts';
import { codeEntryOffset } from './engine/tlb.ts';
import type { GuestAccess } from './guest-access.ts';
import type { LoneRecord } from './lone-record.ts';
import { GuestFault, type Processor } from './processor.ts';
import { Access } from './second-level.ts';
import { codeSizeBits } from './segments.ts';
import { S } from './state.ts';
import { forbiddenVectorStates, requireVectorState } from './vector-state.ts';

const LONGEST_INSTRUCTION_BYTES = 15;

export class InstructionFetch {
  /** what code is read as: 16-, 32- or 64-bit code */
  mode: 16 | 32 | 64 = 64;
  /** vector states whose instructions fault: bits of `VectorState` */
  forbidden = 0;
  readonly #cpu: Processor;
  readonly #engine: Engine;
  readonly #guest: GuestAccess;
  readonly #lone: LoneRecord;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #bytes = new Uint8Array(LONGEST_INSTRUCTION_BYTES);
  readonly #lentInstruction = createInstruction();

  constructor(cpu: Processor, engine: Engine, guest: GuestAccess, lone: LoneRecord) {
    this.#cpu = cpu;
    this.#engine = engine;
    this.#guest = guest;
    this.#lone = lone;
    this.#i32 = engine.memory.i32;
    this.#u8 = engine.memory.u8;
    this.#u16 = new Uint16Array(engine.memory.wasm.buffer);
  }

  visitState(state: StateVisitor): void {
    this.mode = state.number('mode', this.mode) as 16 | 32 | 64;
    this.forbidden = state.number('forbidden', this.forbidden);
  }

  /** Looks anew at what the state says of code. */
  modeChanged(): void {
    const mode = codeSizeBits(this.#cpu);
    const forbidden = forbiddenVectorStates(this.#cpu) & this.#engine.vectorStates;
    if (mode === this.mode && forbidden === this.forbidden) return;
    this.mode = mode;
    this.forbidden = forbidden;
    this.#guest.forgetCodeTlb();
  }

  // ---- RIP and linear addresses

  /** Linear address of the instruction at RIP, into instructionStart. */
  locate(): void {
    const cpu = this.#cpu;
    const { state } = cpu;
    cpu.instructionStartLow = state.low(S.rip);
    cpu.instructionStartHigh = state.high(S.rip);
    if (this.mode !== 64) {
      cpu.instructionStartLow = (cpu.instructionStartLow + state.low(S.segmentBase + 8)) | 0;
      cpu.instructionStartHigh = 0;
    }
  }

  /** Sets RIP to the start of the instruction at a record of the page that is being executed. */
  returnTo(record: number): void {
    const { state } = this.#cpu;
    const offset = this.#u16[(record + R.nextOffset) >> 1]! - this.#u8[record + R.length]!;
    const low = state.low(S.codePage) + offset;
    if (this.mode === 64)
      state.set(S.rip, low, (state.high(S.codePage) + (low >>> 0 < state.low(S.codePage) >>> 0 ? 1 : 0)) | 0);
    else state.set(S.rip, low - state.low(S.segmentBase + 8), 0);
  }

  // ---- records; whatever has to find one may throw

  /** The record to run at RIP; `plain`: that of the instruction itself. */
  find(plain = false): number {
    const { state } = this.#cpu;
    const { code } = this.#engine;
    let low = state.low(S.rip);
    let high = state.high(S.rip);
    if (this.mode !== 64) {
      low = (low + state.low(S.segmentBase + 8)) | 0;
      high = 0;
    }
    state.set(S.codePage, low & ~4095, high);
    const entry = this.#codeEntry(low, high);
    const table = this.#i32[entry + 2]!;
    const hostPage = (this.#i32[entry + 3]! & ~4095) >>> 0;
    if (code.hasRoom)
      return plain
        ? code.findPlain(table, hostPage, low & 4095, this.mode)
        : code.find(table, hostPage, low & 4095, this.mode);
    this.#dropAll();
    return this.find(plain);
  }

  /** Tells the branch at a record the record of its target, which is at RIP. */
  link(branch: number): void {
    const { code } = this.#engine;
    const { generation } = code;
    const target = this.find();
    if (generation === code.generation && this.#lone.isCached(branch)) code.link(branch, target);
  }

  /** The instruction at a record has changed: finds the record that takes its place. */
  replace(stale: number): void {
    const { code } = this.#engine;
    const { generation } = code;
    this.returnTo(stale);
    const successor = this.find();
    if (generation === code.generation && this.#i32[stale >> 2] === Handler.Stale) code.forward(stale, successor);
  }

  /** Has the block compiled whose head was reached often enough. */
  compile(head: number): void {
    const { state } = this.#cpu;
    const { code } = this.#engine;
    const entry = (state.low(S.codeTlb) + codeEntryOffset(state.low(S.codePage))) >> 2;
    if (this.#i32[entry] !== state.low(S.codePage) || this.#i32[entry + 1] !== state.high(S.codePage) || !code.hasRoom)
      code.giveUp(head);
    else code.hot(head, this.#i32[entry + 2]!, (this.#i32[entry + 3]! & ~4095) >>> 0);
  }

  /** The instruction at RIP reaches into the next page, and its record says only that: the record to run, or 0 if it has been told what it is. */
  completeStraddling(record: number): number {
    this.locate();
    const cpu = this.#cpu;
    const { code } = this.#engine;
    const low = cpu.instructionStartLow;
    const nextLow = (low & ~4095) + 4096;
    const nextHigh = (cpu.instructionStartHigh + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    const instruction = this.decode();
    const { vectorState } = instruction.form;
    if ((vectorState & this.forbidden) !== 0) requireVectorState(cpu, vectorState);
    if (this.#guest.alone || !code.hasRoom) return this.#lone.write(instruction, low & 4095);
    const { generation } = code;
    const secondPage = (this.#i32[this.#codeEntry(nextLow, nextHigh) + 3]! & ~4095) >>> 0;
    if (generation === code.generation && !code.keepsStraddling(record, secondPage))
      code.keepStraddling(record, instruction, low & 4095, secondPage);
    return 0;
  }

  /** Decodes the instruction at instructionStart, by default into one that is good until the next call. */
  decode(into: Instruction = this.#lentInstruction): Instruction {
    const { instructionStartLow: low, instructionStartHigh: high } = this.#cpu;
    const { decoder } = this.#engine;
    const bytes = this.#bytes;
    const here = Math.min(LONGEST_INSTRUCTION_BYTES, 4096 - (low & 4095));
    const first = this.#pageOf(low, high) + (low & 4095);
    for (let i = 0; i < here; i++) bytes[i] = this.#u8[first + i]!;
    let result = decoder.decode(bytes, 0, here, this.mode, into);
    if (result === DecodeResult.Truncated && here < LONGEST_INSTRUCTION_BYTES) {
      const nextLow = (low & ~4095) + 4096;
      const second = this.#pageOf(nextLow, (high + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0);
      for (let i = here; i < LONGEST_INSTRUCTION_BYTES; i++) bytes[i] = this.#u8[second + i - here]!;
      result = decoder.decode(bytes, 0, LONGEST_INSTRUCTION_BYTES, this.mode, into);
    }
    if (result === DecodeResult.Invalid) throw new GuestFault(Vector.UD);
    if (result !== DecodeResult.Ok) throw new GuestFault(Vector.GP, 0);
    return into;
  }

  // ---- pages

  /** Entries of the code TLBs that come from a snapshot know host pages; their tables of records are of this process. */
  findTables(): void {
    for (const entry of this.#guest.tlbs.filledCodeEntries())
      this.#i32[entry + 2] = this.#tableOf((this.#i32[entry + 3]! & ~4095) >>> 0);
  }

  /** Index (in 32-bit words) of the code TLB entry for a linear page, filled now if it was not. */
  #codeEntry(low: number, high: number): number {
    const page = low & ~4095;
    const entry = (this.#cpu.state.low(S.codeTlb) + codeEntryOffset(low)) >> 2;
    if (this.#i32[entry] === page && this.#i32[entry + 1] === high) return entry;
    const hostPage = this.#pageOf(low, high);
    this.#guest.tlbs.fillCode(entry, low, high, this.#tableOf(hostPage), hostPage, this.#guest.walkedGlobal);
    return entry;
  }

  /** Host page of code at a linear address. */
  #pageOf(low: number, high: number): number {
    const hostPage = this.#guest.walk(low, high, Access.Execute, this.#cpu.state.low(S.cpl) === 3);
    if (hostPage < 0) this.#guest.throwPending();
    return hostPage;
  }

  /** Table of the records of a host page, made if there was none. */
  #tableOf(hostPage: number): number {
    const { code, users } = this.#engine;
    const known = code.table(hostPage, this.mode, this.forbidden);
    if (known !== 0) return known;
    if (!code.hasRoom) this.#dropAll();
    if (!code.isCode(hostPage)) for (const user of users) user.revokeWrites(hostPage);
    return code.createTable(hostPage, this.mode, this.forbidden);
  }

  #dropAll(): void {
    this.#engine.code.dropAll();
    for (const user of this.#engine.users) user.forgetCodeTlb();
  }
}
