/** Text of an instruction for people, in Intel syntax: `mov rax, [rbp-0x10]`, `lock inc dword ptr [rdi]`. */
import { join64 } from '../bits/index.ts';
import { type Instruction, type Operand, OperandKind, Prefix } from './instruction.ts';
import { gprName, segmentName } from './registers.ts';

export interface FormatOptions {
  /** address of the instruction; without it branches are written relative to it: `jne $+0x10` */
  readonly address?: bigint;
  /** name for an address, e.g. "start_kernel+0x1c"; written in place of branch targets and behind RIP-relative operands */
  readonly symbol?: (address: bigint) => string | undefined;
}

const MEMORY_SIZE: Readonly<Record<number, string>> = {
  8: 'byte ptr ',
  16: 'word ptr ',
  32: 'dword ptr ',
  48: 'fword ptr ',
  64: 'qword ptr ',
  80: 'tbyte ptr ',
  128: 'xmmword ptr ',
  256: 'ymmword ptr ',
};

const RIP = 16;
const SEGMENT_SS = 2;
const SEGMENT_DS = 3;
const STRING_OPERATIONS: ReadonlySet<string> = new Set(['MOVS', 'CMPS', 'SCAS', 'LODS', 'STOS', 'INS', 'OUTS']);
/** REP is written REPE before these */
const COMPARES_STRINGS: ReadonlySet<string> = new Set(['CMPS', 'SCAS']);
/** register operands that do not say how wide the memory operand is */
const SIZE_MUST_BE_SAID: ReadonlySet<string> = new Set(['MOVZX', 'MOVSX', 'CRC32', 'CVTSI2SS', 'CVTSI2SD']);

const SAYS_SIZE: ReadonlySet<OperandKind> = new Set([
  OperandKind.Gpr,
  OperandKind.Xmm,
  OperandKind.Ymm,
  OperandKind.Mmx,
]);

/** Decimal below ten, hexadecimal from there on. */
function numeral(value: bigint): string {
  return value < 10n ? value.toString() : `0x${value.toString(16)}`;
}

function signedTerm(value: bigint): string {
  return value < 0n ? `-${numeral(-value)}` : `+${numeral(value)}`;
}

function isStringOperation(instruction: Instruction): boolean {
  return instruction.form.feature === '' && STRING_OPERATIONS.has(instruction.form.operation);
}

function branchTarget(instruction: Instruction, options: FormatOptions): string {
  const distance = BigInt.asIntN(64, join64(instruction.immediateLow, instruction.immediateHigh));
  const next = BigInt(instruction.length) + distance;
  if (options.address === undefined) return `$${signedTerm(next)}`;
  const width = instruction.operandSize === 16 ? 16 : instruction.mode === 64 ? 64 : 32;
  const target = BigInt.asUintN(width, options.address + next);
  return options.symbol?.(target) ?? `0x${target.toString(16)}`;
}

function indexName({ index, vectorIndex, addressSize }: Instruction): string {
  if (vectorIndex === 0) return gprName(index, addressSize);
  return `${vectorIndex === 128 ? 'xmm' : 'ymm'}${index}`;
}

function address(instruction: Instruction, options: FormatOptions): string {
  const { base, index, addressSize } = instruction;
  const displacement = BigInt.asIntN(64, join64(instruction.displacement, instruction.displacementHigh));
  if (base === RIP && options.address !== undefined) {
    const target = BigInt.asUintN(addressSize, options.address + BigInt(instruction.length) + displacement);
    const name = options.symbol?.(target);
    return `[0x${target.toString(16)}]${name === undefined ? '' : ` <${name}>`}`;
  }
  let text = base < 0 ? '' : gprName(base, addressSize);
  if (index >= 0) {
    const scale = instruction.scaleShift === 0 && base >= 0 ? '' : `*${1 << instruction.scaleShift}`;
    text += `${text === '' ? '' : '+'}${indexName(instruction)}${scale}`;
  }
  if (text === '') return `[${numeral(BigInt.asUintN(addressSize, displacement))}]`;
  return `[${text}${displacement === 0n ? '' : signedTerm(displacement)}]`;
}

function memory(instruction: Instruction, operand: Operand, options: FormatOptions): string {
  const { segment, base, operands, operandCount, form } = instruction;
  const stack = base === 4 || base === 5;
  const usual = segment === (stack ? SEGMENT_SS : SEGMENT_DS);
  const sizeIsClear =
    !SIZE_MUST_BE_SAID.has(form.mnemonic) &&
    operands.some(
      (other, position) =>
        position < operandCount &&
        other.size === operand.size &&
        SAYS_SIZE.has(other.kind) &&
        !(position === 1 && other.size === 8 && other.register === 1 && /^(RO|RC|SH|SA)/.test(form.mnemonic)),
    );
  const size = sizeIsClear ? '' : (MEMORY_SIZE[operand.size] ?? '');
  return `${size}${usual ? '' : `${segmentName(segment)}:`}${address(instruction, options)}`;
}

function operandText(instruction: Instruction, position: number, options: FormatOptions): string {
  const operand = instruction.operands[position as 0 | 1 | 2 | 3];
  const { kind, size, register } = operand;
  const { immediateLow, immediateHigh, immediate2 } = instruction;
  switch (kind) {
    case OperandKind.Gpr:
      return gprName(register, size);
    case OperandKind.Immediate: {
      const second = position > 0 && instruction.operands[0].kind === OperandKind.Immediate;
      return numeral(BigInt.asUintN(size, second ? BigInt(immediate2) : join64(immediateLow, immediateHigh)));
    }
    case OperandKind.Relative:
      return branchTarget(instruction, options);
    case OperandKind.FarPointer:
      return `${numeral(BigInt(immediate2))}:0x${(immediateLow >>> 0).toString(16)}`;
    case OperandKind.Segment:
      return segmentName(register);
    case OperandKind.Control:
      return `cr${register}`;
    case OperandKind.Debug:
      return `dr${register}`;
    case OperandKind.Xmm:
      return `xmm${register}`;
    case OperandKind.Ymm:
      return `ymm${register}`;
    case OperandKind.Mmx:
      return `mm${register}`;
    case OperandKind.X87:
      return `st(${register})`;
    default:
      return memory(instruction, operand, options);
  }
}

function prefixText({ prefixes, form }: Instruction, isString: boolean): string {
  const lock = (prefixes & Prefix.Lock) !== 0 ? 'lock ' : '';
  if (!isString) return lock;
  if ((prefixes & Prefix.RepNe) !== 0) return `${lock}repne `;
  if ((prefixes & Prefix.Rep) === 0) return lock;
  return `${lock}${COMPARES_STRINGS.has(form.operation) ? 'repe' : 'rep'} `;
}

/** One line, lower case. Operands of string instructions are left out, as in `rep movsb`. */
export function formatInstruction(instruction: Instruction, options: FormatOptions = {}): string {
  const { form, operandCount } = instruction;
  const isString = isStringOperation(instruction);
  const far = form.operation === 'JMPF' || form.operation === 'CALLF' ? ' far' : '';
  const mnemonic = prefixText(instruction, isString) + form.mnemonic.toLowerCase() + far;
  if (isString || operandCount === 0) return mnemonic;
  const operands = Array.from({ length: operandCount }, (_, position) => operandText(instruction, position, options));
  return `${mnemonic} ${operands.join(', ')}`;
}
