/** What programs of several vCPUs need: waking, stacks, interrupt gates. */
import { type Assembler, addressOf, mem16, mem32, mem64, memAt, r } from '../../src/isa/index.ts';
import { SHIM_CODE_SELECTOR } from '../../src/machine/shim/shim-rom.ts';
import { MAILBOX_GPA } from './small-td.ts';

/** RAM that the programs use, zero at the start. */
export const DATA_GPA = 0x2_0000;
const IDT_GPA = 0x3_0000;
const STACK_TOP_GPA = 0x4_0000;
const STACK_BYTES = 0x1000;
const INTERRUPT_GATE = 0x8e00;

/** Wakes a vCPU at a label through the mailbox, and waits until it has taken the command. */
export function wake(a: Assembler, apicId: number, label: string): void {
  const taken = `taken-${a.offset}`;
  a.mov(r.rbx, MAILBOX_GPA);
  a.mov(r.rax, addressOf(label));
  a.mov(mem64(r.rbx, 8), r.rax);
  a.mov(mem32(r.rbx, 4), apicId);
  a.mov(mem16(r.rbx), 1);
  a.label(taken);
  a.pause();
  a.cmp(mem16(r.rbx), 0);
  a.jne(taken);
}

/** Gives a vCPU a stack of its own. */
export function takeStack(a: Assembler, apicId: number): void {
  a.mov(r.rsp, STACK_TOP_GPA + (apicId + 1) * STACK_BYTES);
}

/** Writes an interrupt gate into the table that all vCPUs share. */
export function setGate(a: Assembler, vector: number, label: string): void {
  a.mov(r.rbx, IDT_GPA + 16 * vector);
  a.mov(r.eax, addressOf(label));
  a.or(r.eax, SHIM_CODE_SELECTOR << 16);
  a.mov(mem32(r.rbx), r.eax);
  a.mov(mem32(r.rbx, 4), INTERRUPT_GATE);
  a.mov(mem64(r.rbx, 8), 0);
}

export function loadIdt(a: Assembler): void {
  const [skip, pointer] = [`skip-${a.offset}`, `idt-pointer-${a.offset}`];
  a.lidt(memAt(pointer));
  a.jmp(skip);
  a.label(pointer);
  a.u16(0xfff);
  a.u64(IDT_GPA);
  a.label(skip);
}

/** Waits until a word of the data page has a value. */
export function waitFor(a: Assembler, offset: number, value: number): void {
  const again = `wait-${a.offset}`;
  a.mov(r.rbx, DATA_GPA);
  a.label(again);
  a.pause();
  a.cmp(mem32(r.rbx, offset), value);
  a.jne(again);
}

export function put(a: Assembler, offset: number, value: number): void {
  a.mov(r.rbx, DATA_GPA);
  a.mov(mem32(r.rbx, offset), value);
}

export function get(a: Assembler, offset: number): void {
  a.mov(r.rbx, DATA_GPA);
  a.mov(r.eax, mem32(r.rbx, offset));
}

/** x2APIC software enable, which every vCPU does for itself before it takes interrupts. */
export const X2apicMsr = { spuriousVector: 0x80f, endOfInterrupt: 0x80b, interruptCommand: 0x830 } as const;

/** End of interrupt: native, on the virtual-APIC page. */
export function endOfInterrupt(a: Assembler): void {
  a.mov(r.ecx, X2apicMsr.endOfInterrupt);
  a.xor(r.eax, r.eax);
  a.xor(r.edx, r.edx);
  a.wrmsr();
}
