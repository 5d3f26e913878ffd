/** The software TLBs of one processor (their shape: `src/cpu/engine/tlb.ts`), as the host fills and flushes them. */
import type { StateVisitor } from '../../bits/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { JumpCachePair, JumpCaches } from '../engine/jump-caches.ts';
import {
  CODE_TLB_BYTES,
  CODE_TLB_ENTRY_BYTES,
  codeEntryOffset,
  DATA_TLB_BYTES,
  DATA_TLB_ENTRY_BYTES,
  dataEntryOffset,
  INVALID_TAG,
  LOCAL_FILLS,
  QUICK_OFFSET,
} from '../engine/tlb.ts';
import { Access } from '../second-level.ts';
import { type CpuState, S } from '../state.ts';

const DATA_CONTEXTS = 3;
const CODE_CONTEXTS = 2;

export class Tlbs {
  /** offset of the three data TLBs, in the order of `TlbContext` */
  readonly data: number;
  /** offset of the code TLBs: user, supervisor */
  readonly code: number;
  /** nothing in the jump caches outlives the entry of a code TLB that it came from */
  readonly jumps: JumpCachePair;
  readonly #jumpCaches: JumpCaches;
  readonly #state: CpuState;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  /** data entries (in words) filled since the last flush with what is not global, as far as there is room to note them; generated code adds to it */
  readonly #localData: Int32Array;
  readonly #localCode = new Int32Array(LOCAL_FILLS);
  #localCodeFills = LOCAL_FILLS + 1;

  constructor(memory: HostMemory, state: CpuState, jumpCaches: JumpCaches) {
    this.#state = state;
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
    this.data = memory.reserveProcessorArea(DATA_TLB_BYTES * DATA_CONTEXTS);
    this.code = memory.reserveProcessorArea(CODE_TLB_BYTES * CODE_CONTEXTS);
    const localData = memory.reserveProcessorArea(LOCAL_FILLS * 4);
    this.#localData = new Int32Array(memory.wasm.buffer, localData, LOCAL_FILLS);
    state.setLow(S.localEntries, localData);
    this.#jumpCaches = jumpCaches;
    this.jumps = jumpCaches.add();
    state.setLow(S.jumpFills, this.jumps.fills);
    this.flush(true);
  }

