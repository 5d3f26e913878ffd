/** TDs of a few instructions: the shim takes the vCPU to 64-bit mode, accepts what is pending, and jumps to them. */
import { Assembler } from '../../src/isa/index.ts';
import { fillShimRom, type LoadPlan, type PlanRegion, SHIM_ROM_GPA } from '../../src/loader/index.ts';
import { buildShimRom } from '../../src/machine/shim/shim-rom.ts';

export const PROGRAM_GPA = 0x1000;
export const MAILBOX_GPA = 0x8000;
export const PENDING_GPA = 0x20_0000;

/** @param program emits the code of vCPU 0 @param pendingBytes RAM from 2 MiB on, accepted before it starts */
export function smallTd(program: (a: Assembler) => void, pendingBytes = 0, vcpus = 1): LoadPlan {
  const a = new Assembler({ origin: PROGRAM_GPA, mode: 64 });
  program(a);
  const page = (name: string, startGpa: number, content: Uint8Array | 'zero'): PlanRegion => ({
    name,
    startGpa,
    lengthBytes: content === 'zero' ? 0x1000 : Math.ceil(content.length / 0x1000) * 0x1000,
    content,
    treatment: 'added-measured',
  });
  const accept = pendingBytes === 0 ? [] : [{ startGpa: PENDING_GPA, endGpa: PENDING_GPA + pendingBytes }];
  const rom = fillShimRom(buildShimRom(), {
    entryGpa: PROGRAM_GPA,
    bootParamsGpa: 0,
    mailboxGpa: MAILBOX_GPA,
    accept,
  });
  return {
    regions: [
      page('program', PROGRAM_GPA, a.assemble().bytes),
      page('mailbox', MAILBOX_GPA, 'zero'),
      ...accept.map(
        ({ startGpa, endGpa }): PlanRegion => ({
          name: 'RAM',
          startGpa,
          lengthBytes: endGpa - startGpa,
          content: 'zero',
          treatment: 'pending',
        }),
      ),
      page('shim', SHIM_ROM_GPA, rom),
    ],
    memoryMap: [],
    vcpus,
    initialRcx: 0,
    warnings: [],
  };
}
