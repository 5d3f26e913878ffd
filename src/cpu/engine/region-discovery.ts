/** Finds what a compiled region shall hold: the blocks of a page that near branches reach from a hot block. */
import { createInstruction, DecodeResult, type Decoder, type Instruction, OperandKind } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { OperationTable } from '../exec/sem.ts';
import type { Binder } from './binder.ts';
import { R, registerField } from './record.ts';
import type { RegionBlock, RegionInstruction } from './region-builder.ts';

const MOST_INSTRUCTIONS = 256;

/** Operations that the interpreter does even in the middle of compiled code: they execute themselves again. */
const REPEATING: ReadonlySet<string> = new Set(['MOVS', 'STOS', 'LODS', 'SCAS', 'CMPS']);

export interface Discovery {
  readonly blocks: readonly RegionBlock[];
  readonly spans: readonly (readonly [number, number])[];
}

/** What discovery asks of the cache it works for. */
export interface CodeSource {
  /** The record of the instruction at a page offset, decoded now if it was not. */
  readonly recordAt: (table: number, hostPage: number, offset: number) => number;
  /** May the instruction at a page offset be part of a region? */
  readonly mayCompile: (offset: number) => boolean;
  /** Vector states (bits of `VectorState`) whose instructions fault in the code of a table. */
  readonly forbiddenIn: (table: number) => number;
}

interface OpenBlock {
  pageOffset: number;
  instructions: RegionInstruction[];
  /** page offset at which the next block goes on; -1: the last instruction goes elsewhere */
  next: number;
}

export class RegionDiscovery {
  readonly #i32: Int32Array;
  readonly #u16: Uint16Array;
  readonly #u8: Uint8Array;
  readonly #view: DataView;
  readonly #decoder: Decoder;
  readonly #binder: Binder;
  readonly #operations: OperationTable;
  readonly #source: CodeSource;
  readonly #instruction = createInstruction();
  readonly #scratch: number;
  #forbidden = 0;

  constructor(memory: HostMemory, decoder: Decoder, binder: Binder, operations: OperationTable, source: CodeSource) {
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
    this.#u16 = new Uint16Array(memory.wasm.buffer);
    this.#view = memory.view;
    this.#decoder = decoder;
    this.#binder = binder;
    this.#operations = operations;
    this.#source = source;
    this.#scratch = memory.reserveProcessorArea(64);
  }

  /** The region that begins at `offset` of a page of 64-bit code; undefined when its first instruction cannot be compiled. */
  discover(table: number, hostPage: number, offset: number): Discovery | undefined {
    this.#forbidden = this.#source.forbiddenIn(table);
    const leaders = this.#leaders(hostPage, offset);
    if (leaders === undefined) return undefined;
    const open: OpenBlock[] = [];
    for (const leader of [...leaders].sort((a, b) => a - b)) open.push(this.#block(table, hostPage, leader, leaders));
    const indexAt = new Map(open.map((block, i) => [block.pageOffset, i]));
    const blocks: RegionBlock[] = open.map((block) => {
      const fallsInto = block.next < 0 ? undefined : indexAt.get(block.next);
      const goesOn = block.next >= 0 && fallsInto === undefined;
      return {
        pageOffset: block.pageOffset,
        instructions: block.instructions,
        fallsInto,
        fallRecord: goesOn ? this.#recordOrLookup(table, hostPage, block) : block.instructions.at(-1)!.record,
      };
    });
    const spans = open.map((block) => {
      const last = block.instructions.at(-1)!;
      return [block.pageOffset, last.pageOffset + last.length] as const;
    });
    return { blocks, spans };
  }

  /** Record behind a block's last instruction, whose page may end there: then the Lookup record that follows it. */
  #recordOrLookup(table: number, hostPage: number, block: OpenBlock): number {
    if (block.next < 4096) return this.#source.recordAt(table, hostPage, block.next);
    return block.instructions.at(-1)!.record + 32;
  }

