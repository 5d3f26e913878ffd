/** Turns (operation, operand shapes) into entries of the handler table, in small modules made when something new is decoded. */
import type { Facts } from '../exec/sem.ts';
import { Code, encodeModule, type Signature } from '../../wasm/index.ts';
import { type HandlerPart, InterpreterHandler } from './interpreter-handler.ts';
import { Leave, R } from './record.ts';
import { HANDLER_PARAMETERS, P } from './sem-builder.ts';
import { S } from '../state.ts';

/** Table indices that exist from the start. */
export const Handler = { Host: 0, Stale: 1, Goto: 2, Lookup: 3, Step: 4, Straddle: 5, Count: 6 } as const;

const TABLE_ENTRIES = 65536;
const HANDLER: Signature = { parameters: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] };
const ACCESS: Signature = { parameters: ['i32', 'i32', 'i32'], results: ['i32'] };
const OUTCOME: Signature = { parameters: [], results: ['i32'] };
const TYPES = [HANDLER, ACCESS, OUTCOME];
const IMPORTS = ['load', 'store', 'modify'].map((name) => ({ module: 'env', name, type: 1 })).concat([{ module: 'env', name: 'modifyEnd', type: 2 }]);

/** What generated code asks of the host; see `Import` in sem-builder.ts. */
export interface AccessImports {
  load(low: number, high: number, bytes: number): number;
  /** 0 fault, else bit 0 set; bit 1: decoded code has changed */
  store(low: number, high: number, bytes: number): number;
  modify(low: number, high: number, bytes: number): number;
  /** as `store`, without fault */
  modifyEnd(): number;
}

/** An instruction by its shape; equal keys share a handler. */
export interface KeyedPart extends HandlerPart {
  readonly key: string;
}

type Enter = (state: number, record: number, left: number, tlb: number) => number;

/** A handler that continues at the next linear address without being an instruction itself. */
class LookupHandler extends InterpreterHandler {
  override writeLeftAfter(code: Code): void {
    code.get(P.left);
  }
}

const NO_FACTS: Facts = { operation: 'lookup', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' };

export class HandlerTable {
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: TABLE_ENTRIES, maximum: TABLE_ENTRIES });
  readonly #env: Record<string, unknown>;
  readonly #indexOf = new Map<string, number>();
  readonly #regions = new Set<number>();
  readonly #freeRegions: number[] = [];
  readonly #firstOf = new Map<number, number>();
  #next = 16;
  #waiting: { index: number; code: Code }[] = [];
  modulesMade = 0;
  /** Runs the record's handler and everything it leads to; returns a `Leave`. */
  readonly enter: Enter;

  constructor(memory: WebAssembly.Memory, imports: AccessImports) {
    this.#env = { memory, table: this.#table, ...imports };
    this.#waiting.push({ index: Handler.Host, code: leaving(Leave.Host) });
    this.#waiting.push({ index: Handler.Stale, code: leaving(Leave.Stale) });
    this.#waiting.push({ index: Handler.Step, code: leaving(Leave.Step) });
    this.#waiting.push({ index: Handler.Straddle, code: leaving(Leave.Straddle) });
    this.#waiting.push({ index: Handler.Goto, code: goto() });
    this.#waiting.push({ index: Handler.Count, code: count() });
    const lookup: HandlerPart = { facts: NO_FACTS, shapes: [], operation: { emit: (b) => b.jump(b.nextIp()) } };
    this.#waiting.push({ index: Handler.Lookup, code: new LookupHandler(NO_FACTS).build([lookup]) });
    const enter = new Code(HANDLER_PARAMETERS);
    for (const parameter of [P.state, P.record, P.left, P.tlb]) enter.get(parameter);
    enter.get(P.record);
    enter.memory('i32.load', R.handler);
    enter.callIndirect(0);
    this.#waiting.push({ index: 15, code: enter });
    this.flush();
    this.enter = this.#table.get(15) as Enter;
  }

  /** Table index for an instruction of this shape; its function exists after the next `flush`. */
  index(part: KeyedPart): number {
    return this.#indexOf.get(part.key) ?? this.#add(part.key, [part]);
  }

  /** Table index of one handler for two instructions in a row; `first` is the index of the first alone. */
  fusedIndex(first: number, parts: readonly [KeyedPart, KeyedPart]): number {
    const key = `${parts[0].key}+${parts[1].key}`;
    const known = this.#indexOf.get(key);
    if (known !== undefined) return known;
    const index = this.#add(key, parts);
    this.#firstOf.set(index, first);
    return index;
  }

  /** The handler for the first instruction alone of a fused one; any other index itself. */
  unfused(index: number): number {
    return this.#firstOf.get(index) ?? index;
  }

  /** True for the function of a compiled region. */
  isRegion(index: number): boolean {
    return this.#regions.has(index);
  }

  /** Takes a region's function; its index in the table. Freed indices are used again. */
  addRegion(code: Code): number {
    const index = this.#freeRegions.pop() ?? this.#nextIndex();
    this.#regions.add(index);
    this.#waiting.push({ index, code });
    return index;
  }

  freeRegion(index: number): void {
    this.#regions.delete(index);
    this.#freeRegions.push(index);
  }

  #nextIndex(): number {
    if (this.#next >= TABLE_ENTRIES) throw new Error('broken invariant: the handler table is full');
    return this.#next++;
  }

  #add(key: string, parts: readonly HandlerPart[]): number {
    const index = this.#nextIndex();
    this.#waiting.push({ index, code: new InterpreterHandler(parts[0]!.facts).build(parts) });
    this.#indexOf.set(key, index);
    return index;
  }

  /** Compiles what has been asked for since the last time. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = encodeModule({
      types: TYPES,
      imports: IMPORTS,
      table: true,
      functions: this.#waiting.map(({ code }) => ({ type: 0, code })),
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: this.#env });
    this.#waiting.forEach(({ index }, i) => {
      this.#table.set(index, instance.exports[String(i)]);
    });
    this.#waiting = [];
    this.modulesMade++;
  }
}

function leaving(reason: number): Code {
  const code = new Code(HANDLER_PARAMETERS);
  writeLeaving(code, reason);
  return code;
}

function writeLeaving(code: Code, reason: number): void {
  code.get(P.state);
  code.get(P.record);
  code.memory('i32.store', S.exitRecord);
  code.get(P.state);
  code.get(P.left);
  code.memory('i32.store', S.remaining);
  code.i32(reason);
}

/** A block head: counts its visits, then goes on with the block. */
function count(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  const visits = code.local('i32');
  code.get(P.record);
  code.get(P.record);
  code.memory('i32.load', R.displacement);
  code.i32(1);
  code.op('i32.sub');
  code.tee(visits);
  code.memory('i32.store', R.displacement);
  code.get(visits);
  code.if(undefined, true);
  writeGoto(code);
  code.end();
  writeLeaving(code, Leave.Hot);
  return code;
}

function goto(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  writeGoto(code);
  return code;
}

function writeGoto(code: Code): void {
  code.get(P.state);
  code.get(P.record);
  code.memory('i32.load', R.link);
  code.get(P.left);
  code.get(P.tlb);
  code.get(P.record);
  code.memory('i32.load', R.link);
  code.memory('i32.load', R.handler);
  code.returnCallIndirect(0);
}
