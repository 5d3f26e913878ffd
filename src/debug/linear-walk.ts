/** A walk of the guest's page tables by somebody who only looks: no accessed bit is set, no right is asked for (SDM vol. 3, chapter "Paging"). */

const CR0_PG = 1n << 31n;
const CR4_PSE = 1n << 4n;
const CR4_PAE = 1n << 5n;
const CR4_LA57 = 1n << 12n;
const EFER_LMA = 1n << 10n;
const PRESENT = 1n;
const LARGE = 0x80n;
const FRAME = 0x000f_ffff_ffff_f000n;
const LOW_32 = 0xffff_ffffn;

/** The registers that say how linear addresses are translated. */
export interface PagingRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
}

export interface WalkStep {
  /** level of the table: 5 to 1 */
  readonly level: number;
  /** guest physical address of the entry */
  readonly entryGpa: bigint;
  /** undefined: nothing is to be read there */
  readonly entry: bigint | undefined;
}

export interface LinearWalk {
  readonly steps: readonly WalkStep[];
  /** guest physical address, shared bit included; undefined: not mapped */
  readonly gpa: bigint | undefined;
}

/** @param readEntry `bytes` (4 or 8) of guest physical memory, little-endian */
export function walkLinear(
  registers: PagingRegisters,
  linear: bigint,
  readEntry: (gpa: bigint, bytes: number) => bigint | undefined,
): LinearWalk {
  const { cr0, cr3, cr4, efer } = registers;
  if ((cr0 & CR0_PG) === 0n) return { steps: [], gpa: linear & LOW_32 };
  const long = (efer & EFER_LMA) !== 0n;
  const wide = long || (cr4 & CR4_PAE) !== 0n;
  let level = long ? ((cr4 & CR4_LA57) !== 0n ? 5 : 4) : wide ? 3 : 2;
  let table = long ? cr3 & FRAME : wide ? cr3 & 0xffff_ffe0n : cr3 & 0xffff_f000n;
  const address = long ? linear : linear & LOW_32;
  const indexBits = wide ? 9n : 10n;
  const entryBytes = wide ? 8 : 4;
  const steps: WalkStep[] = [];
  for (; ; level--) {
    const shift = 12n + indexBits * BigInt(level - 1);
    const index = (address >> shift) & ((1n << indexBits) - 1n);
    const entryGpa = table + index * BigInt(entryBytes);
    const entry = readEntry(entryGpa, entryBytes);
    steps.push({ level, entryGpa, entry });
    if (entry === undefined || (entry & PRESENT) === 0n) return { steps, gpa: undefined };
    const mayBeLarge = wide ? level === 2 || (level === 3 && long) : level === 2 && (cr4 & CR4_PSE) !== 0n;
    if (level === 1 || (mayBeLarge && (entry & LARGE) !== 0n)) {
      const inside = (1n << shift) - 1n;
      const frame = wide || level === 1 ? entry & FRAME : (entry & 0xffc0_0000n) | ((entry & 0x1f_e000n) << 19n);
      return { steps, gpa: (frame & ~inside) | (address & inside) };
    }
    table = entry & FRAME;
  }
}
