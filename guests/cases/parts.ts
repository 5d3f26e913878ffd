/** Parts that several cases are made of. */
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem, mem64, memAt, type Register, r } from '../../src/isa/index.ts';
import { HYPERCALL_EXPOSED } from '../lib/registers.ts';

/** Free memory: page tables from here on, data above. */
export const TABLES_GPA = 0x10_0000;
export const DATA_GPA = 0x20_0000;
export const SHARED_BIT = 0x8000_0000_0000n;
/** second half of the linear addresses that `mapShared` maps: the same memory with the shared bit */
export const SHARED_ALIAS = 0x4000_0000;

const SERIAL_PORT = 0x3f8;
const TABLE = 0x23n;
const LARGE_PAGE = 0xe3n;
const LARGE_PAGE_BYTES = 0x20_0000n;
const INTERRUPT_GATE = 0x8e00;

/** TDG.VP.VMCALL with R12 to R15 as given; R10 is the status. */
export function vmcall(a: Assembler, leaf: number, operands: readonly (number | bigint)[] = []): void {
  a.xor(r.r10d, r.r10d);
  a.mov(r.r11d, leaf);
  [r.r12, r.r13, r.r14, r.r15].forEach((register, index) => {
    a.movabs(register, operands[index] ?? 0);
  });
  a.mov(r.ecx, HYPERCALL_EXPOSED);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.tdcall();
}

/** Writes text to the serial port through the host. */
export function print(a: Assembler, text: string): void {
  for (const character of text) vmcall(a, TdvmcallLeaf.INSTRUCTION_IO, [1, 1, SERIAL_PORT, character.charCodeAt(0)]);
}

/** Page tables of its own: the first GiB private at 0, and once more with the shared bit at SHARED_ALIAS. */
export function mapShared(a: Assembler): void {
  const [pml4, pdpt, privateHalf, sharedHalf] = [0, 1, 2, 3].map((page) => TABLES_GPA + page * 0x1000);
  const store = (at: number, value: bigint): void => {
    a.movabs(r.rax, value);
    a.mov(mem64(null, at), r.rax);
  };
  store(pml4!, BigInt(pdpt!) | TABLE);
  store(pdpt!, BigInt(privateHalf!) | TABLE);
  store(pdpt! + 8, BigInt(sharedHalf!) | TABLE);
  for (const [directory, bits] of [
    [privateHalf!, 0n],
    [sharedHalf!, SHARED_BIT],
  ] as const) {
    const name = `fill-${directory}`;
    a.mov(r.edi, directory);
    a.movabs(r.rax, bits | LARGE_PAGE);
    a.mov(r.ecx, 512);
    a.label(name);
    a.mov(mem(r.rdi), r.rax);
    a.add(r.rax, Number(LARGE_PAGE_BYTES));
    a.add(r.rdi, 8);
    a.loop(name);
  }
  a.mov(r.eax, pml4!);
  a.mov(r.cr3, r.rax);
}

/** An interrupt table with one gate, to a label. */
export function loadHandler(a: Assembler, vector: number, handler: string): void {
  const table = DATA_GPA + 0x1000;
  const gate = table + 16 * vector;
  a.lea(r.rax, memAt(handler));
  a.mov(mem64(null, gate), 0);
  a.mov(mem64(null, gate + 8), 0);
  const word = (offset: number, from: Register): void => a.mov(mem(null, gate + offset), from);
  word(0, r.ax);
  a.shr(r.rax, 16);
  word(6, r.ax);
  a.mov(r.eax, r.cs);
  word(2, r.ax);
  a.mov(r.eax, INTERRUPT_GATE);
  word(4, r.ax);
  a.mov(r.eax, 256 * 16 - 1);
  a.mov(mem(null, DATA_GPA), r.ax);
  a.mov(r.eax, table);
  a.mov(mem64(null, DATA_GPA + 2), r.rax);
  a.lidt(mem(null, DATA_GPA));
}
