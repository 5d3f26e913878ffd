/**
 * Guest memory as compiled regions reach it: the TLB inline, and no call at all. An access that misses leaves to the interpreter, which executes the
 * instruction from its start; so a region keeps its registers in machine registers, and never has to ask whether it still stands for what the page holds.
 */
import type { Code, MemoryOp, WasmType } from '../../wasm/index.ts';
import type { Facts, Val, Width } from '../exec/sem.ts';
import { writeEntryTag, writeHostAddress, writeLastPage } from './data-tlb-code.ts';
import { type Node, Reads } from './graph.ts';
import { P, RegionImport } from './handler-signature.ts';
import { type Leader, NearAccesses, type Nearness } from './near-accesses.ts';
import { LOAD, localOf, node, type Position, SemBuilder, STORE } from './sem-builder.ts';
import { ADDEND, DATA_TLB_ENTRY_BYTES, QUICK_OFFSET, READ_TAG, WRITE_TAG } from './tlb.ts';

const PAGE_BYTES = 4096;
const NOT_NEAR: Partial<Nearness> = {};

interface Way {
  readonly position: Position;
  /** quick entry; -1: none */
  readonly quick: number;
  readonly nearness: Nearness | undefined;
  readonly tagOffset: number;
}

export abstract class RegionMemory extends SemBuilder {
  protected readonly near = new NearAccesses();
  readonly #entry: number;

  constructor(facts: Facts) {
    super(facts, RegionImport.dispatch);
    this.#entry = this.code.local('i32');
  }

  /** Gives the instruction at a position to the interpreter. */
  abstract writeInterpret(code: Code, position: Position): void;

  /** Which quick entry of the TLB the access that is being recorded has; -1: none. */
  abstract quickEntry(linear: Val): number;

  leave(): void {
    const { position } = this;
    this.graph.effect([], ({ code }) => this.writeInterpret(code, position), Reads.Everything);
  }

  override raise(): void {
    this.leave();
  }

