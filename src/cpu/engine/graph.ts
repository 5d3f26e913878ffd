/**
 * The expression graph that semantic functions record, and its way into WebAssembly: statements in order, pure values
 * between them. A value used once is computed where it is used, one used often gets a local, one never used costs nothing.
 * Values that read something mutable (a register, a variable) are captured before it changes.
 */
import type { Code, MemoryOp, WasmType } from '../../wasm/index.ts';
import { wasmOp } from '../../wasm/index.ts';

export interface Node {
  readonly type: WasmType;
  readonly args: readonly Node[];
  /** emits the instruction itself, its arguments being on the stack */
  readonly emit: (code: Code) => void;
  /** which mutable things it reads directly */
  readonly reads: number;
  /** value if it is an i32 or i64 constant */
  readonly constant: number | bigint | undefined;
  uses: number;
  /** local that holds it, once computed; -1 before */
  local: number;
}

export type Block = Statement[];

export type Statement =
  | { readonly kind: 'define'; readonly node: Node }
  | { readonly kind: 'capture'; readonly node: Node }
  /** anything with an effect: arguments are put on the stack, or into locals when `inLocals` */
  | {
      readonly kind: 'effect';
      readonly args: readonly Node[];
      readonly inLocals: boolean;
      readonly result: Node | undefined;
      readonly emit: (writer: GraphWriter, args: readonly Node[]) => void;
    }
  | {
      readonly kind: 'if';
      readonly condition: Node;
      readonly whenTrue: Block;
      readonly otherwise: Block | undefined;
      readonly likely: boolean | undefined;
    }
  | { readonly kind: 'loop'; readonly body: Block }
  | { readonly kind: 'stop' };

/** Everything mutable that a node may read. */
export const Reads = { State: 1, Variables: 2, Memory: 4, Flags: 8, Everything: -1 } as const;
/** A general register that lives in a local. */
export const readsRegister = (register: number): number => 16 << register;

export class Graph {
  block: Block = [];
  #pending: Node[] = [];

  node(type: WasmType, args: readonly Node[], emit: (code: Code) => void, reads = 0, constant?: number | bigint): Node {
    const node: Node = { type, args, emit, reads, constant, uses: 0, local: -1 };
    if (constant === undefined) {
      this.block.push({ kind: 'define', node });
      if (reads !== 0) this.#pending.push(node);
    }
    return node;
  }

  op(name: string, ...args: Node[]): Node {
    return this.node(wasmOp(name).result, args, (code) => code.op(name));
  }

  i32(value: number): Node {
    return this.node('i32', [], (code) => code.i32(value), 0, value | 0);
  }

  i64(value: bigint): Node {
    return this.node('i64', [], (code) => code.i64(value), 0, BigInt.asIntN(64, value));
  }

  /** memory[address + offset], where the memory is not the guest's (state, record) or is known to be there */
  peek(name: MemoryOp, address: Node, offset: number, reads: number): Node {
    return this.node(
      name.slice(0, 3) === 'v12' ? 'v128' : (name.slice(0, 3) as WasmType),
      [address],
      (code) => code.memory(name, offset),
      reads,
    );
  }

  poke(name: MemoryOp, address: Node, offset: number, value: Node, changes: number): void {
    this.effect([address, value], (writer) => writer.code.memory(name, offset), changes);
  }

  /** An effect whose arguments are on the stack when `emit` runs. */
  effect(args: readonly Node[], emit: (writer: GraphWriter, args: readonly Node[]) => void, changes: number): void {
    this.change(changes);
    this.block.push({ kind: 'effect', args, inLocals: false, result: undefined, emit });
  }

  /** An effect that reads its arguments from locals, as often as it likes, and may leave a result in a local. */
  effectWithLocals(
    args: readonly Node[],
    resultType: WasmType | undefined,
    emit: (writer: GraphWriter, args: readonly Node[]) => void,
    changes: number,
  ): Node | undefined {
    this.change(changes);
    const result: Node | undefined =
      resultType === undefined
        ? undefined
        : { type: resultType, args: [], emit: () => {}, reads: 0, constant: undefined, uses: 0, local: -1 };
    this.block.push({ kind: 'effect', args, inLocals: true, result, emit });
    return result;
  }

