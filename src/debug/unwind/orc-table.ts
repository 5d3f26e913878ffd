/**
 * ORC: what Linux knows of its stacks for each address of its code, where no register points to the frames (CONFIG_UNWINDER_ORC).
 * Source: Linux, arch/x86/include/asm/orc_types.h, whose names are kept, and Documentation/arch/x86/orc-unwinder.rst.
 */

/** From which register the caller's SP is found, and its BP. */
export const OrcReg = {
  /** the register has not changed in this frame */
  UNDEFINED: 0,
  /** the caller's SP, just found: the stack before the call */
  PREV_SP: 1,
  DX: 2,
  DI: 3,
  BP: 4,
  SP: 5,
  R10: 6,
  R13: 7,
  /** in memory, at BP and the offset */
  BP_INDIRECT: 8,
  /** in memory, at SP; the offset is added to what is found there (since Linux 5.12) */
  SP_INDIRECT: 9,
} as const;

/** What is found at the caller's SP. */
export const OrcType = {
  UNDEFINED: 0,
  END_OF_STACK: 1,
  /** a return address right below it */
  CALL: 2,
  /** struct pt_regs: what an interrupt, an exception or a system call met */
  REGS: 3,
  /** its end only, which the processor pushes: RIP, CS, RFLAGS, RSP, SS */
  REGS_PARTIAL: 4,
} as const;

export interface OrcEntry {
  readonly sp_offset: number;
  readonly bp_offset: number;
  /** OrcReg */
  readonly sp_reg: number;
  readonly bp_reg: number;
  /** OrcType */
  readonly type: number;
  /** the caller was interrupted: its address is that of the next instruction, not one behind a call */
  readonly signal: boolean;
}

/** The entry for code that has none, as the kernel's unwinder guesses it: it has a frame pointer. */
export const FRAME_POINTER_ENTRY: OrcEntry = {
  sp_offset: 16,
  bp_offset: -16,
  sp_reg: OrcReg.BP,
  bp_reg: OrcReg.PREV_SP,
  type: OrcType.CALL,
  signal: false,
};

/** The upper bits of an entry's flags changed their meaning twice; the .orc_header, where there is one, is a hash of the definition. */
interface OrcFormat {
  /** hexadecimal; undefined: a kernel without .orc_header */
  readonly header: string | undefined;
  /** @param flags sp_reg 3:0, bp_reg 7:4, and the bits that differ */
  readonly read: (flags: number) => Pick<OrcEntry, 'type' | 'signal'>;
}

const SP_REG = 0xf;

/** UNDEFINED and END_OF_STACK were SP registers that are undefined, CALL was 0. */
function oldType(flags: number, end: number): number {
  if ((flags & SP_REG) !== OrcReg.UNDEFINED) return ((flags >> 8) & 3) + OrcType.CALL;
  return (flags & end) === 0 ? OrcType.UNDEFINED : OrcType.END_OF_STACK;
}

const FORMATS: readonly OrcFormat[] = [
  {
    // Linux 6.4: type 10:8, signal 11
    header: 'fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24',
    read: (flags) => ({ type: (flags >> 8) & 7, signal: (flags & 0x800) !== 0 }),
  },
  {
    // Linux 6.3: type 9:8, signal 10, end 11
    header: 'db84aed4103b31dd51e017f8f79783ca985c2c51',
    read: (flags) => ({ type: oldType(flags, 0x800), signal: (flags & 0x400) !== 0 }),
  },
  {
    // before: type 9:8, end 10
    header: undefined,
    read: (flags) => {
      const type = oldType(flags, 0x400);
      return { type, signal: type > OrcType.CALL };
    },
  },
];

const IP_BYTES = 4;
/** struct orc_entry: sp_offset, bp_offset, flags */
const ENTRY_BYTES = 6;
/** the kernel and its modules are mapped from here to the end; addresses are signed (linear-pages.ts) */
export const KERNEL_TEXT_START = -0x8000_0000;

/** The sections of a kernel, as they are in its memory. */
export interface OrcSections {
  /** .orc_header; undefined: there is none */
  readonly header: Uint8Array | undefined;
  /** .orc_unwind_ip: for each entry the distance from itself to the code, ascending */
  readonly unwindIp: Uint8Array;
  /** where .orc_unwind_ip is mapped, a signed address */
  readonly unwindIpAddress: number;
  /** .orc_unwind */
  readonly unwind: Uint8Array;
}

export class OrcTable {
  readonly #format: OrcFormat;
  /** from each element of .orc_unwind_ip to the first address of its entry */
  readonly #distances: DataView;
  /** of .orc_unwind_ip */
  readonly #start: number;
  readonly #count: number;
  readonly #entries: DataView;
  /** entries of callers, by address: there are fewer of them than of places where time passes */
  readonly #callers = new Map<number, OrcEntry>();

  private constructor(format: OrcFormat, { unwindIp, unwindIpAddress, unwind }: OrcSections) {
    this.#format = format;
    this.#distances = new DataView(unwindIp.buffer, unwindIp.byteOffset, unwindIp.length);
    this.#start = unwindIpAddress;
    this.#count = unwindIp.length / IP_BYTES;
    this.#entries = new DataView(unwind.buffer, unwind.byteOffset, unwind.length);
  }

  /** undefined: this is no table, or one of a format that is not known. */
  static from(sections: OrcSections): OrcTable | undefined {
    const { header, unwindIp, unwind } = sections;
    const hash = header && Array.from(header, (byte) => byte.toString(16).padStart(2, '0')).join('');
    const format = FORMATS.find((one) => one.header === hash);
    const count = unwindIp.length / IP_BYTES;
    if (format === undefined || count === 0 || unwind.length !== count * ENTRY_BYTES) return undefined;
    const table = new OrcTable(format, sections);
    return table.#ascends() ? table : undefined;
  }

  /** Whether this could be a table: a few hundred of its addresses are looked at, since there are 400 000. */
  #ascends(): boolean {
    const step = Math.ceil(this.#count / 512);
    let last = KERNEL_TEXT_START;
    for (let i = 0; i < this.#count; i += step) {
      const address = this.#addressAt(i);
      if (address < last || address >= 0) return false;
      last = address;
    }
    return true;
  }

  #addressAt(index: number): number {
    const at = index * IP_BYTES;
    return this.#start + at + this.#distances.getInt32(at, true);
  }

  /** As `find`, for an address that is asked for again and again. */
  findCaller(address: number): OrcEntry | undefined {
    let entry = this.#callers.get(address);
    if (entry === undefined) {
      entry = this.find(address);
      if (entry !== undefined) this.#callers.set(address, entry);
    }
    return entry;
  }

  /** The entry for code at a signed address; undefined: it is not the kernel's own code. Of several the last counts, and the last of all ends the kernel's code. */
  find(address: number): OrcEntry | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#addressAt(middle) <= address) low = middle + 1;
      else high = middle;
    }
    return low === 0 || low === this.#count ? undefined : this.#read(low - 1);
  }

  #read(index: number): OrcEntry {
    const at = index * ENTRY_BYTES;
    const flags = this.#entries.getUint16(at + 4, true);
    return {
      sp_offset: this.#entries.getInt16(at, true),
      bp_offset: this.#entries.getInt16(at + 2, true),
      sp_reg: flags & SP_REG,
      bp_reg: (flags >> 4) & 0xf,
      ...this.#format.read(flags),
    };
  }
}
