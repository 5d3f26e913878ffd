/** Turns (operation, operand shapes) into entries of the handler table, in small modules made when something new is decoded. */

import { Code, encodeModule } from '../../wasm/index.ts';
import type { Facts, OperationTable } from '../exec/sem.ts';
import { Gpr } from '../gpr.ts';
import { S } from '../state.ts';
import { writeTlbCheck } from './data-tlb-code.ts';
import type { GeneratedModule } from './generated-code.ts';
import {
  FIRST_IMPORTS,
  GO_TO_TYPE,
  HANDLER_PARAMETERS,
  HANDLER_TYPES,
  Import,
  LATER_IMPORTS,
  ModuleName,
  P,
} from './handler-signature.ts';
import { type HandlerPart, InterpreterHandler, type OperandShape } from './interpreter-handler.ts';
import { JUMP_FILLS, JUMP_TAG } from './jump-caches.ts';
import { writeCodeTlbTag, writeDispatch, writeEnter, writeFollow, writeGoTo, writeJumpTag } from './jump-code.ts';
import { Leave, R, RECORD_BYTES, RETURN_HEAD } from './record.ts';
import { READ_TAG } from './tlb.ts';

/** Table indices that exist from the start. */
export const Handler = {
  Host: 0,
  Stale: 1,
  Goto: 2,
  Lookup: 3,
  Step: 4,
  Straddle: 5,
  Count: 6,
  StraddleKnown: 7,
  Dispatch: 8,
  Resume: 9,
  GoTo: 10,
  Return: 11,
} as const;

/** What the first module gives: the host and later modules enter and go on by these. */
const IMPORTED_BY_OTHERS = [Handler.Dispatch, Handler.Resume, Handler.GoTo];

const TABLE_ENTRIES = 8192;

/** What generated code asks of the host; see `Import` in handler-signature.ts. `state`: the processor's state base. */
export interface AccessImports {
  load(state: number, low: number, high: number, bytes: number): number;
  /** 0 fault, else bit 0 set; bit 1: decoded code has changed */
  store(state: number, low: number, high: number, bytes: number): number;
  modify(state: number, low: number, high: number, bytes: number): number;
  /** as `store`, without fault */
  modifyEnd(): number;
}

/** An instruction by its shape; equal keys share a handler. */
export interface KeyedPart extends HandlerPart {
  readonly key: string;
}

/** The key of a shape; `parseKey` is its inverse. */
export function shapeKey(facts: Facts, shapes: readonly OperandShape[]): string {
  let key = `${facts.operation}|${facts.condition}|${facts.operandSize}|${facts.mode}|${facts.addressSize}|${facts.rep}`;
  for (const { kind, width, address, near } of shapes) key += `|${kind} ${width} ${address}${near ? ' near' : ''}`;
  return key;
}

/** True if the operation of a key is generated here. */
function isGenerated(key: string, operations: OperationTable): boolean {
  return operations[key.slice(0, key.indexOf('|'))]?.emit !== undefined;
}

function parseKey(key: string, operations: OperationTable): HandlerPart {
  const [name, condition, operandSize, mode, addressSize, rep, ...places] = key.split('|');
  const operation = operations[name!]!;
  const facts = {
    operation: name!,
    condition: Number(condition),
    operandSize: Number(operandSize),
    mode: Number(mode),
    addressSize: Number(addressSize),
    rep,
  } as Facts;
  const shapes = places.map((place, slot) => {
    const [kind, width, address, near] = place.split(' ');
    return { kind, width: Number(width), slot, address, near: near !== undefined } as OperandShape;
  });
  return { facts, shapes, operation };
}

const STACK_POINTER = S.gpr + Gpr.Rsp * 8;

type Enter = (state: number, record: number, left: number, tlb: number) => number;

/** A handler that continues at the next linear address without being an instruction itself. */
class LookupHandler extends InterpreterHandler {
  override readonly jumpsEndBudgets = false;
  override writeLeftAfter(code: Code): void {
    code.get(P.left);
  }
}

