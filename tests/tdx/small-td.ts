/** TDs of a few instructions: the shim takes the vCPU to 64-bit mode, accepts the memory, and jumps to them. */
import { Assembler } from '../../src/isa/index.ts';
import { type LoadPlan, planBareTd } from '../../src/loader/index.ts';
import { buildShimRom } from '../../src/machine/index.ts';

export const PROGRAM_GPA = 0x1000;
export const MAILBOX_GPA = 0x8000;
/** 8 MiB, the last pages of which do not fill a large one */
export const MEMORY_BYTES = 0x80_3000;

/** @param program emits the code of vCPU 0; the rest of the memory is accepted before it starts */
export function smallTd(program: (a: Assembler) => void, vcpus = 1): LoadPlan {
  const a = new Assembler({ origin: PROGRAM_GPA, mode: 64 });
  program(a);
  return planBareTd({
    name: 'program',
    pieces: [{ startGpa: PROGRAM_GPA, content: a.assemble().bytes }],
    entryGpa: PROGRAM_GPA,
    memoryBytes: MEMORY_BYTES,
    vcpus,
    mailboxGpa: MAILBOX_GPA,
    shim: buildShimRom(),
  });
}