  /** Values that read what is about to change are computed first. */
  change(changes: number): void {
    if (changes === 0) return;
    this.#pending = this.#pending.filter((node) => {
      if ((node.reads & changes) === 0) return true;
      this.block.push({ kind: 'capture', node });
      return false;
    });
  }

  if(condition: Node, then: () => void, otherwise: (() => void) | undefined, likely: boolean | undefined): void {
    this.change(Reads.Everything);
    const outer = this.block;
    this.block = [];
    then();
    this.change(Reads.Everything);
    const thenBlock = this.block;
    let otherwiseBlock: Block | undefined;
    if (otherwise !== undefined) {
      this.block = [];
      otherwise();
      this.change(Reads.Everything);
      otherwiseBlock = this.block;
    }
    this.block = outer;
    this.block.push({ kind: 'if', condition, whenTrue: thenBlock, otherwise: otherwiseBlock, likely });
  }

  loop(body: (stop: () => void) => void): void {
    this.change(Reads.Everything);
    const outer = this.block;
    this.block = [];
    body(() => this.block.push({ kind: 'stop' }));
    this.change(Reads.Everything);
    const block = this.block;
    this.block = outer;
    this.block.push({ kind: 'loop', body: block });
  }
}

/** Writes a recorded block into a function body. */
export class GraphWriter {
  readonly code: Code;
  /** control depth within the exit block of each enclosing loop */
  #loopDepths: number[] = [];

  constructor(code: Code) {
    this.code = code;
  }

  write(block: Block): void {
    this.#countBlock(block);
    this.#block(block);
  }

  #countBlock(block: Block): void {
    for (const statement of block) {
      if (statement.kind === 'effect') for (const arg of statement.args) this.#count(arg);
      else if (statement.kind === 'if') {
        this.#count(statement.condition);
        this.#countBlock(statement.whenTrue);
        if (statement.otherwise !== undefined) this.#countBlock(statement.otherwise);
      } else if (statement.kind === 'loop') this.#countBlock(statement.body);
    }
  }

  #count(node: Node): void {
    if (node.uses++ === 0) for (const arg of node.args) this.#count(arg);
  }

  #block(block: Block): void {
    for (const statement of block) {
      switch (statement.kind) {
        case 'define':
          if (statement.node.uses > 1) this.toLocal(statement.node);
          break;
        case 'capture':
          if (statement.node.uses > 0) this.toLocal(statement.node);
          break;
        case 'effect':
          if (statement.inLocals) for (const arg of statement.args) this.toLocal(arg);
          else for (const arg of statement.args) this.push(arg);
          if (statement.result !== undefined) statement.result.local = this.code.local(statement.result.type);
          statement.emit(this, statement.result === undefined ? statement.args : [...statement.args, statement.result]);
          break;
        case 'if':
          this.push(statement.condition);
          this.code.if(undefined, statement.likely);
          this.#block(statement.whenTrue);
          if (statement.otherwise !== undefined) {
            this.code.else();
            this.#block(statement.otherwise);
          }
          this.code.end();
          break;
        case 'loop':
          this.code.block();
          this.#loopDepths.push(this.code.depth);
          this.code.loop();
          this.#block(statement.body);
          this.code.br(0);
          this.#loopDepths.pop();
          this.code.end();
          this.code.end();
          break;
        case 'stop':
          this.code.brTo(this.#loopDepths.at(-1)!);
          break;
      }
    }
  }

  /** Leaves the node's value on the stack. */
  push(node: Node): void {
    if (node.local >= 0) {
      this.code.get(node.local);
      return;
    }
    for (const arg of node.args) this.push(arg);
    node.emit(this.code);
  }

  /** Makes sure that the node's value is in a local; constants stay constants. */
  toLocal(node: Node): void {
    if (node.local >= 0 || node.constant !== undefined) return;
    this.push(node);
    node.local = this.code.local(node.type);
    this.code.set(node.local);
  }
}
