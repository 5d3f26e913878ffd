/** The compiler's binding: operands are constants, general registers and flags live in wasm locals, branches stay inside the function. */
import type { Code } from '../../wasm/index.ts';
import type { Facts, Place, Val, ValType, Width } from '../exec/sem.ts';
import { Gpr } from '../gpr.ts';
import { S } from '../state.ts';
import { writeTlbCheck } from './data-tlb-code.ts';
import { type Block, GraphWriter, Reads, readsRegister } from './graph.ts';
import { P, RegionImport } from './handler-signature.ts';
import { Handler } from './handlers.ts';
import type { AddressShape, OperandShape } from './interpreter-handler.ts';
import { writeDispatch, writeGoTo, writeJumpTag } from './jump-code.ts';
import { ENTERED, LEADS_ON, Leave, R } from './record.ts';
import { branchTarget, type RegionBlock, type RegionInstruction } from './region-block.ts';
import { type Loop, RegionLayout } from './region-layout.ts';
import { RegionMemory } from './region-memory.ts';
import { node, type Position } from './sem-builder.ts';
import { QUICK_ENTRIES, READ_TAG } from './tlb.ts';

interface BoundPlace extends Place {
  readonly shape: OperandShape;
}

const PAGE_BYTES = 4096;
/** what makes the address of an access without operand */
const TOP_OF_STACK = { base: S.gpr + Gpr.Rsp * 8, index: S.zero };
const WIDTH_OF: Record<ValType, Width> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };
const NO_FACTS: Facts = { operation: '', condition: -1, operandSize: 64, mode: 64, addressSize: 64, rep: 'none' };

export class RegionBuilder extends RegionMemory {
  readonly #layout: RegionLayout;
  /** quick entries by base and index register of the accesses that have them */
  readonly #quickEntries = new Map<number, number>();
  /** the address of the current instruction's memory operand */
  #operandLinear: Val | undefined;
  readonly #registerLocal: number[] = new Array(16).fill(-1);
  readonly #registerWritten: boolean[] = new Array(16).fill(false);
  #flagsResultLocal = -1;
  #flagsAuxLocal = -1;
  #flagsWritten = false;
  readonly #codePage = this.code.local('i64');
  /** block to go to from where blocks are told apart at run time */
  readonly #next = this.code.local('i32');
  /** where the three exits go on: page offset, or linear address */
  readonly #exitOffset = this.code.local('i32');
  readonly #exitTarget = this.code.local('i64');
  #interpretDepth = 0;
  #budgetDepth = 0;
  #jumpDepth = 0;
  #farJumpDepth = 0;
  #hasFarJumps = false;
  readonly #labelDepth: number[] = [];
  readonly #loopDepth: number[] = [];
  #blockIndex = 0;
  #current!: RegionInstruction;
  /** instructions of the block before each position */
  readonly #sites: { readonly pageOffset: number; readonly before: number }[] = [];

  constructor(blocks: readonly RegionBlock[]) {
    super(NO_FACTS);
    this.#layout = new RegionLayout(blocks);
  }

