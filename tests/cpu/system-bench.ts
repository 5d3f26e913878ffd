/** A processor with 4 MiB of guest memory behind a second level, tables laid out as a small kernel would. */
import {
  type CpuState,
  type ExitRecord,
  type LogicalProcessor,
  ProcessorComplex,
  S,
  SecondLevel,
} from '../../src/cpu/index.ts';
import { Assembler, mem, memAt, r } from '../../src/isa/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { Clock } from '../../src/time/index.ts';

export const GUEST_BYTES = 4 << 20;

/** Guest physical (and linear) addresses. */
export const Place = {
  gdt: 0x1000,
  tss: 0x1800,
  idt: 0x2000,
  log: 0x4000,
  code: 0x8000,
  pml4: 0x1_0000,
  kernelStack: 0x2_0000,
  interruptStack: 0x2_4000,
  userStack: 0x2_8000,
} as const;

export const Selector = {
  code32: 0x08,
  data: 0x10,
  code64: 0x18,
  kernelData: 0x20,
  userCode32: 0x2b,
  userData: 0x33,
  userCode64: 0x3b,
  tss: 0x40,
} as const;

/** What the common handler writes for each event. */
export interface LoggedEvent {
  readonly vector: number;
  readonly errorCode: number;
  readonly rip: number;
  readonly cs: number;
  readonly rflags: number;
  readonly rsp: number;
  readonly ss: number;
  readonly cr2: number;
}

const ERROR_CODE_VECTORS = new Set([8, 10, 11, 12, 13, 14, 17]);
const HANDLED = [0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 20, 0x40, 0x80];
/** words of a log entry */
const ENTRY_WORDS = 8;

export class SystemBench {
  readonly memory = new HostMemory(16 << 20);
  readonly clock = new Clock();
  readonly cpu: LogicalProcessor;
  readonly secondLevel = new SecondLevel();
  readonly base: number;

  constructor() {
    this.cpu = new ProcessorComplex(this.memory, this.clock).create({ next32: () => 0x1234_5678 });
    this.base = this.memory.ramBase + 0x10_0000;
    for (let gpa = 0; gpa < GUEST_BYTES; gpa += 4096) this.map(gpa, 7);
    this.cpu.secondLevel = this.secondLevel;
    const { controls } = this.cpu;
    controls.cr4Supported = 0x003f_ffff;
    const numbers = [0xc000_0080, 0xc000_0081, 0xc000_0082, 0xc000_0084, 0xc000_0100, 0xc000_0101, 0xc000_0102];
    controls.nativeMsrReads = controls.nativeMsrWrites = new Set(numbers);
    controls.virtualApic = true;
    controls.guestPhysicalAddressBits = 48;
    this.#writeTables();
    this.#reset();
  }

  map(gpa: number, rights: number): void {
    this.secondLevel.set(gpa, SecondLevel.entry(this.base + gpa, rights));
    this.cpu.invalidateSecondLevel();
  }

  write64(gpa: number, value: number | bigint): void {
    this.memory.view.setBigUint64(this.base + gpa, BigInt.asUintN(64, BigInt(value)), true);
  }

  read64(gpa: number): bigint {
    return this.memory.view.getBigUint64(this.base + gpa, true);
  }

  /** Puts code at `Place.code`; it starts in 32-bit mode and ends with HLT. */
  load(build: (a: Assembler) => void): ReadonlyMap<string, number> {
    const a = new Assembler({ origin: Place.code, mode: 32 });
    build(a);
    const { bytes, symbols: labels } = a.assemble();
    this.memory.u8.set(bytes, this.base + Place.code);
    return labels;
  }

  run(): ExitRecord {
    return this.cpu.run();
  }

  get events(): LoggedEvent[] {
    const events: LoggedEvent[] = [];
    const end = Number(this.cpu.state.big(S.gpr + 15 * 8));
    for (let at: number = Place.log; at < end; at += ENTRY_WORDS * 8) {
      const words = Array.from({ length: ENTRY_WORDS }, (_, i) => Number(this.read64(at + i * 8)));
      const [vector, errorCode, rip, cs, rflags, rsp, ss, cr2] = words as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      events.push({ vector, errorCode, rip, cs, rflags, rsp, ss, cr2 });
    }
    return events;
  }

  get state(): CpuState {
    return this.cpu.state;
  }