  #decode(hostPage: number, at: number): Instruction | undefined {
    if (!this.#source.mayCompile(at)) return undefined;
    const result = this.#decoder.decode(this.#u8, hostPage + at, hostPage + 4096, 64, this.#instruction);
    return result === DecodeResult.Ok ? this.#instruction : undefined;
  }

  /** Page offsets where blocks begin: the start and every near branch target that is reached. */
  #leaders(hostPage: number, start: number): Set<number> | undefined {
    const leaders = new Set([start]);
    const seen = new Set<number>();
    const waiting = [start];
    let count = 0;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      while (at < 4096 && !seen.has(at) && count < MOST_INSTRUCTIONS) {
        const instruction = this.#decode(hostPage, at);
        if (instruction === undefined || this.#forInterpreter(instruction)) {
          if (at === start) return undefined;
          break;
        }
        seen.add(at);
        count++;
        const { operation } = instruction.form;
        const next: number = at + instruction.length;
        const target = this.#target(instruction, next);
        if (target !== undefined && operation !== 'CALL') {
          leaders.add(target);
          waiting.push(target);
        }
        if (endsFlow(operation)) break;
        at = next;
      }
    }
    for (const leader of leaders) if (!seen.has(leader)) leaders.delete(leader);
    return leaders;
  }

  /** Page offset of a relative branch's target, if it lies in the page. */
  #target(instruction: Instruction, next: number): number | undefined {
    if (instruction.operandCount === 0 || instruction.operands[0].kind !== OperandKind.Relative) return undefined;
    const target = next + instruction.immediateLow;
    return target >= 0 && target < 4096 ? target : undefined;
  }

  #forInterpreter(instruction: Instruction): boolean {
    const { operation, vectorState } = instruction.form;
    return (
      REPEATING.has(operation) ||
      (vectorState & this.#forbidden) !== 0 ||
      this.#operations[operation]?.emit === undefined
    );
  }

  #block(table: number, hostPage: number, start: number, leaders: ReadonlySet<number>): OpenBlock {
    const block: OpenBlock = { pageOffset: start, instructions: [], next: start };
    while (block.next < 4096 && block.instructions.length < MOST_INSTRUCTIONS) {
      if (block.next !== start && leaders.has(block.next)) return block;
      const at = block.next;
      const instruction = this.#decode(hostPage, at);
      if (instruction === undefined) return block;
      const record = this.#source.recordAt(table, hostPage, at);
      // decoding a run reuses the decoder: the instruction itself is read again
      this.#decode(hostPage, at);
      const { operation } = instruction.form;
      const compiled = this.#bind(record, instruction, at);
      if (compiled.operation === undefined) {
        if (at === start) block.instructions.push(compiled);
        return block;
      }
      block.instructions.push(compiled);
      block.next = at + instruction.length;
      if (endsFlow(operation)) {
        block.next = -1;
        return block;
      }
    }
    return block;
  }

  /** The instruction with the fields that its record would have, as constants. */
  #bind(record: number, instruction: Instruction, pageOffset: number): RegionInstruction {
    const at = this.#scratch;
    const part = this.#forInterpreter(instruction) ? undefined : this.#binder.write(at, instruction, pageOffset, true);
    return {
      record,
      pageOffset,
      length: instruction.length,
      operation: part?.operation,
      facts: part?.facts ?? { operation: '', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' },
      shapes: part?.shapes ?? [],
      registers: [0, 1, 2, 3].map((slot) => this.#u16[(at + registerField(slot)) >> 1]!),
      base: this.#u16[(at + R.base) >> 1]!,
      index: this.#u16[(at + R.index) >> 1]!,
      scaleShift: this.#u8[at + R.scaleShift]!,
      segment: this.#u16[(at + R.segment) >> 1]!,
      displacement: this.#i32[(at + R.displacement) >> 2]!,
      immediate: this.#view.getBigInt64(at + R.immediate, true),
    };
  }
}

function endsFlow(operation: string): boolean {
  return operation === 'JMP' || operation === 'RET' || operation === 'CALL';
}
