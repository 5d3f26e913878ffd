/** What x86-64 is: instructions, their bytes and their text. Knows no state and no behaviour. */

export { DecodeResult, Decoder, createInstruction } from './decode.ts';
export type { DecoderFeatures } from './decode-table.ts';
export {
  type Form,
  type Instruction,
  type Operand,
  OperandKind,
  Prefix,
} from './instruction.ts';