  build(): Code {
    const recorded = this.#layout.blocks.map((block, i) => this.#record(block, i));
    const { code } = this;
    const writer = new GraphWriter(code);
    this.#writePrologue(code);
    code.block();
    this.#interpretDepth = code.depth;
    code.block();
    this.#budgetDepth = code.depth;
    code.block();
    this.#jumpDepth = code.depth;
    if (this.#hasFarJumps) code.block();
    this.#farJumpDepth = code.depth;
    this.#writeLevel(writer, recorded, undefined);
    code.unreachable();
    code.end();
    if (this.#hasFarJumps) {
      this.#writeFarJump(code);
      code.end();
    }
    this.#writeJumpExit(code);
    code.end();
    this.#writeBudgetExit(code);
    code.end();
    this.#writeInterpretExit(code);
    return code;
  }

  #record(block: RegionBlock, index: number): Block {
    this.graph.block = [];
    this.#blockIndex = index;
    this.forgetFlags();
    this.near.begin();
    block.instructions.forEach((instruction, before) => {
      this.#current = instruction;
      this.facts = instruction.facts;
      this.position = this.#sites.length;
      this.#sites.push({ pageOffset: instruction.pageOffset, before });
      if (instruction.operation === undefined) this.leave();
      else instruction.operation.emit!(this, ...instruction.shapes.map((shape) => this.#place(shape)));
    });
    const { next } = block;
    const count = block.instructions.length;
    if (next >= 0)
      this.graph.effect(
        [],
        ({ code }) => {
          const target = this.#layout.blockAt(next);
          if (target === undefined && next < PAGE_BYTES) {
            this.#writeInterpretFrom(code, next, count);
            return;
          }
          this.#writeLeftLess(code, count);
          code.set(P.left);
          if (target !== undefined) this.#writeBranchTo(code, target, index);
          else this.#writeIntoNextPage(code, next);
        },
        Reads.Everything,
      );
    this.graph.change(Reads.Everything);
    return this.graph.block;
  }

  // ---- blocks and loops

  /** The blocks of a loop, or of the whole function, with a label for each that branches go forward to. */
  #writeLevel(writer: GraphWriter, recorded: readonly Block[], loop: Loop | undefined): void {
    const { code } = writer;
    const first = loop?.header ?? 0;
    const last = loop?.last ?? this.#layout.blocks.length - 1;
    const items: (number | Loop)[] = [];
    for (let i = first; i <= last; ) {
      const inner = i === loop?.header ? undefined : this.#layout.loopOf(i);
      items.push(inner ?? i);
      i = inner === undefined ? i + 1 : inner.last + 1;
    }
    const unlabelled = loop === undefined ? 0 : 1;
    for (let k = items.length - 1; k >= unlabelled; k--) {
      code.block();
      this.#labelDepth[firstOf(items[k]!)] = code.depth;
    }
    if (items.length > unlabelled && this.#layout.blocks.length > 1)
      this.#writeLevelEntry(code, items, first, last, loop);
    items.forEach((item, k) => {
      if (k >= unlabelled) code.end();
      if (typeof item !== 'number') {
        code.loop();
        this.#loopDepth[item.header] = code.depth;
        this.#writeLevel(writer, recorded, item);
        code.unreachable();
        code.end();
        return;
      }
      this.#blockIndex = item;
      const mark = code.markLocals();
      writer.write(recorded[item]!);
      code.releaseLocals(mark);
    });
  }

  /** Goes to the block that `next` names; in a loop that is nearly always its header, which stands first. */
  #writeLevelEntry(code: Code, items: readonly (number | Loop)[], first: number, last: number, loop?: Loop): void {
    const depths: number[] = [];
    for (const item of items) {
      const end = typeof item === 'number' ? item : item.last;
      for (let i = firstOf(item); i <= end; i++) depths.push(this.#labelDepth[firstOf(item)] ?? 0);
    }
    code.get(this.#next);
    if (loop !== undefined) {
      code.i32(loop.header);
      code.op('i32.ne');
      code.if(undefined, false);
      code.get(this.#next);
      depths[0] = depths[1]!;
    }
    if (first > 0) {
      code.i32(first);
      code.op('i32.sub');
    }
    code.brTable(depths, depths[last - first]!);
    if (loop !== undefined) code.end();
  }

  /** The instructions of this block are counted already. */
  #writeBranchTo(code: Code, target: number, from: number): void {
    const entered = this.#layout.outermostEntered(target, from);
    const header = entered?.header ?? target;
    if (this.#layout.loopOf(header) !== undefined && this.#layout.blocks.length > 1) {
      code.i32(target);
      code.set(this.#next);
    }
    code.brTo(target <= from ? this.#loopDepth[target]! : this.#labelDepth[header]!);
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
    if (this.#layout.blocks.length > 1) {
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

  /** The interpreter goes on at the instruction of a position, of which nothing is done. */
  override writeInterpret(code: Code, position: Position): void {
    const { pageOffset, before } = this.#sites[position]!;
    this.#writeInterpretFrom(code, pageOffset, before);
  }

  #writeInterpretFrom(code: Code, pageOffset: number, count: number): void {
    this.#writeLeftLess(code, count);
    code.set(P.left);
    code.i32(pageOffset);
    code.set(this.#exitOffset);
    code.brTo(this.#interpretDepth);
  }

  /** The record at the exit's page offset, behind block heads; the host decodes it if there is none. */
  #writeInterpretExit(code: Code): void {
    const record = code.local('i32');
    this.#writeSpill(code);
    code.get(P.record);
    code.memory('i32.load', R.table);
    code.get(this.#exitOffset);
    code.i32(2);
    code.op('i32.shl');
    code.op('i32.add');
    code.memory('i32.load', 0);
    code.i32(~ENTERED);
    code.op('i32.and');
    code.set(record);
    code.loop();
    code.get(record);
    code.if(undefined, true);
    code.get(record);
    code.memory('i32.load8_u', R.scaleShift);
    code.i32(LEADS_ON);
    code.op('i32.eq');
    code.if();
    code.get(record);
    code.memory('i32.load', R.link);
    code.set(record);
    code.br(2);
    code.end();
    code.get(P.state);
    code.get(record);
    code.get(P.left);
    code.get(P.tlb);
    writeDispatch(code, () => code.get(record));
    code.end();
    code.end();
    this.#writeLeaveAtOffset(code, Leave.Interpret);
  }

  #writeBudgetExit(code: Code): void {
    this.#writeSpill(code);
    this.#writeLeaveAtOffset(code, Leave.Budget);
    code.return();
  }

  #writeLeaveAtOffset(code: Code, reason: number): void {
    code.get(P.state);
    code.get(this.#codePage);
    code.get(this.#exitOffset);
    code.op('i64.extend_i32_u');
    code.op('i64.add');
    code.memory('i64.store', S.rip);
    code.get(P.state);
    code.get(P.left);
    code.memory('i32.store', S.remaining);
    code.i32(reason);
  }

  #writeJumpExit(code: Code): void {
    this.#writeSpill(code);
    for (const value of [P.state, this.#exitTarget, P.left, P.tlb]) code.get(value);
    code.returnCall(RegionImport.goTo);
  }

  /** A JMP to another page. What the kernel has there mostly is a RET alone, which then is done here, by the entry that GoTo has made for it. */
  #writeFarJump(code: Code): void {
    const entry = code.local('i32');
    const stack = this.#local(Gpr.Rsp);
    writeJumpTag(code, this.#exitTarget, entry);
    code.get(this.#exitTarget);
    code.op('i64.eq');
    code.get(entry);
    code.memory('i32.load', R.handler);
    code.i32(Handler.Return);
    code.op('i32.eq');
    code.op('i32.and');
    this.#writeBudgetIsLeft(code);
    code.op('i32.and');
    code.if(undefined, true);
    writeTlbCheck(code, stack, 8, READ_TAG, entry);
    code.memory('i64.load', 0);
    code.set(this.#exitTarget);
    code.get(stack);
    code.i64(8n);
    code.op('i64.add');
    code.set(stack);
    this.#writeLeftLess(code, 1);
    code.set(P.left);
    code.end();
    code.end();
  }

  #writeIntoNextPage(code: Code, pageOffset: number): void {
    code.get(this.#codePage);
    code.i64(BigInt(pageOffset));
    code.op('i64.add');
    code.set(this.#exitTarget);
    this.#writeSpill(code);
    writeGoTo(code, { linear: this.#exitTarget, left: P.left, endsBudget: false });
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

  /** Accesses in loops have quick entries, by the registers that make the address. */
  override quickEntry(linear: Val): number {
    if (this.#layout.loopAround(this.#blockIndex) === undefined) return -1;
    const { base, index } = linear === this.#operandLinear ? this.#current : TOP_OF_STACK;
    const key = base * 0x1_0000 + index;
    const entry = this.#quickEntries.get(key) ?? this.#quickEntries.size % QUICK_ENTRIES;
    this.#quickEntries.set(key, entry);
    return entry;
  }

  // ---- registers

  #local(register: number): number {
    if (this.#registerLocal[register]! < 0) this.#registerLocal[register] = this.code.local('i64');
    return this.#registerLocal[register]!;
  }
  override gpr(register: number, width: 8 | 16 | 32 | 64): Val {
    const local = this.#local(register);
    const whole = this.graph.node('i64', [], (code) => code.get(local), readsRegister(register));
    this.near.read(register, whole);
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
    this.near.write(register, width === 64 ? value : undefined);
    this.graph.effect([node(whole)], ({ code }) => code.set(local), readsRegister(register));
  }
  override state(offset: number, type: 'i32' | 'i64' | 'v128'): Val {
    if (offset < S.gpr + 128 && type === 'i64') return this.gpr((offset - S.gpr) >> 3, 64);
    return super.state(offset, type);
  }
  override setState(offset: number, value: Val): void {
    if (offset < S.gpr + 128) this.setGpr((offset - S.gpr) >> 3, 64, value);
    else {
      super.setState(offset, value);
      if (offset >= S.segmentBase && offset < S.segmentBase + 6 * 8) this.near.forget();
    }
  }

  // ---- values of which is known how far they are apart

  override add(a: Val, b: Val): Val {
    const sum = super.add(a, b);
    const { constant } = node(b);
    if (sum !== a && typeof constant === 'bigint') this.near.add(sum, a, Number(constant));
    return sum;
  }
  override sub(a: Val, b: Val): Val {
    const difference = super.sub(a, b);
    const { constant } = node(b);
    if (typeof constant === 'bigint') this.near.add(difference, a, -Number(constant));
    return difference;
  }
  override ifLikely(condition: Val, then: () => void, otherwise?: () => void, likely?: boolean): void {
    const { known } = this.near;
    const whenTrue = (): void => {
      then();
      this.near.backTo(known);
    };
    super.ifLikely(condition, whenTrue, otherwise, likely);
    this.near.backTo(known);
  }
  override loop(body: (stop: () => void) => void): void {
    this.near.begin();
    super.loop(body);
    this.near.begin();
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
    this.near.codePage(page);
    return this.#plus(page, offset);
  }
  override effectiveAddress(place: Place): Val {
    return this.#offset(this.#current, (place as BoundPlace).shape.address);
  }
  override linear(place: Place): Val {
    this.#operandLinear = this.#linear(place);
    return this.#operandLinear;
  }
  #linear(place: Place): Val {
    const { address } = (place as BoundPlace).shape;
    const offset = this.#offset(this.#current, address);
    if (address === 'b' || address === 'r') return offset;
    // ES, CS, SS and DS have no base in 64-bit mode
    if (this.#current.segment < S.segmentBase + 4 * 8) return offset;
    const linear = this.add(offset, this.state(this.#current.segment, 'i64'));
    this.near.addSegmentBase(linear, offset, (this.#current.segment - S.segmentBase) >> 3);
    return linear;
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
    const { position } = this;
    const destination = branchTarget(this.#current);
    const block = (target as BoundPlace).shape.near ? this.#layout.blockAt(destination) : undefined;
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
          code.i32(destination);
          code.set(this.#exitOffset);
          code.brTo(this.#budgetDepth);
          code.end();
          this.#writeBranchTo(code, block, from);
        },
        Reads.Everything,
      );
    };
    if (condition === undefined) take();
    else this.ifLikely(condition, take, undefined, undefined);
  }
  override jump(target: Val): void {
    const { position } = this;
    const { operation } = this.facts;
    const from = this.#blockIndex;
    const isFar = operation === 'JMP' && this.#current.shapes[0]!.kind === 'relative';
    if (isFar) {
      this.#hasFarJumps = true;
      this.#local(Gpr.Rsp);
      this.#registerWritten[Gpr.Rsp] = true;
    }
    this.graph.effect(
      [node(target)],
      ({ code }) => {
        code.set(this.#exitTarget);
        this.writeLeftAfter(code, position);
        code.set(P.left);
        if (operation === 'RET') for (const site of this.#layout.returnSites) this.#writeReturnTo(code, site, from);
        if (isFar) code.brTo(this.#farJumpDepth);
        if (operation === 'JMP') this.#writeJumpInLoop(code, from);
        code.brTo(this.#jumpDepth);
      },
      Reads.Everything,
    );
  }

  /** Goes on in the region if the exit's target is the block's first instruction and the budget is not spent. */
  #writeReturnTo(code: Code, block: number, from: number): void {
    code.get(this.#exitTarget);
    code.get(this.#codePage);
    code.i64(BigInt(this.#layout.blocks[block]!.pageOffset));
    code.op('i64.add');
    code.op('i64.eq');
    this.#writeBudgetIsLeft(code);
    code.op('i32.and');
    code.if(undefined, true);
    this.#writeBranchTo(code, block, from);
    code.end();
  }

  /** A switch in a loop: goes on in the region if the head at the exit's target is one of the region, and in the same loop. */
  #writeJumpInLoop(code: Code, from: number): void {
    const loop = this.#layout.loopAround(from);
    if (loop === undefined) return;
    const offset = code.local('i64');
    const head = code.local('i32');
    code.get(this.#exitTarget);
    code.get(this.#codePage);
    code.op('i64.sub');
    code.tee(offset);
    code.i64(BigInt(PAGE_BYTES));
    code.op('i64.lt_u');
    this.#writeBudgetIsLeft(code);
    code.op('i32.and');
    code.if(undefined, true);
    code.get(P.record);
    code.memory('i32.load', R.table);
    code.get(offset);
    code.op('i32.wrap_i64');
    code.i32(2);
    code.op('i32.shl');
    code.op('i32.add');
    code.memory('i32.load', 0);
    code.tee(head);
    code.i32(ENTERED);
    code.op('i32.and');
    code.if(undefined, true);
    code.get(head);
    code.i32(ENTERED);
    code.op('i32.xor');
    code.tee(head);
    code.memory('i32.load', R.handler);
    code.get(P.record);
    code.memory('i32.load', R.handler);
    code.op('i32.eq');
    code.if(undefined, true);
    code.get(head);
    code.memory('i32.load', R.displacement);
    code.tee(this.#next);
    code.i32(loop.header);
    code.op('i32.sub');
    code.i32(loop.last - loop.header);
    code.op('i32.le_u');
    code.if(undefined, true);
    code.brTo(this.#loopDepth[loop.header]!);
    code.end();
    code.end();
    code.end();
    code.end();
  }

  #writeBudgetIsLeft(code: Code): void {
    code.get(P.left);
    code.i32(0);
    code.op('i32.gt_s');
  }
}

const firstOf = (item: number | Loop): number => (typeof item === 'number' ? item : item.header);