  visitState(state: StateVisitor): void {
    state.array('codeTlbs', this.#u8.subarray(this.code, this.code + CODE_TLB_BYTES * CODE_CONTEXTS));
    state.array('dataTlbs', this.#u8.subarray(this.data, this.data + DATA_TLB_BYTES * DATA_CONTEXTS));
    if (!state.restoring) return;
    // which entries are local is not remembered one by one
    this.#state.setLow(S.localFills, LOCAL_FILLS + 1);
    this.#localCodeFills = LOCAL_FILLS + 1;
    this.#state.setLow(S.jumpFills, this.jumps.fills);
  }

  /** Entries (in words) of the code TLBs that are not empty. */
  *filledCodeEntries(): Generator<number> {
    const end = (this.code + CODE_TLB_BYTES * CODE_CONTEXTS) >> 2;
    for (let entry = this.code >> 2; entry < end; entry += CODE_TLB_ENTRY_BYTES / 4)
      if ((this.#i32[entry]! & 4095) === 0) yield entry;
  }

  /** Host page of a linear address if its entry of a data TLB allows the access, else -1. */
  hostPageOf(tlb: number, low: number, high: number, access: number): number {
    const i32 = this.#i32;
    const entry = (tlb + dataEntryOffset(low)) >> 2;
    const page = low & ~4095;
    if ((access & Access.Read) !== 0 && (i32[entry] !== page || i32[entry + 1] !== high)) return -1;
    if ((access & Access.Write) !== 0 && (i32[entry + 2] !== page || i32[entry + 3] !== high)) return -1;
    return i32[entry + 6]! >>> 0;
  }

  /** Fills the entry of a linear address in the data TLB at offset `tlb`. */
  fillData(
    tlb: number,
    low: number,
    high: number,
    hostPage: number,
    readable: boolean,
    writable: boolean,
    global: boolean,
  ): void {
    const i32 = this.#i32;
    const entry = (tlb + dataEntryOffset(low)) >> 2;
    const page = low & ~4095;
    i32[entry] = readable ? page : INVALID_TAG;
    i32[entry + 1] = high;
    i32[entry + 2] = writable ? page : INVALID_TAG;
    i32[entry + 3] = high;
    i32[entry + 4] = (hostPage - page) | 0;
    i32[entry + 5] = global ? 1 : 0;
    i32[entry + 6] = hostPage;
    this.#forgetQuick(tlb);
    if (global) return;
    const fills = this.#state.low(S.localFills);
    if (fills < LOCAL_FILLS) this.#localData[fills] = entry;
    this.#state.setLow(S.localFills, fills + 1);
  }

  /** Fills a code entry. @param entry in words */
  fillCode(entry: number, low: number, high: number, table: number, hostPage: number, global: boolean): void {
    const i32 = this.#i32;
    if ((i32[entry]! & 4095) === 0) this.#jumpCaches.forget();
    i32[entry] = low & ~4095;
    i32[entry + 1] = high;
    i32[entry + 2] = table;
    i32[entry + 3] = global ? hostPage | 1 : hostPage;
    if (!global && this.#localCodeFills++ < LOCAL_FILLS) this.#localCode[this.#localCodeFills - 1] = entry;
  }

  flush(includingGlobal: boolean): void {
    if (includingGlobal) {
      this.#u8.fill(0xff, this.data, this.data + DATA_TLB_BYTES * DATA_CONTEXTS);
      this.forgetCode();
      this.#state.setLow(S.localFills, 0);
    } else {
      this.flushLocalData();
      this.#flushLocalCode();
    }
    this.#localCodeFills = 0;
  }

  /** Forgets data translations that are not global. */
  flushLocalData(): void {
    const dataFills = this.#state.low(S.localFills);
    if (dataFills <= LOCAL_FILLS) {
      for (let i = 0; i < dataFills; i++) this.#dropLocalData(this.#localData[i]!);
      this.#forgetAllQuick();
    } else {
      const end = (this.data + DATA_TLB_BYTES * DATA_CONTEXTS) >> 2;
      for (let at = this.data >> 2; at < end; at += DATA_TLB_ENTRY_BYTES / 4) this.#dropLocalData(at);
    }
    this.#state.setLow(S.localFills, 0);
  }

  #flushLocalCode(): void {
    const codeFills = this.#localCodeFills;
    if (codeFills !== 0) this.#jumpCaches.forget();
    if (codeFills <= LOCAL_FILLS) for (let i = 0; i < codeFills; i++) this.#dropLocalCode(this.#localCode[i]!);
    else {
      const end = (this.code + CODE_TLB_BYTES * CODE_CONTEXTS) >> 2;
      for (let at = this.code >> 2; at < end; at += CODE_TLB_ENTRY_BYTES / 4) this.#dropLocalCode(at);
    }
  }

  /** The copies of a data TLB's entries: their tags, one by one, because a call of `fill` takes longer. */
  #forgetQuick(tlb: number): void {
    const i32 = this.#i32;
    const end = (tlb + DATA_TLB_BYTES) >> 2;
    for (let at = (tlb + QUICK_OFFSET) >> 2; at < end; at += DATA_TLB_ENTRY_BYTES / 4) i32[at] = i32[at + 2] = -1;
  }

  #forgetAllQuick(): void {
    for (let context = 0; context < DATA_CONTEXTS; context++) this.#forgetQuick(this.data + context * DATA_TLB_BYTES);
  }

  #dropLocalData(at: number): void {
    if (this.#i32[at + 5] !== 1) this.#i32[at] = this.#i32[at + 2] = -1;
  }

  #dropLocalCode(at: number): void {
    if ((this.#i32[at + 3]! & 1) === 0) this.#i32[at] = -1;
  }

  flushPage(low: number, high: number): void {
    const page = low & ~4095;
    for (let context = 0; context < DATA_CONTEXTS; context++) {
      const entry = (this.data + context * DATA_TLB_BYTES + dataEntryOffset(low)) >> 2;
      this.#i32[entry] = this.#i32[entry + 2] = -1;
    }
    for (let context = 0; context < CODE_CONTEXTS; context++) {
      const entry = (this.code + context * CODE_TLB_BYTES + codeEntryOffset(low)) >> 2;
      if (this.#i32[entry] === page && this.#i32[entry + 1] === high) this.#i32[entry] = -1;
    }
    this.#forgetAllQuick();
    this.#jumpCaches.forget();
  }

  forgetCode(): void {
    this.#jumpCaches.forget();
    this.#u8.fill(0xff, this.code, this.code + CODE_TLB_BYTES * CODE_CONTEXTS);
  }

  /** Takes away write rights to a host page. */
  revokeWrites(hostPage: number): void {
    const i32 = this.#i32;
    const page = hostPage | 0;
    const end = (this.data + DATA_TLB_BYTES * DATA_CONTEXTS) >> 2;
    for (let at = this.data >> 2; at < end; at += DATA_TLB_ENTRY_BYTES / 4) if (i32[at + 6] === page) i32[at + 2] = -1;
  }
}
