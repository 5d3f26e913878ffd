/** From a decoded instruction to a record: which handler, and what goes into the fields. */
import { type Instruction, type Operand, OperandKind, Prefix } from '../../isa/index.ts';
import type { Facts, Operation, OperationTable, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { Handler, type KeyedPart, shapeKey } from './handlers.ts';
import type { AddressShape, OperandShape } from './interpreter-handler.ts';
import { registerField as fieldOf, LEADS_ON, R, RECORD_BYTES } from './record.ts';

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

/** What is known of an instruction when its function runs. */
export function factsOf(instruction: Instruction, operation: Operation): Facts {
  const varies = operation.varies ?? [];
  const rep = !varies.includes('rep')
    ? 'none'
    : instruction.prefixes & Prefix.Rep
      ? 'rep'
      : instruction.prefixes & Prefix.RepNe
        ? 'repne'
        : 'none';
  return {
    operation: operationName(instruction),
    condition: instruction.form.condition,
    operandSize: instruction.operandSize as 16 | 32 | 64,
    mode: varies.includes('mode') || instruction.mode !== 64 ? (instruction.mode as 32 | 64) : 64,
    addressSize: varies.includes('addressSize') ? (instruction.addressSize as 16 | 32 | 64) : 64,
    rep,
  };
}

/** AH, CH, DH and BH are byte 1 of the first four registers. */
export const gprOffset = (register: number): number =>
  register < 16 ? S.gpr + register * 8 : S.gpr + (register - 16) * 8 + 1;

/** Gives a shape its handler. */
export interface HandlerIndex {
  index(part: KeyedPart): number;
}

/** What instructions of one shape have in common. */
export interface Bound {
  /** undefined: the host executes them */
  readonly part: KeyedPart | undefined;
  /** bits of `Trait`, and from `VECTOR_STATE_SHIFT` on a `VectorState` */
  readonly traits: number;
  readonly handler: number;
}

export const Trait = {
  /** a straight line ends with them */
  EndsRun: 1,
  /** they can share a handler with the conditional branch behind them */
  SetsFlags: 2,
  ConditionalBranch: 4,
  /** its first operand is a displacement from the next instruction */
  Relative: 8,
} as const;
export const VECTOR_STATE_SHIFT = 4;

const ADDRESS_NUMBER = { none: 0, b: 1, r: 2, s: 3, t: 4, x: 5, y: 6, z: 7, o: 8 } as const;

const ENDS_RUN: ReadonlySet<string> = new Set(['JMP', 'RET']);
/** Operations that are often followed by a conditional branch; the two then share one handler. */
const SETS_FLAGS: ReadonlySet<string> = new Set([
  'CMP',
  'TEST',
  'SUB',
  'ADD',
  'AND',
  'OR',
  'XOR',
  'INC',
  'DEC',
  'SHR',
  'SHL',
  'BT',
]);

const ONLY_READS: ReadonlySet<string> = new Set(['CMP', 'TEST', 'BT']);

/** An operation of SETS_FLAGS that writes memory: the next instruction may be what it changes. */
function writesMemory({ form, operands }: Instruction): boolean {
  return operands[0].kind === OperandKind.Memory && !ONLY_READS.has(form.operation);
}

/** What is known by number: a table with open addressing, because a Map takes longer than decoding does. */
class ShapeMap {
  #keys = new Int32Array(4096);
  #values: (Bound | undefined)[] = new Array(4096).fill(undefined);
  #count = 0;

  /** The place of a key that is not 0, or the free one where it belongs. */
  #at(key: number): number {
    const keys = this.#keys;
    const last = keys.length - 1;
    let at = (Math.imul(key, 0x9e37_79b1) >>> 12) & last;
    while (keys[at] !== key && keys[at] !== 0) at = (at + 1) & last;
    return at;
  }

  get(key: number): Bound | undefined {
    return this.#values[this.#at(key)];
  }

  set(key: number, bound: Bound): void {
    if (++this.#count * 2 > this.#keys.length) this.#grow();
    const at = this.#at(key);
    this.#keys[at] = key;
    this.#values[at] = bound;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Int32Array(keys.length * 2);
    this.#values = new Array(keys.length * 2).fill(undefined);
    keys.forEach((key, i) => {
      if (key === 0) return;
      const at = this.#at(key);
      this.#keys[at] = key;
      this.#values[at] = values[i];
    });
  }
}

export class Binder {
  readonly #known = new ShapeMap();
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #handlers: HandlerIndex;
  readonly #operations: OperationTable;

  constructor(memory: WebAssembly.Memory, handlers: HandlerIndex, operations: OperationTable) {
    this.#u8 = new Uint8Array(memory.buffer);
    this.#u16 = new Uint16Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
    this.#handlers = handlers;
    this.#operations = operations;
  }

  /** Writes a record that is not an instruction (Goto, Lookup, Step, Straddle). */
  writeSpecial(record: number, handler: number, nextOffset: number, link = 0): void {
    const word = record >> 2;
    for (let i = 1; i < RECORD_BYTES / 4; i++) this.#i32[word + i] = 0;
    this.#i32[word] = handler;
    this.#u16[(record + R.nextOffset) >> 1] = nextOffset;
    this.#i32[(record + R.link) >> 2] = link;
    if (link !== 0) this.#u8[record + R.scaleShift] = LEADS_ON;
  }

  /**
   * Writes the record of an instruction that starts at `pageOffset`; a branch within the page gets a linked handler if `linkable`.
   * Returns what is true of all instructions of its shape.
   */
  write(record: number, instruction: Instruction, pageOffset: number, linkable: boolean): Bound {
    const { length } = instruction;
    const next = pageOffset + length;
    const address = addressShape(instruction);
    const bound = this.#bound(instruction, address, next, linkable);
    const i32 = this.#i32;
    const word = record >> 2;
    i32[word] = bound.handler;
    i32[word + 1] = 0;
    i32[word + 2] = next << 16;
    i32[word + 3] = length;
    i32[word + 4] = 0;
    i32[word + 5] = 0;
    i32[word + 6] = 0;
    i32[word + 7] = 0;
    if (bound.part === undefined) return bound;
    for (let slot = 0; slot < instruction.operandCount; slot++)
      this.#fill(record, instruction, instruction.operands[slot]!, slot, address);
    return bound;
  }

  /** What instructions of this shape have in common; found again by a number when the same has been met before. */
  #bound(instruction: Instruction, address: AddressShape | undefined, next: number, linkable: boolean): Bound {
    const { shape, prefixes } = instruction;
    const near = linkable && isRelative(instruction) && isNear(next + instruction.immediateLow);
    let key = (shape << 4) | ADDRESS_NUMBER[address ?? 'none'];
    key = (key << 2) | (instruction.addressSize >> 5);
    key = (key << 2) | (instruction.mode >> 5);
    key = (key << 2) | (prefixes & Prefix.Rep ? 1 : prefixes & Prefix.RepNe ? 2 : 0);
    key = (key << 1) | (near ? 1 : 0);
    const known = shape === 0 ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const part = this.#part(instruction, address, near);
    const { operation, vectorState } = instruction.form;
    const bound: Bound = {
      part,
      handler: part === undefined ? Handler.Host : this.#handlers.index(part),
      traits:
        (ENDS_RUN.has(operation) || this.#operations[operationName(instruction)]?.endsBlock === true
          ? Trait.EndsRun
          : 0) |
        (part !== undefined && SETS_FLAGS.has(operation) && !writesMemory(instruction) ? Trait.SetsFlags : 0) |
        (part !== undefined && operation === 'Jcc' ? Trait.ConditionalBranch : 0) |
        (part !== undefined && isRelative(instruction) ? Trait.Relative : 0) |
        (vectorState << VECTOR_STATE_SHIFT),
    };
    if (shape !== 0) this.#known.set(key, bound);
    return bound;
  }

  #part(instruction: Instruction, address: AddressShape | undefined, near: boolean): KeyedPart | undefined {
    const operation = this.#operations[operationName(instruction)];
    if (operation?.emit === undefined) return undefined;
    const facts = factsOf(instruction, operation);
    const shapes: OperandShape[] = [];
    for (let slot = 0; slot < instruction.operandCount; slot++) {
      const shape = operandShape(instruction.operands[slot]!, slot, address, near);
      if (shape === undefined) return undefined;
      shapes.push(shape);
    }
    return { key: shapeKey(facts, shapes), facts, shapes, operation };
  }

  /** Fills the fields of one operand that `operandShape` has accepted. */
  #fill(
    record: number,
    instruction: Instruction,
    operand: Operand,
    slot: number,
    address: AddressShape | undefined,
  ): void {
    const registerField = (record + fieldOf(slot)) >> 1;
    switch (operand.kind) {
      case OperandKind.Gpr:
        this.#u16[registerField] = gprOffset(operand.register);
        return;
      case OperandKind.Xmm:
      case OperandKind.Ymm:
        this.#u16[registerField] = S.vector + operand.register * 32;
        return;
      case OperandKind.Segment:
        this.#u16[registerField] = S.segmentSelector + operand.register * 4;
        return;
      case OperandKind.Memory:
        this.#memory(record, instruction, address!);
        return;
      case OperandKind.Immediate:
        this.#i32[(record + R.immediate) >> 2] = instruction.immediateLow;
        this.#i32[(record + R.immediate + 4) >> 2] = instruction.immediateHigh;
        return;
      case OperandKind.Relative:
        this.#i32[(record + R.immediate) >> 2] = instruction.immediateLow;
        return;
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

/** True if the first operand is a displacement from the next instruction. */
export const isRelative = ({ operandCount, operands }: Instruction): boolean =>
  operandCount > 0 && operands[0].kind === OperandKind.Relative;

/** True if a branch to this place, counted from the first byte of its page, stays in the page. */
export const isNear = (target: number): boolean => target >= 0 && target < 4096;

/** Undefined when generated code has no way to name the operand. */
function operandShape(
  operand: Operand,
  slot: number,
  address: AddressShape | undefined,
  near: boolean,
): OperandShape | undefined {
  const width = operand.size as Width | 256 | 0;
  switch (operand.kind) {
    case OperandKind.Gpr:
      return slot > 2 ? undefined : { kind: 'gpr', width, slot, address: 'b', near: false };
    case OperandKind.Xmm:
    case OperandKind.Ymm:
      return { kind: 'xmm', width, slot, address: 'b', near: false };
    case OperandKind.Segment:
      return { kind: 'selector', width: 16, slot, address: 'b', near: false };
    case OperandKind.Memory:
      return address === undefined ? undefined : { kind: 'memory', width, slot, address, near: false };
    case OperandKind.Immediate:
      return { kind: 'immediate', width: width === 0 ? 8 : width, slot, address: 'b', near: false };
    case OperandKind.Relative:
      return { kind: 'relative', width: 0, slot, address: 'b', near };
    default:
      return undefined;
  }
}
