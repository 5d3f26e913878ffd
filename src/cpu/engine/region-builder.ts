/** The compiler's binding: operands are constants, general registers and flags live in wasm locals, branches stay inside the function. */
import type { Code } from '../../wasm/index.ts';
import type { Facts, Operation, Place, Val, ValType, Width } from '../exec/sem.ts';
import { S } from '../state.ts';
import { type Block, GraphWriter, Reads, readsRegister } from './graph.ts';
import type { AddressShape, OperandShape } from './interpreter-handler.ts';
import { Leave, R } from './record.ts';
import { localOf, node, P, type Position, SemBuilder, writeDispatch } from './sem-builder.ts';

/** What the records hold at run time, known when a region is compiled. */
export interface RegionInstruction {
  /** record of the same instruction, for the interpreter to go on at */
  readonly record: number;
  readonly pageOffset: number;
  readonly length: number;
  /** undefined: the interpreter executes it */
  readonly operation: Operation | undefined;
  readonly facts: Facts;
  readonly shapes: readonly OperandShape[];
  /** state offsets of register operands, by slot */
  readonly registers: readonly number[];
  readonly base: number;
  readonly index: number;
  readonly scaleShift: number;
  readonly segment: number;
  readonly displacement: number;
  readonly immediate: bigint;
}

export interface RegionBlock {
  readonly pageOffset: number;
  readonly instructions: readonly RegionInstruction[];
  /** block that follows when the last instruction does not go elsewhere; undefined: the interpreter goes on at `fallRecord` */
  readonly fallsInto: number | undefined;
  readonly fallRecord: number;
}

interface BoundPlace extends Place {
  readonly shape: OperandShape;
}