const NO_FACTS: Facts = { operation: 'lookup', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' };

export class HandlerTable {
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: TABLE_ENTRIES });
  readonly #env: Record<string, unknown>;
  readonly #indexOf = new Map<string, number>();
  /** by index: what handlers of instructions were made of */
  readonly #shapes: { readonly key: string; readonly read: () => readonly HandlerPart[] }[] = [];
  readonly #regions = new Set<number>();
  readonly #freeRegions: number[] = [];
  /** by the indices of both instructions alone */
  readonly #fused = new Map<number, number>();
  readonly #firstOf = new Map<number, number>();
  #next = 16;
  /** of the table, which V8 takes its time to tell */
  #size = TABLE_ENTRIES;
  #waiting: { index: number; build: () => Code; type: number }[] = [];
  #ready: GeneratedModule | undefined;
  /** the first module: special handlers and common shapes */
  first: GeneratedModule | undefined;
  modulesMade = 0;
  /** indices below are the same in each run: of special handlers and common shapes */
  readonly commonEnd: number;
  /** Runs the record's handler and everything it leads to; returns a `Leave`. */
  readonly enter: Enter;
  /** The same from S.rip in 64-bit mode, whatever the record; `Leave.Unknown` if only the host knows what is there. */
  readonly resume: Enter;

  /**
   * @param common keys of handlers to make at once, in one module
   * @param ready that module, if there is one from an earlier run with the same keys
   */
  constructor(
    memory: WebAssembly.Memory,
    imports: AccessImports,
    operations: OperationTable,
    common: readonly string[],
    ready: GeneratedModule | undefined,
  ) {
    this.#ready = ready;
    this.#env = { memory, table: this.#table, ...imports };
    this.#want(Handler.Host, () => leaving(Leave.Host));
    this.#want(Handler.Stale, () => leaving(Leave.Stale));
    this.#want(Handler.Step, () => leaving(Leave.Step));
    this.#want(Handler.Straddle, () => leaving(Leave.Straddle));
    this.#want(Handler.Goto, () => goto());
    this.#want(Handler.Count, () => count());
    this.#want(Handler.StraddleKnown, () => straddleKnown());
    const lookup: HandlerPart = { facts: NO_FACTS, shapes: [], operation: { emit: (b) => b.jump(b.nextIp()) } };
    this.#want(Handler.Lookup, () => new LookupHandler(NO_FACTS).build([lookup]));
    this.#want(Handler.Dispatch, dispatch);
    this.#want(Handler.Resume, resume);
    this.#want(Handler.GoTo, goTo, GO_TO_TYPE);
    this.#want(Handler.Return, doReturn);
    for (const key of common) this.#prepare(key, operations);
    this.commonEnd = this.#next;
    this.flush();
    this.enter = this.#table.get(Handler.Dispatch) as Enter;
    this.resume = this.#table.get(Handler.Resume) as Enter;
    this.#env.dispatch = this.enter;
    this.#env.goTo = this.#table.get(Handler.GoTo);
  }

  /** Table index for an instruction of this shape; its function exists after the next `flush`. */
  index(part: KeyedPart): number {
    return this.#indexOf.get(part.key) ?? this.#add(part.key, () => [part]);
  }

  /** Table index of one handler for two instructions in a row; `first` and `second` are the indices of each alone. */
  fusedIndex(first: number, second: number): number {
    return this.#fused.get(first * 0x1_0000 + second) ?? this.#fuse(first, second);
  }

  #fuse(first: number, second: number): number {
    const [one, other] = [this.#shapes[first]!, this.#shapes[second]!];
    return this.#addFused(first, second, `${one.key}+${other.key}`, () => [...one.read(), ...other.read()]);
  }

  #addFused(first: number, second: number, key: string, parts: () => readonly HandlerPart[]): number {
    const index = this.#add(key, parts);
    this.#fused.set(first * 0x1_0000 + second, index);
    this.#firstOf.set(index, first);
    return index;
  }

  /** The handler for the first instruction alone of a fused one; any other index itself. */
  unfused(index: number): number {
    return this.#firstOf.get(index) ?? index;
  }

  /** Every key met so far, for the list of common ones. */
  get keys(): readonly string[] {
    return [...this.#indexOf.keys()];
  }

  /** Makes the handler of a key ahead of time; a key of an operation that is not there is passed over. */
  #prepare(key: string, operations: OperationTable): void {
    const keys = key.split('+');
    if (!keys.every((each) => isGenerated(each, operations))) return;
    const read = () => keys.map((each) => parseKey(each, operations));
    const [first, second] = keys.map(
      (each, i) => this.#indexOf.get(each) ?? this.#add(each, () => [parseKey(keys[i]!, operations)]),
    );
    if (second !== undefined) this.#addFused(first!, second, key, read);
  }

  /** True for the function of a compiled region. */
  isRegion(index: number): boolean {
    return this.#regions.has(index);
  }

  /** Takes the functions of a module of regions; their indices in the table. Freed indices are used again. */
  addRegions(generated: GeneratedModule, count: number): number[] {
    const instance = this.#instantiate(generated);
    return Array.from({ length: count }, (_, i) => {
      const index = this.#freeRegions.pop() ?? this.#nextIndex();
      this.#regions.add(index);
      this.#table.set(index, instance.exports[String(i)]);
      return index;
    });
  }

  freeRegion(index: number): void {
    this.#regions.delete(index);
    this.#freeRegions.push(index);
  }

  #nextIndex(): number {
    if (this.#next >= this.#size) this.#size = this.#table.grow(TABLE_ENTRIES) + TABLE_ENTRIES;
    return this.#next++;
  }

  /** @param read gives the instructions when the handler is built, which one from an earlier run is not */
  #add(key: string, read: () => readonly HandlerPart[]): number {
    const index = this.#nextIndex();
    this.#want(index, () => {
      const parts = read();
      return new InterpreterHandler(parts[0]!.facts, this.modulesMade === 0 ? undefined : Import.dispatch).build(parts);
    });
    this.#indexOf.set(key, index);
    this.#shapes[index] = { key, read };
    return index;
  }

  #want(index: number, build: () => Code, type = 0): void {
    this.#waiting.push({ index, build, type });
  }

  /** Compiles what has been asked for since the last time. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const made = this.#ready ?? this.#make();
    this.#ready = undefined;
    this.first ??= made;
    const instance = this.#instantiate(made);
    // the first module has put its functions into the table itself
    if (this.modulesMade > 0)
      this.#waiting.forEach(({ index }, i) => {
        this.#table.set(index, instance.exports[String(i)]);
      });
    this.#waiting = [];
    this.modulesMade++;
  }

  #instantiate(generated: GeneratedModule): WebAssembly.Instance {
    generated.instance = new WebAssembly.Instance(generated.module!, { env: this.#env });
    return generated.instance;
  }

  #make(): GeneratedModule {
    const isFirst = this.modulesMade === 0;
    const places = this.#waiting.map(({ index }) => index);
    const bytes = encodeModule({
      name: ModuleName.Interpreter,
      types: HANDLER_TYPES,
      imports: isFirst ? FIRST_IMPORTS : LATER_IMPORTS,
      table: isFirst,
      ...(isFirst && { places, exported: IMPORTED_BY_OTHERS.map((index) => places.indexOf(index)) }),
      functions: this.#waiting.map(({ build, type }) => ({ type, code: build() })),
    });
    return { bytes, module: new WebAssembly.Module(bytes) };
  }
}

function dispatch(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  for (const parameter of [P.state, P.record, P.left, P.tlb]) code.get(parameter);
  writeDispatch(code, () => code.get(P.record));
  return code;
}

function resume(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  const linear = code.local('i64');
  code.get(P.state);
  code.memory('i64.load', S.rip);
  code.set(linear);
  writeFollow(code, { linear, left: P.left, endsBudget: false });
  code.i32(Leave.Unknown);
  return code;
}

/** Where regions go on: at a linear address. */
function goTo(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  writeGoToRegion(code, P.record); // the address, another type in the place of the record
  code.unreachable();
  return code;
}

