import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OrcEntry, OrcReg, type OrcTable, OrcType } from './orc-table.ts';
import { Unwinder } from './unwind.ts';

const STACK = -0x3700_0000_0000;
const IRQ_STACK = -0x0200_0000_0000;
const TEXT = -0x7f00_0000;
const KERNEL_CS = 0x10;
const USER_CS = 0x33;

/** Functions of 0x100 bytes, by number; each has one entry. */
const code = (number: number, offset = 0x20): number => TEXT + 0x100 * number + offset;
const numberOf = (address: number): number => Math.floor((address - TEXT) / 0x100);

function entry(fields: Partial<OrcEntry>): OrcEntry {
  const common = { sp_offset: 8, bp_offset: 0, sp_reg: OrcReg.SP, bp_reg: OrcReg.UNDEFINED };
  return { ...common, type: OrcType.CALL, signal: false, ...fields };
}

function tableOf(entries: Readonly<Record<number, OrcEntry>>): OrcTable {
  const find = (address: number): OrcEntry | undefined => entries[numberOf(address)];
  return { find, findCaller: find } as OrcTable;
}

interface Case {
  readonly entries: Readonly<Record<number, OrcEntry>>;
  /** from STACK on, one word each; others by address */
  readonly stack?: readonly number[];
  readonly words?: Readonly<Record<number, number>>;
  readonly ip?: number;
  readonly bp?: number;
  readonly gprs?: Readonly<Record<number, number>>;
}

function unwound({ entries, stack = [], words = {}, ip = code(0), bp = 0, gprs = {} }: Case) {
  const memory = new Map<number, number>(Object.entries(words).map(([address, value]) => [Number(address), value]));
  for (const [i, value] of stack.entries()) memory.set(STACK + 8 * i, value);
  const unwinder = new Unwinder(tableOf(entries), (address) => memory.get(address) ?? Number.NaN);
  const end = unwinder.unwind({ ip, sp: STACK, bp, register: (gpr) => gprs[gpr] ?? 0 });
  return { end, functions: [...unwinder.chain.subarray(0, unwinder.depth)].map(numberOf), unwinder };
}

const END = entry({ type: OrcType.END_OF_STACK, sp_reg: OrcReg.UNDEFINED });

test('calls are followed to the end of the stack; a caller is looked up inside its call', () => {
  const { end, functions, unwinder } = unwound({
    entries: { 0: entry({}), 1: entry({ sp_offset: 24 }), 2: END },
    // the call was the last instruction of function 1: it returns to where function 2 begins
    stack: [code(2, 0), 111, 222, code(2)],
  });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [0, 1, 2]);
  assert.equal(unwinder.chain[1], code(2, -1));
});

test('a frame that BP points to, BP of its caller saved in it', () => {
  const frame = entry({ sp_reg: OrcReg.BP, sp_offset: 16, bp_reg: OrcReg.PREV_SP, bp_offset: -16 });
  const { end, functions } = unwound({
    entries: { 0: frame, 1: frame, 2: END },
    bp: STACK + 16,
    stack: [1, 2, STACK + 48, code(1), 3, 4, 5, code(2)],
  });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [0, 1, 2]);
});

/** struct pt_regs with some fields; 21 words */
function ptRegs(fields: { ip: number; cs: number; sp: number; bp?: number; r10?: number }): number[] {
  const words: number[] = new Array(21).fill(7);
  words[4] = fields.bp ?? 0;
  words[7] = fields.r10 ?? 0;
  words[16] = fields.ip;
  words[17] = fields.cs;
  words[19] = fields.sp;
  return words;
}