const WIDTH_OF: Record<ValType, Width> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };
const NO_FACTS: Facts = { operation: '', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' };

export class RegionBuilder extends SemBuilder {
  readonly #blocks: readonly RegionBlock[];
  /** block index by page offset */
  readonly #blockAt: ReadonlyMap<number, number>;
  readonly #registerLocal: number[] = new Array(16).fill(-1);
  readonly #registerWritten: boolean[] = new Array(16).fill(false);
  #flagsResultLocal = -1;
  #flagsAuxLocal = -1;
  #flagsWritten = false;
  readonly #codePage = this.code.local('i64');
  readonly #next = this.code.local('i32');
  readonly #reason = this.code.local('i32');
  readonly #outcome = this.code.local('i32');
  readonly #changed = this.code.local('i32');
  #exitDepth = 0;
  #loopDepth = 0;
  readonly #labelDepth: number[] = [];
  #blockIndex = 0;
  #current!: RegionInstruction;
  /** instructions of the block before each position */
  readonly #sites: { readonly record: number; readonly before: number; readonly next: number }[] = [];

  constructor(blocks: readonly RegionBlock[]) {
    super(NO_FACTS);
    this.#blocks = blocks;
    this.#blockAt = new Map(blocks.map((block, i) => [block.pageOffset, i]));
  }

  build(): Code {
    const recorded = this.#blocks.map((block, i) => this.#record(block, i));
    const { code } = this;
    const writer = new GraphWriter(code);
    this.#writePrologue(code);
    code.block();
    this.#exitDepth = code.depth;
    code.loop();
    this.#loopDepth = code.depth;
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      code.block();
      this.#labelDepth[i] = code.depth;
    }
    if (this.#blocks.length > 1) {
      code.get(this.#next);
      code.brTable(this.#labelDepth, this.#labelDepth[0]!);
    }
    recorded.forEach((block, i) => {
      code.end();
      this.#blockIndex = i;
      writer.write(block);
    });
    code.unreachable();
    code.end();
    code.end();
    this.#writeSpill(code);
    code.get(this.#reason);
    return code;
  }

  #record(block: RegionBlock, index: number): Block {
    this.graph.block = [];
    this.#blockIndex = index;
    block.instructions.forEach((instruction, before) => {
      this.#current = instruction;
      this.facts = instruction.facts;
      this.position = this.#sites.length;
      const next = instruction.pageOffset + instruction.length;
      this.#sites.push({ record: instruction.record, before, next });
      if (instruction.operation === undefined) {
        this.#goOnAt(instruction.record, before);
        return;
      }
      this.#stores = false;
      instruction.operation.emit!(this, ...instruction.shapes.map((shape) => this.#place(shape)));
      if (this.#stores) this.#leaveIfChanged();
    });
    const count = block.instructions.length;
    if (block.fallsInto === undefined) this.#goOnAt(block.fallRecord, count);
    else {
      const target = block.fallsInto;
      this.graph.effect(
        [],
        ({ code }) => {
          this.#writeLeftLess(code, count);
          code.set(P.left);
          this.#writeBranchTo(code, target, index);
        },
        Reads.Everything,
      );
    }
    this.graph.change(Reads.Everything);
    return this.graph.block;
  }

  // ---- entering and leaving

  #writePrologue(code: Code): void {
    this.#registerLocal.forEach((local, register) => {
      if (local < 0) return;
      code.get(P.state);
      code.memory('i64.load', S.gpr + register * 8);
      code.set(local);
    });
    if (this.#flagsResultLocal >= 0) {
      code.get(P.state);
      code.memory('i64.load', S.flagsResult);
      code.set(this.#flagsResultLocal);
      code.get(P.state);
      code.memory('i32.load', S.flagsAux);
      code.set(this.#flagsAuxLocal);
    }
    code.get(P.state);
    code.memory('i64.load', S.codePage);
    code.set(this.#codePage);
    if (this.#blocks.length > 1) {
      code.get(P.record);
      code.memory('i32.load', R.displacement);
      code.set(this.#next);
    }
  }

  #writeSpill(code: Code): void {
    this.#registerLocal.forEach((local, register) => {
      if (!this.#registerWritten[register]) return;
      code.get(P.state);
      code.get(local);
      code.memory('i64.store', S.gpr + register * 8);
    });
    if (!this.#flagsWritten) return;
    code.get(P.state);
    code.get(this.#flagsResultLocal);
    code.memory('i64.store', S.flagsResult);
    code.get(P.state);
    code.get(this.#flagsAuxLocal);
    code.memory('i32.store', S.flagsAux);
  }

  /** The interpreter goes on at a record; `count` instructions of the block are done. */
  #goOnAt(record: number, count: number): void {
    this.graph.effect([], ({ code }) => this.#writeGoOnAt(code, record, count), Reads.Everything);
  }

  #writeGoOnAt(code: Code, record: number, count: number): void {
    this.#writeSpill(code);
    code.get(P.state);
    code.i32(record);
    this.#writeLeftLess(code, count);
    code.get(P.tlb);
    writeDispatch(code, () => code.i32(record));
  }

  override writeLeave(code: Code, reason: number): void {
    code.i32(reason);
    code.set(this.#reason);
    code.brTo(this.#exitDepth);
  }

  override writePosition(code: Code, position: Position): void {
    const site = this.#sites[position]!;
    code.get(P.state);
    code.i32(site.record);
    code.memory('i32.store', S.exitRecord);
    code.get(P.state);
    this.#writeLeftLess(code, site.before);
    code.memory('i32.store', S.remaining);
  }

  #writeLeftLess(code: Code, instructions: number): void {
    code.get(P.left);
    if (instructions === 0) return;
    code.i32(instructions);
    code.op('i32.sub');
  }

  override writeLeftAfter(code: Code, position: Position): void {
    this.#writeLeftLess(code, this.#sites[position]!.before + 1);
  }

  override left(): Val {
    const { before } = this.#sites[this.position]!;
    const left = this.graph.node('i32', [], (code) => code.get(P.left), Reads.Variables);
    return before === 0 ? left : this.sub(left, this.i32(before));
  }

  // ---- stores into code

  #stores = false;
  override writeStoreOutcome(code: Code): void {
    code.tee(this.#outcome);
    code.op('i32.eqz');
    code.if(undefined, false);
    this.writeLeave(code, Leave.Fault);
    code.end();
    this.#writeNoteChange(code);
  }
  override writeModifyOutcome(code: Code): void {
    code.set(this.#outcome);
    this.#writeNoteChange(code);
  }
  #writeNoteChange(code: Code): void {
    code.get(this.#changed);
    code.get(this.#outcome);
    code.i32(2);
    code.op('i32.and');
    code.op('i32.or');
    code.set(this.#changed);
  }
  override store(width: Width, linear: Val, value: Val): void {
    this.#stores = true;
    super.store(width, linear, value);
  }
  override storeTyped(linear: Val, value: Val): void {
    this.#stores = true;
    super.storeTyped(linear, value);
  }
  override storePair(linear: Val, lower: Val, upper: Val): void {
    this.#stores = true;
    super.storePair(linear, lower, upper);
  }
  override modify(width: Width, linear: Val, change: (old: Val) => Val): Val {
    this.#stores = true;
    return super.modify(width, linear, change);
  }
  /** After an instruction that stored: if decoded code has changed, this function may be about it. */
  #leaveIfChanged(): void {
    const { position } = this;
    this.graph.effect(
      [],
      ({ code }) => {
        const { before, next } = this.#sites[position]!;
        code.get(this.#changed);
        code.if(undefined, false);
        this.#writeRip(code, next);
        code.get(P.state);
        this.#writeLeftLess(code, before + 1);
        code.memory('i32.store', S.remaining);
        this.writeLeave(code, Leave.Continue);
        code.end();
      },
      Reads.Everything,
    );
  }

  #writeRip(code: Code, pageOffset: number): void {
    code.get(P.state);
    code.get(this.#codePage);
    code.i64(BigInt(pageOffset));
    code.op('i64.add');
    code.memory('i64.store', S.rip);
  }

  // ---- registers

  #local(register: number): number {
    if (this.#registerLocal[register]! < 0) this.#registerLocal[register] = this.code.local('i64');
    return this.#registerLocal[register]!;
  }
  override gpr(register: number, width: 8 | 16 | 32 | 64): Val {
    const local = this.#local(register);
    const whole = this.graph.node('i64', [], (code) => code.get(local), readsRegister(register));
    if (width === 64) return whole;
    const low = this.wrap(whole);
    return width === 32 ? low : this.zeroExtend(low, width);
  }
  override setGpr(register: number, width: 8 | 16 | 32 | 64, value: Val): void {
    const local = this.#local(register);
    this.#registerWritten[register] = true;
    let whole = value;
    if (width === 32) whole = this.extendU(value);
    else if (width < 32) {
      const mask = (1n << BigInt(width)) - 1n;
      whole = this.or(
        this.and(this.gpr(register, 64), this.i64(~mask)),
        this.and(this.extendU(this.wrap(value)), this.i64(mask)),
      );
    }
    this.graph.effect([node(whole)], ({ code }) => code.set(local), readsRegister(register));
  }
  override state(offset: number, type: 'i32' | 'i64' | 'v128'): Val {
    if (offset < S.gpr + 128 && type === 'i64') return this.gpr((offset - S.gpr) >> 3, 64);
    return super.state(offset, type);
  }
  override setState(offset: number, value: Val): void {
    if (offset < S.gpr + 128) this.setGpr((offset - S.gpr) >> 3, 64, value);
    else super.setState(offset, value);
  }

  override readFlagsResult(): Val {
    this.#flagLocals();
    return this.graph.node('i64', [], (code) => code.get(this.#flagsResultLocal), Reads.Flags);
  }
  override readFlagsAux(): Val {
    this.#flagLocals();
    return this.graph.node('i32', [], (code) => code.get(this.#flagsAuxLocal), Reads.Flags);
  }
  override writeFlags(result: Val | undefined, aux: Val): void {
    this.#flagLocals();
    this.#flagsWritten = true;
    if (result !== undefined)
      this.graph.effect([node(result)], ({ code }) => code.set(this.#flagsResultLocal), Reads.Flags);
    this.graph.effect([node(aux)], ({ code }) => code.set(this.#flagsAuxLocal), Reads.Flags);
  }
  #flagLocals(): void {
    if (this.#flagsResultLocal >= 0) return;
    this.#flagsResultLocal = this.code.local('i64');
    this.#flagsAuxLocal = this.code.local('i32');
  }

  // ---- operands

  #stateRegister(offset: number): Val {
    return offset === S.zero ? this.i64(0) : this.gpr((offset - S.gpr) >> 3, 64);
  }
  #offset(instruction: RegionInstruction, address: AddressShape): Val {
    if (address === 'o') return this.i64(instruction.immediate);
    if (address === 'r' || address === 's' || address === 't') {
      const relative = this.#codePagePlus(instruction.pageOffset + instruction.length + instruction.displacement);
      return address === 't' ? this.and(relative, this.i64(0xffff_ffff)) : relative;
    }
    let offset = this.#plus(this.#stateRegister(instruction.base), instruction.displacement);
    if (instruction.base === S.zero) offset = this.i64(instruction.displacement);
    if (instruction.index !== S.zero)
      offset = this.add(offset, this.shl(this.#stateRegister(instruction.index), instruction.scaleShift));
    return address === 'b' || address === 'x' ? offset : this.and(offset, this.i64(0xffff_ffff));
  }
  #plus(value: Val, constant: number): Val {
    return constant === 0 ? value : this.add(value, this.i64(constant));
  }
  #codePagePlus(offset: number): Val {
    const page = this.graph.node('i64', [], (code) => code.get(this.#codePage));
    return this.#plus(page, offset);
  }
  override effectiveAddress(place: Place): Val {
    return this.#offset(this.#current, (place as BoundPlace).shape.address);
  }
  override linear(place: Place): Val {
    const { address } = (place as BoundPlace).shape;
    const offset = this.#offset(this.#current, address);
    if (address === 'b' || address === 'r') return offset;
    // ES, CS, SS and DS have no base in 64-bit mode
    if (this.#current.segment < S.segmentBase + 4 * 8) return offset;
    return this.add(offset, this.state(this.#current.segment, 'i64'));
  }

  #place(shape: OperandShape): BoundPlace {
    const { kind, width, slot } = shape;
    const instruction = this.#current;
    const offset = instruction.registers[slot]!;
    const register = (offset - S.gpr) >> 3;
    const highByte = kind === 'gpr' && ((offset - S.gpr) & 7) === 1;
    const readGpr = (bits: number): Val => {
      if (highByte) return this.and(this.shrU(this.gpr(register, 32), 8), this.i32(0xff));
      return this.gpr(register, bits as 64);
    };
    const writeGpr = (bits: number, value: Val): void => {
      if (!highByte) {
        this.setGpr(register, bits as 64, value);
        return;
      }
      const byte = this.shl(this.extendU(this.and(this.wrap(value), this.i32(0xff))), 8);
      this.setGpr(register, 64, this.or(this.and(this.gpr(register, 64), this.i64(~0xff00n)), byte));
    };
    const place: BoundPlace = {
      kind,
      width,
      shape,
      read: (): Val => {
        switch (kind) {
          case 'gpr':
            return readGpr(width);
          case 'xmm':
            return this.graph.peek('v128.load', this.stateNode, offset, Reads.State);
          case 'selector':
            return this.state(offset, 'i32');
          case 'memory':
            return this.load(width as Width, this.linear(place));
          case 'immediate': {
            const bits = BigInt.asUintN(width, instruction.immediate);
            return width === 64 ? this.i64(bits) : this.i32(Number(BigInt.asIntN(32, bits)));
          }
          default:
            throw new Error(`${this.facts.operation}: a ${kind} operand cannot be read`);
        }
      },
      write: (value: Val): void => {
        if (kind === 'gpr') writeGpr(width, value);
        else if (kind === 'xmm') this.graph.poke('v128.store', this.stateNode, offset, node(value), Reads.State);
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
        if (kind === 'xmm') return this.graph.peek(`${type}.load`, this.stateNode, offset, Reads.State);
        return type === 'i32' || type === 'i64'
          ? this.gpr(register, WIDTH_OF[type] as 64)
          : this.#floatOfGpr(register, type);
      },
      writeLow: (value: Val): void => {
        if (kind === 'memory') this.storeTyped(this.linear(place), value);
        else if (kind === 'gpr') writeGpr(WIDTH_OF[value.type], value);
        else this.graph.poke(`${value.type}.store`, this.stateNode, offset, node(value), Reads.State);
      },
      readUpper: (): Val => this.graph.peek('v128.load', this.stateNode, offset + 16, Reads.State),
      writeUpper: (value: Val): void =>
        this.graph.poke('v128.store', this.stateNode, offset + 16, node(value), Reads.State),
    };
    return place;
  }
  #floatOfGpr(register: number, type: ValType): Val {
    return type === 'f64'
      ? this.op('f64.reinterpret_i64', this.gpr(register, 64))
      : this.op('f32.reinterpret_i32', this.gpr(register, 32));
  }

  // ---- control transfers

  override nextIp(): Val {
    return this.#codePagePlus(this.#current.pageOffset + this.#current.length);
  }
  override branch(target: Place, condition?: Val): void {
    const { near } = (target as BoundPlace).shape;
    const { position } = this;
    const instruction = this.#current;
    const destination = instruction.pageOffset + instruction.length + Number(BigInt.asIntN(32, instruction.immediate));
    const block = near ? this.#blockAt.get(destination) : undefined;
    const from = this.#blockIndex;
    const take = (): void => {
      if (block === undefined) {
        this.jump(this.#codePagePlus(destination));
        return;
      }
      this.graph.effect(
        [],
        ({ code }) => {
          this.writeLeftAfter(code, position);
          code.tee(P.left);
          code.i32(0);
          code.op('i32.le_s');
          code.if(undefined, false);
          this.#writeRip(code, destination);
          code.get(P.state);
          code.get(P.left);
          code.memory('i32.store', S.remaining);
          this.writeLeave(code, Leave.Budget);
          code.end();
          this.#writeBranchTo(code, block, from);
        },
        Reads.Everything,
      );
    };
    if (condition === undefined) take();
    else this.ifLikely(condition, take, undefined, undefined);
  }
  #writeBranchTo(code: Code, block: number, from: number): void {
    if (block > from) {
      code.brTo(this.#labelDepth[block]!);
      return;
    }
    if (this.#blocks.length > 1) {
      code.i32(block);
      code.set(this.#next);
    }
    code.brTo(this.#loopDepth);
  }
  override jump(target: Val): void {
    const { position } = this;
    this.graph.effectWithLocals(
      [node(target)],
      undefined,
      (writer, [address]) => {
        const local = localOf(writer, address!);
        this.#writeSpill(writer.code);
        this.writeJump(writer, position, local);
      },
      Reads.Everything,
    );
  }
  override repeat(): void {
    throw new Error('broken invariant: a repeating instruction was compiled');
  }
}