/**
 * A RET where a jump of a region leads, by its entry in the jump cache: the return thunks of Linux are nothing else, and a region of its own would
 * cost more to enter than it does.
 */
function doReturn(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  const stack = code.local('i64');
  const linear = code.local('i64');
  const entry = code.local('i32');
  code.get(P.state);
  code.memory('i64.load', STACK_POINTER);
  code.set(stack);
  writeTlbCheck(code, stack, 8, READ_TAG, entry);
  code.memory('i64.load', 0);
  code.set(linear);
  code.get(P.state);
  code.get(stack);
  code.i64(8n);
  code.op('i64.add');
  code.memory('i64.store', STACK_POINTER);
  code.get(P.left);
  code.i32(1);
  code.op('i32.sub');
  code.set(P.left);
  writeGoToRegion(code, linear);
  code.end();
  writeGoto(code);
  return code;
}

/** Goes on at a linear address by the jump cache, else by the code TLB, which then is remembered if a region or a RET is there. */
function writeGoToRegion(code: Code, linear: number): void {
  const entry = code.local('i32');
  const isReturn = code.local('i32');
  writeJumpTag(code, linear, entry);
  code.get(linear);
  code.op('i64.eq');
  code.get(P.left);
  code.i32(0);
  code.op('i32.gt_s');
  code.op('i32.and');
  code.if(undefined, true);
  writeEnter(code, linear, entry, P.left);
  code.end();
  const remember = (record: number): void => {
    code.get(record);
    code.memory('i32.load16_u', R.scaleShift);
    code.i32(RETURN_HEAD);
    code.op('i32.eq');
    code.tee(isReturn);
    code.get(record);
    code.memory('i32.load', R.table);
    code.op('i32.or');
    code.if();
    for (let part = 0; part < RECORD_BYTES; part += 16) {
      code.get(entry);
      code.get(record);
      code.memory('v128.load', part);
      code.memory('v128.store', part);
    }
    code.get(entry);
    code.get(linear);
    code.memory('i64.store', JUMP_TAG);
    writeJumpFill(code, entry);
    code.get(isReturn);
    code.if();
    code.get(entry);
    code.i32(Handler.Return);
    code.memory('i32.store', R.handler);
    code.get(entry);
    code.get(record);
    code.memory('i32.store', R.link);
    code.end();
    code.get(entry);
    code.set(record);
    code.end();
  };
  writeGoTo(code, { linear, left: P.left, endsBudget: true, before: remember });
}

