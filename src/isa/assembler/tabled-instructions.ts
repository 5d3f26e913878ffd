/** A method for each row of `mnemonics.ts`: `add(r.eax, 1)`, `hlt()`, `jnz('again')`. */
import { type Register, r } from '../registers.ts';
import { demand } from './demand.ts';
import { type AssemblerOptions, InstructionEncoder } from './instruction-encoder.ts';
import { ARITHMETIC, BIT_TESTS, CONDITIONAL_JUMPS, LOCKED, SHIFTS, SYSTEM_MEMORY, UNARY, WHOLE } from './mnemonics.ts';
import {
  fitsSigned,
  type Immediate,
  immediateBytesOf,
  isLabel,
  isMemory,
  isRegister,
  type Memory,
  type ModrmOperand,
  sizeOf,
} from './operands.ts';

const LOCK = 0xf0;

/** How the rows of each table are encoded. */
class RowEncoder extends InstructionEncoder {
  whole(bytes: readonly number[]): void {
    this.bytes(bytes);
  }

  arithmetic(digit: number, to: ModrmOperand, from: ModrmOperand | Immediate): void {
    if (isRegister(from)) {
      this.sized(digit * 8, from, to, from.size);
      return;
    }
    if (isMemory(from)) {
      demand(isRegister(to), 'at most one operand is memory');
      this.sized(digit * 8 + 2, to, from, to.size);
      return;
    }
    const size = sizeOf(to);
    const short = size > 8 && !isLabel(from) && fitsSigned(from, 1);
    this.op({
      size,
      opcode: size === 8 ? 0x80 : short ? 0x83 : 0x81,
      reg: digit,
      rm: to,
      immediate: from,
      immediateBytes: short ? 1 : immediateBytesOf(size),
    });
  }

  shift(digit: number, to: ModrmOperand, count: number | Register): void {
    const size = sizeOf(to);
    if (typeof count !== 'number') {
      demand(count === r.cl, 'a shift count is a number or CL');
      this.sized(0xd2, digit, to, size);
      return;
    }
    this.op({ size, opcode: size === 8 ? 0xc0 : 0xc1, reg: digit, rm: to, immediate: count, immediateBytes: 1 });
  }

  unary([opcode, digit]: readonly [number, number], operand: ModrmOperand): void {
    this.sized(opcode, digit, operand, sizeOf(operand));
  }

  bitTest(digit: number, bits: ModrmOperand, bit: number): void {
    this.op({ size: sizeOf(bits), opcode: 0x0fba, reg: digit, rm: bits, immediate: bit, immediateBytes: 1 });
  }

  locked(opcode: number, to: Memory, from: Register): void {
    this.sized(opcode, from, to, from.size, LOCK);
  }

  systemMemory([opcode, digit]: readonly [number, number], operand: Memory): void {
    this.op({ size: 0, opcode, reg: digit, rm: operand });
  }

  /** `condition` 0-15: O NO B AE E NE BE A S NS P NP L GE LE G. */
  jcc(condition: number, target: string | number): void {
    this.branch(target, 0x70 + condition, 0x0f80 + condition);
  }
}

/** The tables, by the method that encodes their rows. */
const TABLES = {
  whole: WHOLE,
  arithmetic: ARITHMETIC,
  shift: SHIFTS,
  unary: UNARY,
  bitTest: BIT_TESTS,
  locked: LOCKED,
  systemMemory: SYSTEM_MEMORY,
  jcc: CONDITIONAL_JUMPS,
} as const;

const methods = RowEncoder.prototype as unknown as Record<string, (...operands: readonly unknown[]) => void>;
for (const [method, table] of Object.entries(TABLES)) {
  const encode = methods[method]!;
  for (const [mnemonic, row] of Object.entries(table))
    methods[mnemonic] = function (...operands) {
      encode.call(this, row, ...operands);
    };
}

type MethodsOf<Method extends keyof typeof TABLES> = RowEncoder[Method] extends (
  row: never,
  ...operands: infer Operands
) => void
  ? { readonly [Mnemonic in keyof (typeof TABLES)[Method]]: (...operands: Operands) => void }
  : never;

type TabledInstructions = InstructionEncoder &
  Pick<RowEncoder, 'jcc'> &
  MethodsOf<'whole'> &
  MethodsOf<'arithmetic'> &
  MethodsOf<'shift'> &
  MethodsOf<'unary'> &
  MethodsOf<'bitTest'> &
  MethodsOf<'locked'> &
  MethodsOf<'systemMemory'> &
  MethodsOf<'jcc'>;

export const TabledInstructions = RowEncoder as unknown as new (options?: AssemblerOptions) => TabledInstructions;
