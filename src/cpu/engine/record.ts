/** A predecoded instruction: 32 bytes in linear memory that a generated handler reads. */

export const RECORD_BYTES = 32;

/** Byte offsets in a record. */
export const R = {
  /** u32: table index of the handler */
  handler: 0,
  /** u16 each: state offsets of the first three register operands, by operand position */
  register: 4,
  /** u16, in block heads: 1 while its code is being changed */
  changes: 4,
  /** u16: page offset of the next instruction, 1..4110 */
  nextOffset: 10,
  /** u8 */
  length: 12,
  /** u8: shift of the index register; `LEADS_ON` in block heads and Goto: the instruction is at `link` */
  scaleShift: 13,
  /** u16: state offset of the segment base */
  segment: 14,
  /** u8, in block heads: 1 if the instruction is a plain RET */
  returns: 14,
  /** i64 immediate, sign-extended; relative branches: i32 displacement */
  immediate: 16,
  /** u32, in block heads of regions: the table of records of the page; of others: 0 */
  table: 16,
  /** u32: record of the branch target in the same page, 0 = not yet known */
  link: 20,
  /** i32; block heads: visits left until it is compiled, then the block's number in its region */
  displacement: 24,
  /** u32, where the host executes the instruction: number of what it does, 0 = not yet known */
  hostStep: 24,
  /** u16: state offset of the base register */
  base: 28,
  /** u16: state offset of the index register */
  index: 30,
} as const;

/** Where a record names the register of an operand. A fourth one is where the immediate would be: no instruction has both. */
export const registerField = (slot: number): number => (slot < 3 ? R.register + slot * 2 : R.immediate);
/** Bit of a page's table entry: jumps enter here, and generated code may follow them by itself. Without it the host is asked, and makes a block head. */
export const ENTERED = 1;
/** `scaleShift` of records that are no instruction */
export const LEADS_ON = 0xff;
/** `scaleShift` and `returns` as one: the head of a RET */
export const RETURN_HEAD = 0x1ff;

/** Why a handler gave control back. */
export const Leave = {
  /** the budget is spent; S.rip is where to go on */
  Budget: 0,
  /** a fault or a second-level exit is noted; the instruction at S.exitRecord has had no effect */
  Fault: 1,
  /** the host does the instruction at S.exitRecord */
  Host: 2,
  /** nothing is decoded at S.rip */
  Lookup: 3,
  /** the record at S.exitRecord is stale: decode again */
  Stale: 4,
  /** the branch at S.exitRecord wants its link; S.rip is its target */
  Link: 5,
  /** the instruction at S.exitRecord reaches into the next page */
  Straddle: 7,
  /** the block head at S.exitRecord has been reached often enough to be compiled */
  Hot: 8,
  /** as Lookup, but in the middle of a straight line: where a budget does not end, so that all engines stop at the same instructions */
  Continue: 9,
  /** compiled code leaves the instruction at S.rip, which is not decoded, to the interpreter */
  Interpret: 10,
  /** single-stepping: the instruction before S.exitRecord is done */
  Step: 6,
  /** nothing was done: generated code does not know its way from S.rip */
  Unknown: 11,
} as const;