  /** How an access finds its page, as far as that is known when it is recorded. */
  #way(linear: Val, tagOffset: number): Way {
    return {
      position: this.position,
      quick: this.quickEntry(linear),
      nearness: this.near.access(linear, tagOffset),
      tagOffset,
    };
  }

  /** Leaves on a TLB miss, else pushes an address; the host address is so many bytes behind it as the result says. */
  #writeTranslation(code: Code, way: Way, linear: number, bytes: number): number {
    const { leader, distance } = way.nearness ?? NOT_NEAR;
    if (distance !== undefined) return this.#writeNear(code, way, leader!, distance, linear, bytes);
    this.#writeFound(code, way, linear, bytes);
    if (leader?.isFollowed === true) {
      leader.host = code.local('i32');
      leader.inPage = code.local('i32');
      code.tee(leader.host);
      writeOffsetInPage(code, linear);
      code.set(leader.inPage);
    }
    return 0;
  }

  /** An access near another one: in its page by a comparison, which no load has to be waited for. */
  #writeNear(
    code: Code,
    { position, quick }: Way,
    leader: Leader,
    distance: number,
    linear: number,
    bytes: number,
  ): number {
    const minusDistance = (): void => {
      code.i32(distance);
      code.op('i32.sub');
    };
    code.get(leader.inPage);
    if (distance !== 0) {
      code.i32(distance);
      code.op('i32.add');
    }
    code.i32(PAGE_BYTES - bytes);
    code.op('i32.gt_u');
    code.if(undefined, false);
    if (quick < 0) this.writeInterpret(code, position);
    else {
      this.#writeLookup(code, position, linear, bytes, leader.tagOffset);
      writeHostAddress(code, linear, this.#entry, ADDEND);
      minusDistance();
      code.set(leader.host);
      writeOffsetInPage(code, linear);
      minusDistance();
      code.set(leader.inPage);
    }
    code.end();
    code.get(leader.host);
    if (distance >= 0) return distance;
    code.i32(distance);
    code.op('i32.add');
    return 0;
  }

  /** Leaves on a TLB miss, else pushes the host address. */
  #writeFound(code: Code, { position, quick, tagOffset }: Way, linear: number, bytes: number): void {
    if (quick < 0) {
      this.#writeLookup(code, position, linear, bytes, tagOffset);
      writeHostAddress(code, linear, this.#entry, ADDEND);
      return;
    }
    const at = QUICK_OFFSET + quick * DATA_TLB_ENTRY_BYTES;
    // no address has chosen this entry: what is not aligned may cross a page, so the low bits must be 0 as those of the tag are
    code.get(linear);
    code.i64(BigInt(bytes - 1) - 4096n);
    code.op('i64.and');
    code.get(P.tlb);
    code.memory('i64.load', at + tagOffset);
    code.op('i64.ne');
    code.if(undefined, false);
    this.#writeLookup(code, position, linear, bytes, tagOffset);
    for (let part = 0; part < DATA_TLB_ENTRY_BYTES; part += 16) {
      code.get(P.tlb);
      code.get(this.#entry);
      code.memory('v128.load', part);
      code.memory('v128.store', at + part);
    }
    code.end();
    writeHostAddress(code, linear, P.tlb, at + ADDEND);
  }

  /** Leaves the entry of a hit; leaves on a miss. */
  #writeLookup(code: Code, position: Position, linear: number, bytes: number, tagOffset: number): void {
    writeEntryTag(code, linear, tagOffset, this.#entry);
    writeLastPage(code, linear, bytes);
    code.op('i64.ne');
    code.if(undefined, false);
    this.writeInterpret(code, position);
    code.end();
  }

  loadAs(name: MemoryOp, bytes: number, linear: Val): Val {
    const type = name.startsWith('v128') ? 'v128' : (name.slice(0, 3) as WasmType);
    const way = this.#way(linear, READ_TAG);
    return this.graph.effectWithLocals(
      [node(linear)],
      type,
      (writer, [address, result]) => {
        const { code } = writer;
        code.memory(name, this.#writeTranslation(code, way, localOf(writer, address!), bytes));
        code.set(result!.local);
      },
      0,
    )!;
  }

  storeAs(name: MemoryOp, bytes: number, linear: Val, value: Val): void {
    const way = this.#way(linear, WRITE_TAG);
    this.graph.effectWithLocals(
      [node(linear), node(value)],
      undefined,
      (writer, [address, stored]) => {
        const { code } = writer;
        const behind = this.#writeTranslation(code, way, localOf(writer, address!), bytes);
        writer.push(stored!);
        code.memory(name, behind);
      },
      Reads.Memory,
    );
  }

  loadPair(linear: Val): readonly [Val, Val] {
    const host = this.#hostOf(linear, 32, READ_TAG);
    return [this.graph.peek('v128.load', host, 0, Reads.Memory), this.graph.peek('v128.load', host, 16, Reads.Memory)];
  }

  storePair(linear: Val, lower: Val, upper: Val): void {
    const host = this.#hostOf(linear, 32, WRITE_TAG);
    this.graph.poke('v128.store', host, 0, node(lower), Reads.Memory);
    this.graph.poke('v128.store', host, 16, node(upper), Reads.Memory);
  }

  /** Host address of an access that hits; leaves on a miss. */
  #hostOf(linear: Val, bytes: number, tagOffset: number): Node {
    const way = this.#way(linear, tagOffset);
    return this.graph.effectWithLocals(
      [node(linear)],
      'i32',
      (writer, [address, result]) => {
        const { code } = writer;
        const behind = this.#writeTranslation(code, way, localOf(writer, address!), bytes);
        if (behind !== 0) {
          code.i32(behind);
          code.op('i32.add');
        }
        code.set(result!.local);
      },
      0,
    )!;
  }

  modify(width: Width, linear: Val, change: (old: Val) => Val): Val {
    const host = this.#hostOf(linear, width / 8, WRITE_TAG);
    const old = this.graph.peek(LOAD[width], host, 0, Reads.Memory);
    const changed = change(old);
    this.graph.poke(STORE[width], host, 0, node(width < 64 ? this.wrap(changed) : changed), Reads.Memory);
    return old;
  }

  bulkCopy(): Val {
    return this.#neverCompiled();
  }
  bulkFill(): Val {
    return this.#neverCompiled();
  }
  repeat(): void {
    this.#neverCompiled();
  }
  #neverCompiled(): never {
    throw new Error('broken invariant: a repeating instruction was compiled');
  }
}

/** Pushes where in its page a linear address is. */
function writeOffsetInPage(code: Code, linear: number): void {
  code.get(linear);
  code.op('i32.wrap_i64');
  code.i32(PAGE_BYTES - 1);
  code.op('i32.and');
}
