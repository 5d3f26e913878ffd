/** Who called whom, out of a stack of Linux: from the innermost function out. Source of the rules: Linux, arch/x86/kernel/unwind_orc.c. */
import { FRAME_POINTER_ENTRY, KERNEL_TEXT_START, type OrcEntry, OrcReg, type OrcTable, OrcType } from './orc-table.ts';

/** end: where the kernel starts a stack. user: a program was interrupted, or called. lost: nobody knows who called. */
export type ChainEnd = 'end' | 'user' | 'lost';

/** Where a processor is; values are signed addresses (linear-pages.ts). */
export interface StartRegisters {
  readonly ip: number;
  readonly sp: number;
  readonly bp: number;
  /** a register by its number in instructions */
  readonly register: (gpr: number) => number;
}

/** 8 bytes at an address that is a multiple of 8, as a signed number; NaN: nothing is to be read there. */
export type ReadWord = (address: number) => number;

/** struct pt_regs, of arch/x86/include/asm/ptrace.h: offsets in bytes. The processor pushes what begins with IP. */
const PtRegs = { R13: 16, BP: 32, R10: 56, DX: 96, DI: 112, IP: 128, CS: 136, SP: 152 } as const;

/** Registers that an entry can name and that are known only where all registers are: offset in pt_regs, number. */
const SAVED: ReadonlyMap<number, readonly [offset: number, gpr: number]> = new Map([
  [OrcReg.DX, [PtRegs.DX, 2]],
  [OrcReg.DI, [PtRegs.DI, 7]],
  [OrcReg.R10, [PtRegs.R10, 10]],
  [OrcReg.R13, [PtRegs.R13, 13]],
]);

const PRIVILEGE = 3;
const MOST_FRAMES = 128;
const STACK_BYTES = 16_384;
const PAGE_BYTES = 4096;

export class Unwinder {
  /** Addresses in the functions that run, the innermost first, `depth` of them; of callers it is the last byte of the call. */
  readonly chain = new Int32Array(MOST_FRAMES);
  depth = 0;
  readonly #table: OrcTable | undefined;
  readonly #word: ReadWord;
  #start: StartRegisters | undefined;
  /** where all registers are saved; NaN: nowhere */
  #regs = Number.NaN;

  /** @param table undefined: the kernel has none, and is taken to have frame pointers */
  constructor(table: OrcTable | undefined, word: ReadWord) {
    this.#table = table;
    this.#word = word;
  }

  /** Fills the chain. */
  unwind(start: StartRegisters): ChainEnd {
    const word = this.#word;
    let { ip, sp, bp } = start;
    this.#start = start;
    let isExact = true;
    this.depth = 0;
    while (this.depth < MOST_FRAMES) {
      const address: number = isExact ? ip : ip - 1;
      if (!(address >= KERNEL_TEXT_START && address < 0)) return 'lost';
      const at = address | 0;
      this.chain[this.depth++] = at;
      const entry: OrcEntry = this.#entryOf(at) ?? FRAME_POINTER_ENTRY;
      if (entry.type === OrcType.END_OF_STACK) return 'end';
      if (entry === FRAME_POINTER_ENTRY && !(bp >= sp && bp < sp + STACK_BYTES)) return 'lost';
      const previous = this.#previousSp(entry, sp, bp);
      let cs = 0;
      let callerSp = previous;
      switch (entry.type) {
        case OrcType.CALL:
          ip = word(previous - 8);
          this.#start = undefined;
          this.#regs = Number.NaN;
          break;
        case OrcType.REGS:
          this.#start = undefined;
          this.#regs = previous;
          ip = word(previous + PtRegs.IP);
          cs = word(previous + PtRegs.CS);
          callerSp = word(previous + PtRegs.SP);
          break;
        case OrcType.REGS_PARTIAL:
          ip = word(previous);
          cs = word(previous + PtRegs.CS - PtRegs.IP);
          callerSp = word(previous + PtRegs.SP - PtRegs.IP);
          break;
        default:
          return 'lost';
      }
      if ((cs & PRIVILEGE) !== 0) return 'user';
      bp = this.#callerBp(entry, previous, bp);
      // a stack is left upwards, or for another one
      if (callerSp <= sp && Math.floor(callerSp / PAGE_BYTES) === Math.floor(sp / PAGE_BYTES)) return 'lost';
      sp = callerSp;
      isExact = entry.signal;
    }
    return 'lost';
  }

  #entryOf(address: number): OrcEntry | undefined {
    return this.depth === 1 ? this.#table?.find(address) : this.#table?.findCaller(address);
  }

  #previousSp({ sp_reg, sp_offset }: OrcEntry, sp: number, bp: number): number {
    switch (sp_reg) {
      case OrcReg.SP:
        return sp + sp_offset;
      case OrcReg.BP:
        return bp + sp_offset;
      case OrcReg.SP_INDIRECT:
        return this.#word(sp) + sp_offset;
      case OrcReg.BP_INDIRECT:
        return this.#word(bp + sp_offset);
      default: {
        const saved = SAVED.get(sp_reg);
        if (saved === undefined) return Number.NaN;
        const [offset, gpr] = saved;
        return this.#start?.register(gpr) ?? this.#word(this.#regs + offset);
      }
    }
  }

  #callerBp({ bp_reg, bp_offset }: OrcEntry, previous: number, bp: number): number {
    switch (bp_reg) {
      case OrcReg.PREV_SP:
        return this.#word(previous + bp_offset);
      case OrcReg.BP:
        return this.#word(bp + bp_offset);
      default:
        return Number.isNaN(this.#regs) ? bp : this.#word(this.#regs + PtRegs.BP);
    }
  }
}
