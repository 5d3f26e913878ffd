/** One handler of the interpreter: the semantic function with its operands bound to fields of a predecoded record. */

import type { Code, MemoryOp } from '../../wasm/index.ts';
import type { Facts, Operation, Place, Val, ValType, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { GraphWriter, type Node, Reads } from './graph.ts';
import { P } from './handler-signature.ts';
import { InterpreterMemory } from './interpreter-memory.ts';
import { writeDispatch } from './jump-code.ts';
import { Leave, R, RECORD_BYTES, registerField } from './record.ts';
import { localOf, node, type Position } from './sem-builder.ts';

/**
 * How a memory operand's address is made:
 * b base + displacement; r RIP + displacement; s r + segment; t s with the offset wrapped to 32 bits;
 * x base + index + displacement + segment; y x with the offset wrapped to 32 bits; z y with the linear address wrapped too;
 * o absolute 64-bit offset + segment.
 */
export type AddressShape = 'b' | 'r' | 's' | 't' | 'x' | 'y' | 'z' | 'o';

export interface OperandShape {
  readonly kind: Place['kind'];
  readonly width: Width | 256 | 0;
  /** operand position, which is also the register slot in the record */
  readonly slot: number;
  readonly address: AddressShape;
  /** relative: the target is in the same page */
  readonly near: boolean;
}

/** One instruction of a handler. */
export interface HandlerPart {
  readonly facts: Facts;
  readonly shapes: readonly OperandShape[];
  readonly operation: Operation;
}

interface BoundPlace extends Place {
  readonly shape: OperandShape;
}

const WIDTH_OF: Record<ValType, Width> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

export class InterpreterHandler extends InterpreterMemory {
  /** Bytes from the record in the parameter to that of the instruction being recorded. */
  get #recordOffset(): number {
    return this.position * RECORD_BYTES;
  }

  /** The finished body of a handler that executes one instruction, or several in consecutive records. */
  build(parts: readonly HandlerPart[]): Code {
    parts.forEach(({ facts, shapes, operation }, position) => {
      this.facts = facts;
      this.position = position;
      operation.emit!(this, ...shapes.map((shape) => this.#place(shape)));
    });
    const position = this.position;
    this.graph.effect([], ({ code }) => this.writeDispatchNext(code, position), Reads.Everything);
    new GraphWriter(this.code).write(this.graph.block);
    return this.code;
  }

  readonly #record: Node = this.graph.node('i32', [], (code) => code.get(P.record), 0, 0);
  readonly #left: Node = this.graph.node('i32', [], (code) => code.get(P.left), 0, 0);

  left(): Val {
    return this.position === 0 ? this.#left : this.sub(this.#left, this.i32(this.position));
  }

  #writeLeft(code: Code, instructions: number): void {
    code.get(P.left);
    if (instructions === 0) return;
    code.i32(instructions);
    code.op('i32.sub');
  }

  writeLeftAfter(code: Code, position: Position): void {
    this.#writeLeft(code, position + 1);
  }

  #writeRecord(code: Code, index: number): void {
    code.get(P.record);
    if (index === 0) return;
    code.i32(index * RECORD_BYTES);
    code.op('i32.add');
  }

  writePosition(code: Code, position: Position): void {
    code.get(P.state);
    this.#writeRecord(code, position);
    code.memory('i32.store', S.exitRecord);
    code.get(P.state);
    this.#writeLeft(code, position);
    code.memory('i32.store', S.remaining);
  }

  /** Goes on with the record that follows. */
  writeDispatchNext(code: Code, position: Position): void {
    code.get(P.state);
    this.#writeRecord(code, position + 1);
    this.writeLeftAfter(code, position);
    code.get(P.tlb);
    writeDispatch(code, () => this.#writeRecord(code, position + 1));
  }

  #recordField(name: MemoryOp, offset: number): Node {
    return this.graph.peek(name, this.#record, this.#recordOffset + offset, 0);
  }

  #field16(offset: number): Node {
    return this.#recordField('i32.load16_u', offset);
  }
  #stateAt(offsetField: number): Node {
    return this.graph.op('i32.add', this.stateNode, this.#field16(offsetField));
  }
  #stateValueAt(offsetField: number): Val {
    return this.graph.peek('i64.load', this.#stateAt(offsetField), 0, Reads.State);
  }

  // ---- addresses
  #offset(address: AddressShape): Val {
    if (address === 'o') return this.#recordField('i64.load', R.immediate);
    const displacement = this.extendS(this.#recordField('i32.load', R.displacement));
    if (address === 'r' || address === 's') return this.add(this.#linearNext(), displacement);
    if (address === 't') return this.and(this.add(this.#linearNext(), displacement), this.i64(0xffff_ffff));
    const based = this.add(this.#stateValueAt(R.base), displacement);
    if (address === 'b') return based;
    const shift = this.extendU(this.#recordField('i32.load8_u', R.scaleShift));
    const full = this.add(based, this.shl(this.#stateValueAt(R.index), shift));
    return address === 'x' ? full : this.and(full, this.i64(0xffff_ffff));
  }
  effectiveAddress(place: Place): Val {
    return this.#offset((place as BoundPlace).shape.address);
  }
  linear(place: Place): Val {
    const { address } = (place as BoundPlace).shape;
    const offset = this.#offset(address);
    if (address === 'b' || address === 'r') return offset;
    const linear = this.add(offset, this.#stateValueAt(R.segment));
    return address === 'z' ? this.and(linear, this.i64(0xffff_ffff)) : linear;
  }

  // ---- operands
  #place(shape: OperandShape): BoundPlace {
    const { kind, width, slot } = shape;
    const register = (): Node => this.#stateAt(registerField(slot));
    const place: BoundPlace = {
      kind,
      width,
      shape,
      read: (): Val => {
        switch (kind) {
          case 'gpr':
            return this.graph.peek(LOAD[width as 64], register(), 0, Reads.State);
          case 'xmm':
            return this.graph.peek('v128.load', register(), 0, Reads.State);
          case 'selector':
            return this.graph.peek('i32.load', register(), 0, Reads.State);
          case 'memory':
            return this.load(width as Width, this.linear(place));
          case 'immediate':
            return this.#recordField(LOAD[width as 64], R.immediate);
          default:
            throw new Error(`${this.facts.operation}: a ${kind} operand cannot be read`);
        }
      },
      write: (value: Val): void => {
        if (kind === 'gpr') this.pokeRegister(register(), 0, width, value);
        else if (kind === 'xmm') this.graph.poke('v128.store', register(), 0, node(value), Reads.State);
        else if (kind === 'memory') this.store(width as Width, this.linear(place), value);
        else throw new Error(`${this.facts.operation}: a ${kind} operand cannot be written`);
      },
      modify: (change: (old: Val) => Val): Val => {
        if (kind === 'memory') return this.modify(width as Width, this.linear(place), change);
        const old = place.read();
        place.write(change(old));
        return old;
      },
      readLow: (type: ValType): Val => {
        if (kind === 'memory') return this.loadTyped(type, this.linear(place));
        return this.graph.peek(`${type}.load`, register(), 0, Reads.State);
      },
      writeLow: (value: Val): void => {
        if (kind === 'memory') this.storeTyped(this.linear(place), value);
        else if (kind === 'gpr') this.pokeRegister(register(), 0, WIDTH_OF[value.type], value);
        else this.graph.poke(`${value.type}.store`, register(), 0, node(value), Reads.State);
      },
      readUpper: (): Val => this.graph.peek('v128.load', register(), 16, Reads.State),
      writeUpper: (value: Val): void => this.graph.poke('v128.store', register(), 16, node(value), Reads.State),
    };
    return place;
  }

  // ---- control transfers
  #linearNext(): Val {
    return this.add(this.state(S.codePage, 'i64'), this.extendU(this.#field16(R.nextOffset)));
  }
  nextIp(): Val {
    if (this.facts.mode === 64) return this.#linearNext();
    return this.and(this.sub(this.#linearNext(), this.state(S.segmentBase + 8, 'i64')), this.i64(0xffff_ffff));
  }
  branch(target: Place, condition?: Val): void {
    const { near } = (target as BoundPlace).shape;
    const { position } = this;
    const take = (): void => {
      const displacement = this.extendS(this.#recordField('i32.load', R.immediate));
      const destination = this.add(this.#linearNext(), displacement);
      const linear = this.facts.mode === 64 ? destination : this.and(destination, this.i64(0xffff_ffff));
      if (near) {
        this.graph.effect([], ({ code }) => this.#writeLinked(code, position), Reads.Everything);
        this.setState(S.rip, linear);
        this.graph.effect([], ({ code }) => this.#writeUnlinked(code, position), Reads.Everything);
      } else
        this.graph.effectWithLocals(
          [node(linear)],
          undefined,
          (writer, [address]) => this.writeJump(writer, position, localOf(writer, address!)),
          Reads.Everything,
        );
    };
    if (condition === undefined) take();
    else this.ifLikely(condition, take, undefined, undefined);
  }
  #writeLinked(code: Code, position: Position): void {
    const link = code.local('i32');
    code.get(P.record);
    code.memory('i32.load', position * RECORD_BYTES + R.link);
    code.tee(link);
    code.i32(0);
    code.op('i32.ne');
    code.get(P.left);
    code.i32(position + 1);
    code.op('i32.gt_s');
    code.op('i32.and');
    code.if(undefined, true);
    code.get(P.state);
    code.get(link);
    this.writeLeftAfter(code, position);
    code.get(P.tlb);
    writeDispatch(code, () => code.get(link));
    code.end();
  }
  #writeUnlinked(code: Code, position: Position): void {
    code.get(P.state);
    this.#writeRecord(code, position);
    code.memory('i32.store', S.exitRecord);
    code.get(P.state);
    this.writeLeftAfter(code, position);
    code.memory('i32.store', S.remaining);
    code.i32(Leave.Link);
    code.i32(Leave.Budget);
    code.get(P.left);
    code.i32(position + 1);
    code.op('i32.gt_s');
    code.select();
    code.return();
  }
  repeat(): void {
    const { position } = this;
    this.graph.effect(
      [],
      ({ code }) => {
        code.get(P.left);
        code.i32(position + 1);
        code.op('i32.gt_s');
        code.if(undefined, true);
        code.get(P.state);
        this.#writeRecord(code, position);
        this.writeLeftAfter(code, position);
        code.get(P.tlb);
        writeDispatch(code, () => this.#writeRecord(code, position));
        code.end();
      },
      Reads.Everything,
    );
    const length = this.extendU(this.#recordField('i32.load8_u', R.length));
    this.setState(S.rip, this.sub(this.#linearNext(), length));
    this.graph.effect(
      [],
      ({ code }) => {
        code.get(P.state);
        this.writeLeftAfter(code, position);
        code.memory('i32.store', S.remaining);
        code.i32(Leave.Budget);
        code.return();
      },
      Reads.Everything,
    );
  }
}

const LOAD = { 8: 'i32.load8_u', 16: 'i32.load16_u', 32: 'i32.load', 64: 'i64.load', 128: 'v128.load' } as const;
