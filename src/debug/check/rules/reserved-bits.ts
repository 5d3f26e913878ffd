import { Gpr, TdgLeaf, TdvmcallLeaf } from '../../../abi/index.ts';
import { hex } from '../../../bits/index.ts';
import { gprName } from '../../../isa/index.ts';
import type { CheckRule, Registers } from '../events.ts';
import { ABI } from './documents.ts';

/** Bits that must be 0 in an operand. */
interface Reserved {
  readonly register: Gpr;
  readonly bits: bigint;
  readonly meaning: string;
}

const from = (bit: number): bigint => (2n ** 64n - 1n) & ~(2n ** BigInt(bit) - 1n);
const below = (bit: number): bigint => 2n ** BigInt(bit) - 1n;
const operand = (register: Gpr, meaning: string, bits: bigint): Reserved => ({ register, meaning, bits });

/** Source: TDX Module 1.5 ABI Definition, the operand tables of the leaves. */
const OF_MODULE_CALL: Readonly<Record<number, readonly Reserved[]>> = {
  [TdgLeaf.VP_VMCALL]: [operand(Gpr.RCX, 'mask of registers', from(32) | 0b10011n)],
  [TdgLeaf.MR_RTMR_EXTEND]: [operand(Gpr.RCX, 'GPA of 64 bytes', below(6)), operand(Gpr.RDX, 'index', from(2))],
  [TdgLeaf.MR_REPORT]: [
    operand(Gpr.RCX, 'GPA of the report', below(10)),
    operand(Gpr.RDX, 'GPA of the data', below(6)),
  ],
  [TdgLeaf.VP_CPUIDVE_SET]: [operand(Gpr.RCX, 'when CPUID is #VE', from(2))],
  [TdgLeaf.MEM_PAGE_ACCEPT]: [operand(Gpr.RCX, 'GPA and level', from(52) | (below(12) & ~0b111n))],
};

/** Source: GHCI 1.5, the section of each sub-function. */
const OF_VMM_CALL: Readonly<Record<number, readonly Reserved[]>> = {
  [TdvmcallLeaf.INSTRUCTION_CPUID]: [operand(Gpr.R12, 'EAX', from(32)), operand(Gpr.R13, 'ECX', from(32))],
  [TdvmcallLeaf.INSTRUCTION_HLT]: [operand(Gpr.R12, 'interrupts blocked', from(1))],
  [TdvmcallLeaf.INSTRUCTION_IO]: [
    operand(Gpr.R12, 'size', from(3)),
    operand(Gpr.R13, 'direction', from(1)),
    operand(Gpr.R14, 'port', from(16)),
  ],
  [TdvmcallLeaf.INSTRUCTION_RDMSR]: [operand(Gpr.R12, 'MSR', from(32))],
  [TdvmcallLeaf.INSTRUCTION_WRMSR]: [operand(Gpr.R12, 'MSR', from(32))],
  [TdvmcallLeaf.REQUEST_MMIO]: [operand(Gpr.R12, 'size', from(4)), operand(Gpr.R13, 'direction', from(1))],
  [TdvmcallLeaf.MAP_GPA]: [operand(Gpr.R12, 'GPA', below(12)), operand(Gpr.R13, 'length', below(12))],
  [TdvmcallLeaf.GET_QUOTE]: [operand(Gpr.R12, 'GPA', below(12)), operand(Gpr.R13, 'length', below(12))],
  [TdvmcallLeaf.SETUP_EVENT_NOTIFY_INTERRUPT]: [operand(Gpr.R12, 'vector', from(8))],
};

/** RAX of TDCALL: leaf 15:0, version 23:16. */
const LEAF: Reserved = operand(Gpr.RAX, 'leaf and version', from(24));

function broken(registers: Registers, rows: readonly Reserved[]): { text: string; names: string[] } | undefined {
  const found = rows.filter(({ register, bits }) => (registers.big(register) & bits) !== 0n);
  if (found.length === 0) return undefined;
  const text = found
    .map(({ register, bits, meaning }) => {
      const name = gprName(register, 64).toUpperCase();
      const value = registers.big(register);
      return `${name} (${meaning}) is ${hex(value)}, where ${hex(value & bits)} must be 0`;
    })
    .join('; ');
  return { text, names: found.map(({ register }) => gprName(register, 64)) };
}

export const reservedBits: CheckRule = {
  id: 'reserved-bits',
  severity: 'error',
  title: 'A call has bits set that must be 0',
  source: { document: ABI, section: 'Guest-Side (TDCALL) Interface Functions' },
  explanation:
    'Bits that a specification reserves must be 0 in what a guest gives. The module refuses most calls that break this, today; a host may ignore such bits for years and give them a meaning tomorrow, and then the old guest asks for something it never meant. For TDG.VP.VMCALL the bits of RAX, RCX and RSP in RCX are among them: those registers never cross.',
  remedy: 'Clear the register before the field is put into it, and give only as many bits as the operand has.',
  watch: (report) => ({
    moduleCall({ at, crossing, leaf, given }) {
      const found = broken(given, [LEAF, ...(OF_MODULE_CALL[leaf] ?? [])]);
      if (found !== undefined)
        report({
          at,
          crossing,
          registers: found.names,
          message: `${crossing.name} was called with reserved bits: ${found.text}.`,
        });
    },
    vmmCall({ at, crossing, leaf, given }) {
      const found = leaf === undefined ? undefined : broken(given, OF_VMM_CALL[leaf] ?? []);
      if (found !== undefined)
        report({
          at,
          crossing,
          registers: found.names,
          message: `${crossing.name} was asked for with reserved bits: ${found.text}.`,
        });
    },
  }),
};