  #writeTables(): void {
    const descriptors = [
      0n,
      0x00cf_9a00_0000_ffffn,
      0x00cf_9200_0000_ffffn,
      0x00af_9a00_0000_ffffn,
      0x00cf_9200_0000_ffffn,
    ];
    descriptors.push(0x00cf_fa00_0000_ffffn, 0x00cf_f200_0000_ffffn, 0x00af_fa00_0000_ffffn);
    descriptors.push((BigInt(Place.tss) << 16n) | 0x0000_8900_0000_0067n, 0n);
    for (const [i, descriptor] of descriptors.entries()) this.write64(Place.gdt + i * 8, descriptor);
    this.write64(Place.tss + 4, Place.kernelStack);
    this.write64(Place.tss + 0x24, Place.interruptStack);
    // 4 MiB by 2 MiB pages, open to user mode
    this.write64(Place.pml4, Place.pml4 + 0x1007);
    this.write64(Place.pml4 + 0x1000, Place.pml4 + 0x2007);
    this.write64(Place.pml4 + 0x2000, 0x87);
    this.write64(Place.pml4 + 0x2008, 0x20_0087);
  }

  #reset(): void {
    const { state } = this.cpu;
    state.set(S.rip, Place.code, 0);
    state.set(S.cr0, 0x31, 0);
    for (let segment = 0; segment < 6; segment++) {
      state.setLow(S.segmentRights + segment * 4, segment === 1 ? 0xc09b : 0xc093);
      state.setLow(S.segmentLimit + segment * 4, -1);
      state.setLow(S.segmentSelector + segment * 4, segment === 1 ? Selector.code32 : Selector.data);
    }
    state.setLow(S.ldtrRights, 0x1_0000);
    state.set(S.gpr + 15 * 8, Place.log, 0);
    this.cpu.modeChanged();
  }
}

/** From 32-bit protected mode without paging to 64-bit mode with GDT, IDT and TSS; goes on behind it. EFER.NXE and SCE are set. */
export function enterLongMode(a: Assembler): void {
  a.lgdt(memAt('gdtr'));
  a.mov(r.eax, r.cr4);
  a.or(r.eax, 0x20);
  a.mov(r.cr4, r.eax);
  a.mov(r.eax, Place.pml4);
  a.mov(r.cr3, r.eax);
  a.mov(r.ecx, 0xc000_0080);
  a.mov(r.eax, 0x901);
  a.mov(r.edx, 0);
  a.wrmsr();
  a.mov(r.eax, 0x8001_0031);
  a.mov(r.cr0, r.eax);
  a.jmpFar(Selector.code64, 'long');
  a.align(8);
  a.label('gdtr');
  a.u16(0x4f);
  a.u32(Place.gdt);
  a.label('idtr');
  a.u16(0xfff);
  a.u64(Place.idt);
  a.mode(64);
  a.label('long');
  a.mov(r.eax, Selector.kernelData);
  for (const segment of [r.ds, r.es, r.ss]) a.mov(segment, r.eax);
  a.mov(r.rsp, Place.kernelStack);
  a.lidt(memAt('idtr'));
  a.mov(r.eax, Selector.tss);
  a.ltr(r.eax);
  a.mov(r.r15, Place.log);
}

/** The handlers: each logs its frame at [R15], adds R14 to the saved RIP and returns. */
export function handlers(a: Assembler): void {
  for (const vector of HANDLED) {
    a.label(`vector${vector}`);
    if (!ERROR_CODE_VECTORS.has(vector)) a.push(0);
    a.push(vector);
    a.jmp('common');
  }
  a.label('common');
  a.push(r.rax);
  for (let word = 0; word < 7; word++) {
    a.mov(r.rax, mem(r.rsp, 8 + word * 8));
    a.mov(mem(r.r15, word * 8), r.rax);
  }
  a.mov(r.rax, r.cr2);
  a.mov(mem(r.r15, 56), r.rax);
  a.add(r.r15, 64);
  a.add(mem(r.rsp, 24), r.r14);
  a.pop(r.rax);
  a.add(r.rsp, 16);
  a.iretq();
}

/** Fills the IDT: interrupt gates to the handlers, vector 3 and 0x80 open to user mode; `ist` chooses stack 1 for a vector. */
export function fillIdt(bench: SystemBench, labels: ReadonlyMap<string, number>, ist: readonly number[] = []): void {
  for (const vector of HANDLED) {
    const at = BigInt(labels.get(`vector${vector}`)!);
    const privilege = vector === 3 || vector === 0x80 ? 3n : 0n;
    const stack = ist.includes(vector) ? 1n : 0n;
    const gate =
      (at & 0xffffn) |
      (BigInt(Selector.code64) << 16n) |
      (stack << 32n) |
      (0x8en << 40n) |
      (privilege << 45n) |
      ((at >> 16n) << 48n);
    bench.write64(Place.idt + vector * 16, gate);
    bench.write64(Place.idt + vector * 16 + 8, 0);
  }
}
