/** A processor in user mode whose faults are skipped by a handler of its own, so that any bytes are a program. */
import {
  type EngineOptions,
  ExitReason,
  type LogicalProcessor,
  ProcessorComplex,
  S,
  STATE_BYTES,
  STATE_ROWS,
} from '../../src/cpu/index.ts';
import { Assembler, mem64, OPTIONAL_FEATURES, r } from '../../src/isa/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { Clock } from '../../src/time/index.ts';
import { AddressSpace, Pte } from '../isa/address-space.ts';
import { CODE_BASE, DATA_BASE, DATA_BYTES } from '../isa/batch.ts';
import { Random } from '../isa/random.ts';
import { ALIAS_BASE, CODE_BYTES, FICKLE_PAGE } from './fuzz-program.ts';

const PAGE = 4096;
const RAM_BYTES = 64 * PAGE;
/** Linear addresses of what the kernel owns: one page each. */
const GDT = 0x3000_0000;
const IDT = GDT + PAGE;
const TSS = IDT + PAGE;
const HANDLERS = TSS + PAGE;
const STACK_TOP = HANDLERS + 2 * PAGE;
const VECTORS = 64;
const WITH_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
/** an interrupt of the host */
const INTERRUPT = 0x30;
const Selector = { kernelCode: 0x10, userCode32: 0x23, userData: 0x2b, userCode64: 0x33 } as const;
/** TF, NT, AC: a handler returns without them */
const SHORT_LIVED_FLAGS = 0x4_4100;
const SLOT = 64;

/** Rows in lower case are the engine's, which say how it got here; but these the guest can see. */
const VISIBLE: ReadonlySet<string> = new Set(['rflagsSystem', 'interruptShadow']);
const GUEST_ROWS = STATE_ROWS.filter(({ name }) => VISIBLE.has(name) || !/^[a-z]/.test(name));

/** Skips what has faulted: on to the next multiple of 64, at the start again behind the program's end. */
function handlers(): Uint8Array {
  const a = new Assembler({ origin: HANDLERS, mode: 64 });
  for (let vector = 0; vector < VECTORS; vector++) {
    a.align(16);
    a.label(`vector${vector}`);
    if (WITH_ERROR_CODE.has(vector)) a.add(r.rsp, 8);
    if (vector === INTERRUPT) a.iretq();
    else a.jmp('skip');
  }
  a.label('skip');
  a.push(r.rax);
  a.mov(r.rax, mem64(r.rsp, 8));
  a.sub(r.rax, CODE_BASE - SLOT);
  a.cmp(r.rax, CODE_BYTES);
  a.jb('within');
  a.xor(r.eax, r.eax);
  a.label('within');
  a.and(r.rax, -SLOT);
  a.add(r.rax, CODE_BASE);
  a.mov(mem64(r.rsp, 8), r.rax);
  a.mov(mem64(r.rsp, 16), Selector.userCode64);
  a.and(mem64(r.rsp, 24), ~SHORT_LIVED_FLAGS);
  a.mov(mem64(r.rsp, 40), Selector.userData);
  a.pop(r.rax);
  a.iretq();
  return a.assemble().bytes;
}

export class FuzzMachine {
  readonly #memory = new HostMemory(RAM_BYTES);
  readonly #clock = new Clock();
  readonly #cpu: LogicalProcessor;
  readonly #code: number;
  readonly #data: number;
  readonly #fickleEntry: number;
  readonly #initialState: Uint8Array;