test('an interrupt leads on into what it met, whose address is exact and whose registers are known', () => {
  const regs = entry({ type: OrcType.REGS, sp_offset: 0, signal: true });
  const bottom = STACK + 8 * 22;
  const { end, functions, unwinder } = unwound({
    entries: {
      0: entry({}),
      1: regs,
      // found by a register that only a whole pt_regs has
      2: entry({ sp_reg: OrcReg.R10, bp_reg: OrcReg.BP, bp_offset: 0 }),
      3: entry({ sp_reg: OrcReg.BP, sp_offset: 16 }),
      4: END,
    },
    stack: [code(1), ...ptRegs({ ip: code(2, 0), cs: KERNEL_CS, sp: bottom, bp: bottom + 16, r10: bottom + 8 })],
    words: { [bottom]: code(3), [bottom + 16]: bottom + 24, [bottom + 32]: code(4) },
  });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [0, 1, 2, 3, 4]);
  assert.equal(unwinder.chain[2], code(2, 0));
});

test('of what the processor alone has pushed as well; the registers are still what they were', () => {
  const { end, functions } = unwound({
    entries: {
      0: entry({ type: OrcType.REGS_PARTIAL, sp_offset: 0, signal: true }),
      1: entry({ sp_reg: OrcReg.R13 }),
      2: END,
    },
    gprs: { 13: STACK + 56 },
    stack: [code(1), KERNEL_CS, 0x202, STACK + 40, 0x18, 9, code(2)],
  });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [0, 1, 2]);
});

test('the stack of interrupts leads back to the one that was left: its address is in memory, at SP', () => {
  const { end, functions } = unwound({
    entries: { 0: entry({}), 1: entry({ sp_reg: OrcReg.SP_INDIRECT }), 2: END },
    words: { [STACK]: code(1), [STACK + 8]: IRQ_STACK, [IRQ_STACK]: code(2) },
  });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [0, 1, 2]);
});

test('a program ends the chain, interrupted or calling', () => {
  for (const type of [OrcType.REGS, OrcType.REGS_PARTIAL]) {
    const whole = ptRegs({ ip: 0x401_000, cs: USER_CS, sp: 0x7fff_0000 });
    const { end, functions } = unwound({
      entries: { 0: entry({}), 1: entry({ type, sp_offset: 0, signal: true }) },
      stack: [code(1), ...(type === OrcType.REGS ? whole : whole.slice(16))],
    });
    assert.equal(end, 'user');
    assert.deepEqual(functions, [0, 1]);
  }
});

test('where a caller cannot be known the chain is lost, and keeps what it has', () => {
  const lost = (one: Case): number[] => {
    const { end, functions } = unwound(one);
    assert.equal(end, 'lost');
    return functions;
  };
  assert.deepEqual(lost({ entries: { 0: entry({ type: OrcType.UNDEFINED }) }, stack: [code(1)] }), [0]);
  assert.deepEqual(lost({ entries: { 0: entry({}) } }), [0], 'the stack cannot be read');
  assert.deepEqual(lost({ entries: { 0: entry({}) }, stack: [0x1000] }), [0], 'no address of the kernel');
  const known = { 0: entry({}), 1: entry({ sp_reg: OrcReg.DI }) };
  assert.deepEqual(lost({ entries: known, stack: [code(1)] }), [0, 1], 'registers of a caller');
  const round = { 0: entry({}), 1: entry({ sp_offset: 0 }) };
  assert.deepEqual(lost({ entries: round, stack: [code(1), code(1)] }), [0, 1], 'a stack that does not grow');
  const stack = new Array(200).fill(code(0));
  assert.equal(lost({ entries: { 0: entry({}) }, stack }).length, 128, 'a stack without an end');
});

test('code that no table knows may have frame pointers, if they point into the stack', () => {
  const jit = 50;
  const stack = [1, 2, 0, code(1), code(2)];
  const entries = { 1: entry({}), 2: END };
  const { end, functions } = unwound({ entries, ip: code(jit), bp: STACK + 16, stack });
  assert.equal(end, 'end');
  assert.deepEqual(functions, [jit, 1, 2]);
  for (const bp of [0, STACK - 8, STACK + 0x10_0000, STACK + 17])
    assert.deepEqual(unwound({ entries, ip: code(jit), bp, stack }).functions, [jit]);
});
