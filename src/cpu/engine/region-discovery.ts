/** Finds what a compiled region shall hold: the blocks of a page that near branches, and returns from calls, reach from a hot block. */
import { createInstruction, DecodeResult, type Decoder, type Instruction, OperandKind } from '../../isa/index.ts';
import type { OperationTable } from '../exec/sem.ts';
import { Binder, operationName } from './binder.ts';
import { R, RECORD_BYTES, registerField } from './record.ts';
import type { RegionBlock, RegionInstruction } from './region-block.ts';
import { Known, type RegionRequest } from './region-request.ts';

const PAGE_BYTES = 4096;
const MOST_INSTRUCTIONS = 400;
/** How far a place is followed to see whether it leads back into a region. */
const MOST_FOLLOWED = 32;

/** Operations that the interpreter does even in the middle of compiled code: they execute themselves again. */
const REPEATING: ReadonlySet<string> = new Set(['MOVS', 'STOS', 'LODS', 'SCAS', 'CMPS']);

const NO_FACTS = { operation: '', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' } as const;

export class RegionDiscovery {
  readonly #decoder: Decoder;
  readonly #operations: OperationTable;
  readonly #instruction = createInstruction();
  #forbidden = 0;
  /** a record of its own, whose fields become constants */
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  readonly #binder: Binder;
  readonly #i32 = new Int32Array(this.#memory.buffer, 0, RECORD_BYTES / 4);
  readonly #u16 = new Uint16Array(this.#memory.buffer, 0, RECORD_BYTES / 2);
  readonly #u8 = new Uint8Array(this.#memory.buffer, 0, RECORD_BYTES);
  readonly #i64 = new BigInt64Array(this.#memory.buffer, 0, RECORD_BYTES / 8);

  constructor(decoder: Decoder, operations: OperationTable) {
    this.#decoder = decoder;
    this.#operations = operations;
    this.#binder = new Binder(this.#memory, { index: () => 0 }, operations);
  }

  /** The region of a hot place of 64-bit code; undefined when its first instruction cannot be compiled. */
  discover({ page, known, pageOffset: start, forbidden }: RegionRequest): RegionBlock[] | undefined {
    this.#forbidden = forbidden;
    const leaders = this.#leaders(page, known, start);
    if (leaders === undefined) return undefined;
    return [...leaders].sort((a, b) => a - b).map((leader) => this.#block(page, known, leader, leaders));
  }

  #decode(page: Uint8Array, known: Uint8Array, at: number): Instruction | undefined {
    if (known[at] === Known.KeepOut) return undefined;
    const result = this.#decoder.decode(page, at, PAGE_BYTES, 64, this.#instruction);
    return result === DecodeResult.Ok ? this.#instruction : undefined;
  }

  /** Page offsets where blocks begin: the start, every near branch target that is reached, and where calls return to. */
  #leaders(page: Uint8Array, known: Uint8Array, start: number): Set<number> | undefined {
    const leaders = new Set([start]);
    const seen = new Set<number>();
    const waiting = [start];
    let count = 0;
    let hasComputedJump = false;
    const reach = (at: number): void => {
      if (at < 0 || at >= PAGE_BYTES || known[at] === Known.Nothing) return;
      leaders.add(at);
      waiting.push(at);
    };
    for (;;) {
      if (waiting.length === 0 && hasComputedJump) {
        hasComputedJump = false;
        this.#leadingBack(page, known, seen).forEach(reach);
      }
      let at = waiting.shift();
      if (at === undefined) break;
      while (at < PAGE_BYTES && !seen.has(at) && count < MOST_INSTRUCTIONS) {
        const instruction = this.#decode(page, known, at);
        if (instruction === undefined || this.#forInterpreter(instruction)) {
          if (at === start) return undefined;
          if (instruction !== undefined) reach(at + instruction.length);
          break;
        }
        seen.add(at);
        count++;
        const { operation } = instruction.form;
        const next: number = at + instruction.length;
        const [operand] = instruction.operands;
        const isRelative = instruction.operandCount > 0 && operand.kind === OperandKind.Relative;
        if (isRelative) reach(next + instruction.immediateLow);
        if (operation === 'CALL') reach(next);
        if (operation === 'JMP' && !isRelative) hasComputedJump = true;
        if (this.#endsFlow(instruction)) break;
        at = next;
      }
    }
    for (const leader of leaders) if (!seen.has(leader)) leaders.delete(leader);
    return leaders;
  }

  /** Where jumps have gone, and straight lines go from into what has been seen: the cases of a switch. */
  #leadingBack(page: Uint8Array, known: Uint8Array, seen: ReadonlySet<number>): number[] {
    const found: number[] = [];
    for (let start = 0; start < PAGE_BYTES; start++)
      if (known[start] === Known.Entered && !seen.has(start) && this.#leadsInto(page, known, start, seen))
        found.push(start);
    return found;
  }

  #leadsInto(page: Uint8Array, known: Uint8Array, start: number, seen: ReadonlySet<number>): boolean {
    let at = start;
    for (let count = 0; at < PAGE_BYTES && count < MOST_FOLLOWED; count++) {
      const instruction = this.#decode(page, known, at);
      if (instruction === undefined || this.#forInterpreter(instruction)) return false;
      at += instruction.length;
      const [operand] = instruction.operands;
      const isRelative = instruction.operandCount > 0 && operand.kind === OperandKind.Relative;
      if (isRelative && instruction.form.operation !== 'CALL' && seen.has(at + instruction.immediateLow)) return true;
      if (this.#endsFlow(instruction)) return false;
      if (seen.has(at)) return true;
    }
    return false;
  }

  #endsFlow(instruction: Instruction): boolean {
    const { operation } = instruction.form;
    if (operation === 'JMP' || operation === 'RET' || operation === 'CALL') return true;
    return this.#operations[operationName(instruction)]?.endsBlock === true;
  }

  #forInterpreter(instruction: Instruction): boolean {
    const { operation, vectorState } = instruction.form;
    return (
      REPEATING.has(operation) ||
      (vectorState & this.#forbidden) !== 0 ||
      this.#operations[operationName(instruction)]?.emit === undefined
    );
  }

  #block(page: Uint8Array, known: Uint8Array, start: number, leaders: ReadonlySet<number>): RegionBlock {
    const instructions: RegionInstruction[] = [];
    let next = start;
    while (next < PAGE_BYTES && instructions.length < MOST_INSTRUCTIONS) {
      if (next !== start && leaders.has(next)) break;
      const instruction = this.#decode(page, known, next);
      if (instruction === undefined) break;
      const compiled = this.#bind(instruction, next);
      instructions.push(compiled);
      if (compiled.operation === undefined || this.#endsFlow(instruction))
        return { pageOffset: start, instructions, next: -1 };
      next += instruction.length;
    }
    return { pageOffset: start, instructions, next };
  }

  /** The instruction with the fields that its record would have, as constants. */
  #bind(instruction: Instruction, pageOffset: number): RegionInstruction {
    const part = this.#forInterpreter(instruction)
      ? undefined
      : this.#binder.write(0, instruction, pageOffset, true).part;
    return {
      pageOffset,
      length: instruction.length,
      operation: part?.operation,
      facts: part?.facts ?? NO_FACTS,
      shapes: part?.shapes ?? [],
      registers: [0, 1, 2, 3].map((slot) => this.#u16[registerField(slot) / 2]!),
      base: this.#u16[R.base / 2]!,
      index: this.#u16[R.index / 2]!,
      scaleShift: this.#u8[R.scaleShift]!,
      segment: this.#u16[R.segment / 2]!,
      displacement: this.#i32[R.displacement / 4]!,
      immediate: this.#i64[R.immediate / 8]!,
    };
  }
}
