/** A TD without an operating system: pieces of code and data at fixed addresses, entered in 64-bit mode by the shim. */
import { hex } from '../bits/index.ts';
import { mergeIntoPages, PAGE_BYTES, type Piece, pageCeiling, subtract } from './pages.ts';
import { LoadError, type LoadPlan, MemoryType, type PlanRegion } from './plan.ts';
import { fillShimRom, SHIM_ROM_GPA, type ShimRom } from './shim-rom.ts';

export interface BareTd {
  /** how the plan calls it */
  readonly name: string;
  readonly pieces: readonly Piece[];
  readonly entryGpa: number;
  /** RAM from address 0, a multiple of 4 KiB; what no piece covers is accepted and zero */
  readonly memoryBytes: number;
  readonly vcpus: number;
  /** page where vCPUs but the first wait; not covered by a piece */
  readonly mailboxGpa: number;
  readonly shim: ShimRom;
}

/** @throws LoadError if a piece lies outside the memory */
export function planBareTd(bare: BareTd): LoadPlan {
  const outside = bare.pieces.find(({ startGpa, content }) => startGpa + content.length > bare.memoryBytes);
  if (outside)
    throw new LoadError(
      `${bare.name} wants address ${hex(outside.startGpa + outside.content.length - 1)}, past the ${hex(bare.memoryBytes)} bytes of its TD: link it lower`,
    );
  const added: PlanRegion[] = [
    {
      name: 'wakeup mailbox',
      startGpa: bare.mailboxGpa,
      lengthBytes: PAGE_BYTES,
      content: 'zero',
      treatment: 'added-measured',
    },
    ...mergeIntoPages(bare.pieces).map(
      ({ startGpa, content }): PlanRegion => ({
        name: bare.name,
        startGpa,
        lengthBytes: pageCeiling(content.length),
        content,
        treatment: 'added-measured',
      }),
    ),
  ];
  const ram = { startGpa: 0, endGpa: bare.memoryBytes };
  const pending = subtract(
    ram,
    added.map(({ startGpa, lengthBytes }) => ({ startGpa, endGpa: startGpa + lengthBytes })),
  );
  const rom = fillShimRom(bare.shim, {
    entryGpa: bare.entryGpa,
    bootParamsGpa: 0,
    mailboxGpa: bare.mailboxGpa,
    accept: pending,
  });
  const regions = [
    ...added,
    ...pending.map(
      ({ startGpa, endGpa }): PlanRegion => ({
        name: 'RAM',
        startGpa,
        lengthBytes: endGpa - startGpa,
        content: 'zero',
        treatment: 'pending',
      }),
    ),
    {
      name: 'shim',
      startGpa: SHIM_ROM_GPA,
      lengthBytes: rom.length,
      content: rom,
      treatment: 'added-measured',
    } as const,
  ];
  return {
    regions: regions.sort((a, b) => a.startGpa - b.startGpa),
    memoryMap: [{ startGpa: 0, lengthBytes: bare.memoryBytes, type: MemoryType.Ram }],
    vcpus: bare.vcpus,
    initialRcx: 0,
    warnings: [],
  };
}