  constructor(options: EngineOptions) {
    const { u8 } = this.#memory;
    const space = new AddressSpace(this.#memory);
    this.#code = space.map(CODE_BASE, CODE_BYTES, Pte.User | Pte.Write);
    space.map(ALIAS_BASE, CODE_BYTES, Pte.User | Pte.Write, this.#code);
    this.#data = space.map(DATA_BASE, DATA_BYTES, Pte.User | Pte.Write);
    this.#fickleEntry = space.entry(FICKLE_PAGE);
    this.#mapSystem(space);
    const random = new Random(1);
    this.#cpu = new ProcessorComplex(this.#memory, this.#clock, { ...options, features: OPTIONAL_FEATURES }).create({
      next32: () => random.next(),
    });
    this.#prepareProcessor(space.root);
    const { base } = this.#cpu.state;
    this.#initialState = u8.slice(base, base + STATE_BYTES);
  }

  #mapSystem(space: AddressSpace): void {
    const { view, u8 } = this.#memory;
    const [gdt, idt, tss, code] = [GDT, IDT, TSS, HANDLERS].map((at) => space.map(at, PAGE, Pte.Write)) as [
      number,
      number,
      number,
      number,
    ];
    space.map(STACK_TOP - PAGE, PAGE, Pte.Write);
    for (const [selector, descriptor] of [
      [Selector.kernelCode, 0x00af_9b00_0000_ffffn],
      [Selector.userCode32, 0x00cf_fb00_0000_ffffn],
      [Selector.userData, 0x00cf_f300_0000_ffffn],
      [Selector.userCode64, 0x00af_fb00_0000_ffffn],
    ] as const)
      view.setBigUint64(gdt + (selector & ~7), descriptor, true);
    view.setBigUint64(tss + 4, BigInt(STACK_TOP), true);
    u8.set(handlers(), code);
    for (let vector = 0; vector < VECTORS; vector++) {
      const gate = idt + vector * 16;
      view.setUint16(gate, (HANDLERS + vector * 16) & 0xffff, true);
      view.setUint16(gate + 2, Selector.kernelCode, true);
      view.setUint16(gate + 4, vector === 3 || vector === 0x20 ? 0xee00 : 0x8e00, true);
      view.setUint16(gate + 6, HANDLERS >>> 16, true);
    }
  }

  #prepareProcessor(root: number): void {
    const { state, controls } = this.#cpu;
    controls.tdcallExits = true;
    controls.cr4Supported = 0x5_0770;
    state.set(S.cr0, 0x8001_0033 | 0, 0);
    state.set(S.cr3, root, 0);
    // PAE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE
    state.set(S.cr4, 0x5_0620, 0);
    state.set(S.xcr0, 7, 0);
    state.set(S.efer, 0xd00, 0);
    state.set(S.gdtrBase, GDT, 0);
    state.setLow(S.gdtrLimit, 0x37);
    state.set(S.idtrBase, IDT, 0);
    state.setLow(S.idtrLimit, VECTORS * 16 - 1);
    state.setLow(S.trSelector, 0x40);
    state.setLow(S.trRights, 0x8b);
    state.setLow(S.trLimit, 0x67);
    state.set(S.trBase, TSS, 0);
    state.setLow(S.ldtrRights, 0x1_0000);
    state.setLow(S.cpl, 3);
    for (let segment = 0; segment < 6; segment++) {
      state.setLow(S.segmentSelector + segment * 4, segment === 1 ? Selector.userCode64 : Selector.userData);
      state.setLow(S.segmentRights + segment * 4, segment === 1 ? 0xa0fb : 0xc0f3);
      state.setLow(S.segmentLimit + segment * 4, -1);
      state.set(S.segmentBase + segment * 8, 0, 0);
    }
  }

  /** A new program, with registers and data of its own. */
  load(program: Uint8Array, random: Random): void {
    const { u8, view } = this.#memory;
    const { state } = this.#cpu;
    u8.set(this.#initialState, state.base);
    u8.set(program, this.#code);
    for (let page = this.#code; page < this.#code + CODE_BYTES; page += PAGE) this.#cpu.hostPageReplaced(page);
    for (let i = 0; i < DATA_BYTES; i += 8) view.setBigUint64(this.#data + i, random.operand(), true);
    for (let register = 0; register < 16; register++) state.setBig(S.gpr + 8 * register, random.operand());
    for (let i = 0; i < 16 * 32; i += 8) view.setBigUint64(state.base + S.vector + i, random.operand(), true);
    state.set(S.rip, CODE_BASE, 0);
    this.#cpu.modeChanged();
    this.#cpu.writeRflags(0x202);
    this.#cpu.flushTlb(true);
  }

  get retired(): number {
    return this.#cpu.retired;
  }

  /** Runs for at least so many instructions, unless an exit comes first, which is skipped. False: the guest is beyond help. */
  run(instructions: number): boolean {
    this.#clock.stopAtTicks = this.#clock.nowTicks + instructions;
    const exit = this.#cpu.run();
    if (exit.reason === ExitReason.TripleFault) return false;
    if (exit.reason !== ExitReason.ExternalInterrupt) this.#cpu.skipInstruction(exit.instructionLength);
    return true;
  }

  /** What may happen to a guest from outside between two runs: an interrupt, a jump, another right, an interruption that changes nothing. */
  disturb(random: Random): void {
    const { view } = this.#memory;
    const { state } = this.#cpu;
    const what = random.below(16);
    const elsewhere = CODE_BASE + random.below(CODE_BYTES);
    if (what === 0) this.#cpu.inject(INTERRUPT, 0);
    else if (what === 1) this.#cpu.hostPageReplaced(this.#code);
    else if (what === 2) this.#cpu.flushTlb(true);
    else if (what < 10 && state.low(S.cpl) === 3) state.set(S.rip, elsewhere, 0);
    else if (what === 10) {
      view.setBigUint64(this.#fickleEntry, view.getBigUint64(this.#fickleEntry, true) ^ Pte.Write, true);
      this.#cpu.flushTlbPage(FICKLE_PAGE, 0);
    }
  }

  /** The first thing in which two machines differ, as text; undefined: nothing. */
  differenceTo(other: FuzzMachine): string | undefined {
    const [ours, theirs] = [this.#cpu, other.#cpu];
    const [a, b] = [this.#memory.u8, other.#memory.u8];
    if (ours.retired !== theirs.retired) return `retired: ${ours.retired} and ${theirs.retired}`;
    if (ours.position !== theirs.position) return `position: ${ours.position} and ${theirs.position}`;
    if (ours.readRflags() !== theirs.readRflags())
      return `RFLAGS: ${ours.readRflags().toString(16)} and ${theirs.readRflags().toString(16)}`;
    for (const { name, offset, width } of GUEST_ROWS) {
      const [row, otherRow] = [ours, theirs].map(({ state }, i) =>
        Buffer.from([a, b][i]!.subarray(state.base + offset, state.base + offset + width)),
      ) as [Buffer, Buffer];
      if (!row.equals(otherRow))
        return `${name}: ${row.reverse().toString('hex')} and ${otherRow.reverse().toString('hex')}`;
    }
    const [ram, otherRam] = [this.#ram, other.#ram];
    if (ram.equals(otherRam)) return undefined;
    const at = ram.findIndex((byte, i) => byte !== otherRam[i]);
    return `memory at ${at.toString(16)}: ${ram[at]!.toString(16)} and ${otherRam[at]!.toString(16)}`;
  }

  get #ram(): Buffer {
    const { u8, ramBase } = this.#memory;
    return Buffer.from(u8.buffer, ramBase, RAM_BYTES);
  }

  /** Where it is, for a message. */
  get where(): string {
    const { state } = this.#cpu;
    const rip = Number(state.big(S.rip));
    const at = this.#code + rip - CODE_BASE;
    const bytes = rip >= CODE_BASE && rip < CODE_BASE + CODE_BYTES ? this.#memory.u8.slice(at, at + 16) : [];
    return `RIP ${rip.toString(16)} (${Buffer.from(bytes).toString('hex')}), ${this.#cpu.retired} instructions`;
  }
}
