/** The two calls as a few instructions each, for programs of `smallTd`. They use no stack. */
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, type Immediate, type Register, r } from '../../src/isa/index.ts';

/** R10 to R15 cross. */
const EXPOSED = 0xfc00;
const OPERANDS = [r.r12, r.r13, r.r14, r.r15] as const;

/** TDG.VP.VMCALL with R12, R13, ... as given; a register stands for itself being set already. */
export function vmmCall(a: Assembler, leaf: number, ...operands: (Immediate | Register)[]): void {
  operands.forEach((operand, i) => {
    if (operand !== OPERANDS[i]) a.mov(OPERANDS[i]!, operand);
  });
  a.xor(r.r10d, r.r10d);
  a.mov(r.r11d, leaf);
  a.mov(r.ecx, EXPOSED);
  a.xor(r.eax, r.eax);
  a.tdcall();
}

export function moduleCall(a: Assembler, leaf: number): void {
  a.mov(r.eax, leaf);
  a.tdcall();
}

export const vpInfo = (a: Assembler): void => moduleCall(a, TdgLeaf.VP_INFO);

/** One character to the serial port; `character` is a register of 64 bits or a code. */
export function print(a: Assembler, character: Immediate | Register): void {
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 1, 0x3f8, character);
}

export function writeMsr(a: Assembler, index: number, value: Immediate | Register): void {
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_WRMSR, index, value);
}

/** Powers the machine off: S5 in the sleep control register. */
export function powerOff(a: Assembler): void {
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 1, 0x600, 0x34);
}
