/** From a decoded instruction to a record: which handler, and what goes into the fields. */
import { type Instruction, type Operand, OperandKind, Prefix } from '../../isa/index.ts';
import type { Facts, OperationTable, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { Handler, type HandlerTable, type KeyedPart, shapeKey } from './handlers.ts';
import type { AddressShape, OperandShape } from './interpreter-handler.ts';
import { registerField as fieldOf, R } from './record.ts';

const SEGMENT_FS = 4;

/** The operation that does an instruction: operands of special kinds have operations of their own. */
export function operationName(instruction: Instruction): string {
  const { operation } = instruction.form;
  for (let i = 0; i < instruction.operandCount; i++) {
    switch (instruction.operands[i]!.kind) {
      case OperandKind.Segment:
        return `${operation}.segment`;
      case OperandKind.Control:
        return `${operation}.control`;
      case OperandKind.Debug:
        return `${operation}.debug`;
    }
  }
  return operation;
}

function addressShape(instruction: Instruction): AddressShape | undefined {
  if (instruction.mode !== 64) return instruction.addressSize === 32 ? 'z' : undefined;
  if (instruction.base === 16)
    return instruction.addressSize === 32 ? 't' : instruction.segment < SEGMENT_FS ? 'r' : 's';
  if (instruction.addressSize === 32) return 'y';
  if (instruction.base < 0 && instruction.index < 0 && instruction.displacementHigh !== instruction.displacement >> 31)
    return 'o';
  return instruction.index < 0 && instruction.segment < SEGMENT_FS ? 'b' : 'x';
}

/** AH, CH, DH and BH are byte 1 of the first four registers. */
const gprOffset = (register: number): number =>
  register < 16 ? S.gpr + register * 8 : S.gpr + (register - 16) * 8 + 1;

export class Binder {
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #handlers: HandlerTable;
  readonly #operations: OperationTable;

  constructor(memory: WebAssembly.Memory, handlers: HandlerTable, operations: OperationTable) {
    this.#u8 = new Uint8Array(memory.buffer);
    this.#u16 = new Uint16Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
    this.#handlers = handlers;
    this.#operations = operations;
  }

  /** Writes a record that is not an instruction (Goto, Lookup, Step, Straddle). */
  writeSpecial(record: number, handler: number, nextOffset: number, link = 0): void {
    this.#i32.fill(0, record >> 2, (record >> 2) + 8);
    this.#i32[record >> 2] = handler;
    this.#u16[(record + R.nextOffset) >> 1] = nextOffset;
    this.#i32[(record + R.link) >> 2] = link;
  }

  /**
   * Writes the record of an instruction that starts at `pageOffset`; a branch within the page gets a linked handler if `linkable`.
   * Returns its shape, or undefined when the host executes it.
   */
  write(record: number, instruction: Instruction, pageOffset: number, linkable: boolean): KeyedPart | undefined {
    const next = pageOffset + instruction.length;
    this.writeSpecial(record, Handler.Host, next);
    this.#u8[record + R.length] = instruction.length;
    const name = operationName(instruction);
    const operation = this.#operations[name];
    if (operation?.emit === undefined) return undefined;

    const varies = operation.varies ?? [];
    const mode = varies.includes('mode') || instruction.mode !== 64 ? (instruction.mode as 32 | 64) : 64;
    const addressSize = varies.includes('addressSize') ? (instruction.addressSize as 16 | 32 | 64) : 64;
    const rep = !varies.includes('rep')
      ? 'none'
      : instruction.prefixes & Prefix.Rep
        ? 'rep'
        : instruction.prefixes & Prefix.RepNe
          ? 'repne'
          : 'none';
    const address = addressShape(instruction);
    const shapes: OperandShape[] = [];
    for (let slot = 0; slot < instruction.operandCount; slot++) {
      const operand = instruction.operands[slot]!;
      const shape = this.#operand(record, instruction, operand, slot, address, next, linkable);
      if (shape === undefined) return undefined;
      shapes.push(shape);
    }
    const facts: Facts = {
      operation: name,
      condition: instruction.form.condition,
      operandSize: instruction.operandSize as 16 | 32 | 64,
      mode,
      addressSize,
      rep,
    };
    const part: KeyedPart = { key: shapeKey(facts, shapes), facts, shapes, operation };
    this.#i32[record >> 2] = this.#handlers.index(part);
    return part;
  }

  /** Fills the fields of one operand; undefined when generated code has no way to name it. */
  #operand(
    record: number,
    instruction: Instruction,
    operand: Operand,
    slot: number,
    address: AddressShape | undefined,
    next: number,
    linkable: boolean,
  ): OperandShape | undefined {
    const width = operand.size as Width | 256 | 0;
    const registerField = (record + fieldOf(slot)) >> 1;
    switch (operand.kind) {
      case OperandKind.Gpr:
        if (slot > 2) return undefined;
        this.#u16[registerField] = gprOffset(operand.register);
        return { kind: 'gpr', width, slot, address: 'b', near: false };
      case OperandKind.Xmm:
      case OperandKind.Ymm:
        this.#u16[registerField] = S.vector + operand.register * 32;
        return { kind: 'xmm', width, slot, address: 'b', near: false };
      case OperandKind.Segment:
        this.#u16[registerField] = S.segmentSelector + operand.register * 4;
        return { kind: 'selector', width: 16, slot, address: 'b', near: false };
      case OperandKind.Memory:
        if (address === undefined) return undefined;
        this.#memory(record, instruction, address);
        return { kind: 'memory', width, slot, address, near: false };
      case OperandKind.Immediate:
        this.#i32[(record + R.immediate) >> 2] = instruction.immediateLow;
        this.#i32[(record + R.immediate + 4) >> 2] = instruction.immediateHigh;
        return { kind: 'immediate', width: width === 0 ? 8 : width, slot, address: 'b', near: false };
      case OperandKind.Relative: {
        this.#i32[(record + R.immediate) >> 2] = instruction.immediateLow;
        const target = next + instruction.immediateLow;
        return { kind: 'relative', width: 0, slot, address: 'b', near: linkable && target >= 0 && target < 4096 };
      }
      default:
        return undefined;
    }
  }

  #memory(record: number, instruction: Instruction, address: AddressShape): void {
    this.#u16[(record + R.segment) >> 1] = S.segmentBase + instruction.segment * 8;
    if (address === 'o') {
      this.#i32[(record + R.immediate) >> 2] = instruction.displacement;
      this.#i32[(record + R.immediate + 4) >> 2] = instruction.displacementHigh;
      return;
    }
    this.#i32[(record + R.displacement) >> 2] = instruction.displacement;
    this.#u16[(record + R.base) >> 1] =
      instruction.base < 0 || instruction.base > 15 ? S.zero : gprOffset(instruction.base);
    this.#u16[(record + R.index) >> 1] = instruction.index < 0 ? S.zero : gprOffset(instruction.index);
    this.#u8[record + R.scaleShift] = instruction.scaleShift;
  }
}