/** Notes that an entry of the jump cache has been filled. */
function writeJumpFill(code: Code, entry: number): void {
  const fills = code.local('i32');
  const count = code.local('i32');
  code.get(P.state);
  code.memory('i32.load', S.jumpFills);
  code.tee(fills);
  code.get(fills);
  code.memory('i32.load', 0);
  code.i32(1);
  code.op('i32.add');
  code.tee(count);
  code.memory('i32.store', 0);
  code.get(count);
  code.i32(JUMP_FILLS);
  code.op('i32.le_u');
  code.if(undefined, true);
  code.get(fills);
  code.get(count);
  code.i32(2);
  code.op('i32.shl');
  code.op('i32.add');
  code.get(entry);
  code.memory('i32.store', 0);
  code.end();
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

/** An instruction that reaches into the next page, decoded before: good while that page is still the same host page. */
function straddleKnown(): Code {
  const code = new Code(HANDLER_PARAMETERS);
  const next = code.local('i64');
  const entry = code.local('i32');
  code.get(P.state);
  code.memory('i64.load', S.codePage);
  code.i64(4096n);
  code.op('i64.add');
  code.set(next);
  writeCodeTlbTag(code, next, entry);
  code.get(next);
  code.op('i64.eq');
  code.get(entry);
  code.memory('i32.load', 12);
  code.i32(-4096);
  code.op('i32.and');
  code.get(P.record);
  code.memory('i32.load', R.displacement);
  code.op('i32.eq');
  code.op('i32.and');
  code.if(undefined, true);
  writeGoto(code);
  code.end();
  writeLeaving(code, Leave.Straddle);
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
  writeDispatch(code, () => {
    code.get(P.record);
    code.memory('i32.load', R.link);
  });
}
