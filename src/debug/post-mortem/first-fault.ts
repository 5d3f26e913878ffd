/** Which exception began a triple fault: the processor tells only that it ended, the instruction and the tables tell the rest. */

import { hex } from '../../bits/index.ts';
import { OperandKind } from '../../isa/index.ts';
import type { Scene } from './scene.ts';

export interface FirstFault {
  readonly vector: number;
  readonly words: string;
  /** the address that could not be used */
  readonly linear?: bigint;
  /** an instruction that this processor has not, and the CPUID bit that says so */
  readonly missing?: { readonly name: string; readonly cpuid: string };
}

const UD = 6;
const GP = 13;
const PF = 14;
const TRAPS: ReadonlySet<string> = new Set(['UD0', 'UD1', 'UD2']);

/** Instructions that a guest is known to try without asking, by mnemonic. Source: SDM vol. 2, "CPUID". */
const cpuidBits: ReadonlyMap<string, string> = new Map([
  ['RDRAND', 'CPUID 1 ECX bit 30 is 0'],
  ['RDSEED', 'CPUID 7 EBX bit 18 is 0'],
]);

export function firstFault({ guest }: Scene): FirstFault | undefined {
  const rip = guest.instructionPointer;
  if (guest.walk(rip).gpa === undefined)
    return { vector: PF, linear: rip, words: `the page tables do not map the code at ${hex(rip)}` };
  const [at] = guest.decode(rip, 1);
  if (at === undefined) return undefined;
  const { instruction } = at;
  if (instruction === undefined) return { vector: UD, words: 'the bytes there are no instruction' };
  const { mnemonic } = instruction.form;
  if (TRAPS.has(mnemonic)) return { vector: UD, words: `the guest stopped itself with ${mnemonic.toLowerCase()}` };
  const cpuid = cpuidBits.get(mnemonic);
  if (cpuid !== undefined) return { vector: UD, words: `${mnemonic} is #UD`, missing: { name: mnemonic, cpuid } };
  const touchesMemory =
    /^(PUSH|POP|CALL|RET|IRET|LEAVE|ENTER|MOVS|STOS|LODS|SCAS|CMPS)/.test(mnemonic) ||
    instruction.operands.some(
      ({ kind }, position) => position < instruction.operandCount && kind === OperandKind.Memory,
    );
  const cr2 = guest.register('CR2');
  if (touchesMemory && guest.walk(cr2).gpa === undefined)
    return { vector: PF, linear: cr2, words: `address ${hex(cr2)} is not mapped (#PF)` };
  return touchesMemory ? { vector: GP, words: 'it could not be executed (#GP or #PF)' } : undefined;
}
