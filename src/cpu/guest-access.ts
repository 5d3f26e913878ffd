/** How one processor reaches guest memory: walks and TLBs, accesses of generated code that miss, accesses of host-side code. */
import type { StateVisitor } from '../bits/index.ts';
import { pushesErrorCode } from '../isa/index.ts';
import { Cr4 } from './architecture.ts';
import type { DebugStop, DebugStops, Watch } from './debug-stops.ts';
import type { Engine, EngineUser } from './engine/engine.ts';
import type { AccessImports } from './engine/handlers.ts';
import { JUMP_CACHE_BYTES } from './engine/jump-caches.ts';
import { CODE_TLB_BYTES, DATA_TLB_BYTES, TlbContext } from './engine/tlb.ts';
import { SecondLevelCache } from './mmu/second-level-cache.ts';
import { Tlbs } from './mmu/tlbs.ts';
import { PageWalker, reservedHigh } from './mmu/walk.ts';
import { GuestFault, type Processor, VM_EXIT } from './processor.ts';
import { Access, type SecondLevel } from './second-level.ts';
import { type CpuState, S } from './state.ts';

const RFLAGS_AC = 1 << 18;
const CR4_SMAP = 1 << 21;

/** Values of the row `faultVector` that are no vectors. */
export const NO_FAULT = -1;
const SECOND_LEVEL_EXIT = -2;
/** a debugger watches the access: its instruction has to go alone */
export const WATCHED_ACCESS = -3;

export class GuestAccess implements EngineUser {
  readonly tlbs: Tlbs;
  /** the running instruction goes alone, for a debugger, TF or an interrupt shadow: what a debugger watches may be accessed */
  alone = false;
  /** an access that a debugger watches was made by the step that ends */
  watchMet: DebugStop | undefined;
  readonly #cpu: Processor;
  readonly #engine: Engine;
  readonly #state: CpuState;
  readonly #walker: PageWalker;
  readonly #seen: SecondLevelCache;
  readonly #u8: Uint8Array;
  readonly #i32: Int32Array;
  readonly #bounce: number;
  #stops: DebugStops | null = null;
  #secondLevel: SecondLevel | null = null;
  /** modify through the bounce buffer: where it goes back to */
  #modifyLow = 0;
  #modifyHigh = 0;
  #modifyBytes = 0;
  /** host addresses of the two parts of an access that crosses a page */
  #firstPart = 0;
  #secondPart = 0;

  constructor(cpu: Processor, engine: Engine) {
    this.#cpu = cpu;
    this.#engine = engine;
    this.#state = cpu.state;
    this.#u8 = engine.memory.u8;
    this.#i32 = engine.memory.i32;
    this.#bounce = cpu.state.base + S.bounce;
    this.tlbs = new Tlbs(engine.memory, cpu.state, engine.jumps);
    this.#seen = new SecondLevelCache(engine.memory);
    this.#walker = new PageWalker(cpu, this.#seen);
  }

  visitState(state: StateVisitor): void {
    state.part('tlbs', this.tlbs);
    if (!state.restoring) return;
    this.#seen.forget();
    this.watchMet = undefined;
    this.#chooseWalk(); // the snapshot says how it was done elsewhere
  }

  /** null: nobody debugs */
  get stops(): DebugStops | null {
    return this.#stops;
  }

  set stops(stops: DebugStops | null) {
    this.#stops = stops;
    this.#chooseWalk();
  }

  /** True if a watched access has to wait until its instruction goes alone; there it is noted. */
  #waitsForDebugger(low: number, high: number, bytes: number, access: number): boolean {
    const watch = this.#stops?.watchOf(low, high, bytes, access);
    if (watch === undefined) return false;
    if (this.alone) this.watchMet ??= { kind: 'watch', processor: this.#cpu.index, watch };
    else this.#state.setLow(S.faultVector, WATCHED_ACCESS);
    return !this.alone;
  }

  /** Notes an access by host-side code: the run stops behind its instruction. */
  #noteAccess(low: number, high: number, bytes: number, access: number): void {
    const watch = this.#stops?.watchOf(low, high, bytes, access);
    if (watch !== undefined) this.watchMet ??= { kind: 'watch', processor: this.#cpu.index, watch };
  }

  /** Throws the fault, or the exit, that a walk has noted. */
  throwPending(): never {
    const vector = this.#state.low(S.faultVector);
    const errorCode = this.#state.low(S.faultErrorCode);
    this.#state.setLow(S.faultVector, NO_FAULT);
    if (vector === SECOND_LEVEL_EXIT) throw VM_EXIT;
    throw new GuestFault(vector, pushesErrorCode(vector) ? errorCode : undefined);
  }

  /** Whether the last walk ended at a global page. */
  get walkedGlobal(): boolean {
    return this.#walker.global;
  }

  /** Host page behind a linear address, or -1 with the fault noted. */
  walk(low: number, high: number, access: number, user: boolean): number {
    const state = this.#state;
    const walker = this.#walker;
    const ac = !user && (state.low(S.rflags) & RFLAGS_AC) !== 0;
    if (walker.walk(low, high, access, user, ac)) {
      if (walker.isRam) return walker.hostPage;
      state.setLow(S.faultVector, 13);
      state.setLow(S.faultErrorCode, 0);
      return -1;
    }
    switch (walker.faultKind) {
      case 'page':
        state.set(S.cr2, low, high);
        state.setLow(S.faultVector, 14);
        state.setLow(S.faultErrorCode, walker.errorCode);
        break;
      case 'canonical':
        state.setLow(S.faultVector, 13);
        state.setLow(S.faultErrorCode, 0);
        break;
      case 'convertible':
        state.setLow(S.faultVector, this.#cpu.virtualizationException.capture(this.#cpu.exit) ? 20 : SECOND_LEVEL_EXIT);
        break;
      default:
        state.setLow(S.faultVector, SECOND_LEVEL_EXIT);
    }
    return -1;
  }

  /** Translates within one page and fills the TLB entry; host address, or -1. */
  #translate(low: number, high: number, access: number): number {
    const hostPage = this.walk(low, high, access, this.#state.low(S.cpl) === 3);
    if (hostPage < 0) return -1;
    this.#fill(this.#state.low(S.dataTlb), low, high, hostPage);
    return hostPage + (low & 4095);
  }

  /** Fills the entry of a data TLB with what the walk has found. */
  #fill(tlb: number, low: number, high: number, hostPage: number): void {
    const walker = this.#walker;
    const watched = this.#stops === null ? 0 : this.#stops.watchedAccess(low & ~4095, high);
    const readable = walker.readable && (watched & Access.Read) === 0;
    // compiled code reads what it may write
    const mayWrite = walker.writable && (watched & (Access.Read | Access.Write)) === 0;
    const writable = mayWrite && !this.#engine.code.isCode(hostPage);
    this.tlbs.fillData(tlb, low, high, hostPage, readable, writable, walker.global);
  }

  /** Translates both parts of an access that crosses a page; false with the fault noted. */
  #translateParts(low: number, high: number, access: number): boolean {
    const first = this.#translate(low, high, access);
    if (first < 0) return false;
    const nextLow = (low & ~4095) + 4096;
    const nextHigh = (high + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    const second = this.#translate(nextLow, nextHigh, access);
    if (second < 0) return false;
    this.#firstPart = first;
    this.#secondPart = second;
    return true;
  }

  #copyIn(low: number, bytes: number): void {
    const here = 4096 - (low & 4095);
    for (let i = 0; i < bytes; i++)
      this.#u8[this.#bounce + i] = this.#u8[i < here ? this.#firstPart + i : this.#secondPart + i - here]!;
  }

  /** At most 32 bytes: a call of copyWithin would cost more than the loop. */
  #copyBytes(to: number, from: number, bytes: number): void {
    const u8 = this.#u8;
    for (let i = 0; i < bytes; i++) u8[to + i] = u8[from + i]!;
  }

  /** Host address of `bytes` at a linear address, for generated code; 0 with the fault noted. Also the reading half of Processor.load. */
  #hostAddress(low: number, high: number, bytes: number): number {
    if ((low & 4095) + bytes <= 4096) {
      const host = this.#translate(low, high, Access.Read);
      return Math.max(host, 0);
    }
    if (!this.#translateParts(low, high, Access.Read)) return 0;
    this.#copyIn(low, bytes);
    return this.#bounce;
  }

  /** Writes the bounce buffer to a linear address; see `AccessImports.store` for the result. */
  #storeBounce(low: number, high: number, bytes: number): number {
    if ((low & 4095) + bytes <= 4096) {
      const host = this.#translate(low, high, Access.Write);
      if (host < 0) return 0;
      this.#copyBytes(host, this.#bounce, bytes);
      return this.#codeWritten(host, bytes);
    }
    if (!this.#translateParts(low, high, Access.Write)) return 0;
    const here = 4096 - (low & 4095);
    this.#copyBytes(this.#firstPart, this.#bounce, here);
    this.#copyBytes(this.#secondPart, this.#bounce + here, bytes - here);
    return this.#codeWritten(this.#firstPart, here) | this.#codeWritten(this.#secondPart, bytes - here);
  }

  /** After a write within one host page: 2 (or 3) if decoded code has changed, else 1. */
  #codeWritten(host: number, bytes: number): number {
    const { code, users } = this.#engine;
    const page = (host & ~4095) >>> 0;
    if (!code.isCode(page)) return 1;
    if (code.written(host, bytes)) return 3;
    if (code.wroteBesideCode(page)) for (const user of users) user.forgetCodeTlb();
    return 1;
  }

  /** Starts a read-modify-write: both ways are checked; the bounce buffer when the memory cannot be written in place. */
  #modifyAddress(low: number, high: number, bytes: number): number {
    const crosses = (low & 4095) + bytes > 4096;
    if (!crosses) {
      const host = this.#translate(low, high, Access.Read | Access.Write);
      if (host < 0) return 0;
      if (!this.#engine.code.isCode(host & ~4095)) return host;
      this.#copyBytes(this.#bounce, host, bytes);
    } else {
      if (!this.#translateParts(low, high, Access.Read | Access.Write)) return 0;
      this.#copyIn(low, bytes);
    }
    this.#modifyLow = low;
    this.#modifyHigh = high;
    this.#modifyBytes = bytes;
    return this.#bounce;
  }

  /** What generated code calls when its inline TLB check fails. */
  readonly access: AccessImports = {
    load: (_, low, high, bytes) =>
      this.#waitsForDebugger(low, high, bytes, Access.Read) ? 0 : this.#hostAddress(low, high, bytes),
    store: (_, low, high, bytes) =>
      this.#waitsForDebugger(low, high, bytes, Access.Write) ? 0 : this.#storeBounce(low, high, bytes),
    modify: (_, low, high, bytes) =>
      this.#waitsForDebugger(low, high, bytes, Access.Read | Access.Write) ? 0 : this.#modifyAddress(low, high, bytes),
    modifyEnd: () => this.#storeBounce(this.#modifyLow, this.#modifyHigh, this.#modifyBytes),
  };

  load(low: number, high: number, sizeBytes: number, system = false): number {
    const user = !system && this.#state.low(S.cpl) === 3;
    if (this.#stops !== null) this.#noteAccess(low, high, sizeBytes, Access.Read);
    let at = this.#bounce;
    if ((low & 4095) + sizeBytes <= 4096) at = this.#walkAs(low, high, Access.Read, user, system) + (low & 4095);
    else {
      this.#walkParts(low, high, Access.Read, user, system);
      this.#copyIn(low, sizeBytes);
    }
    const isWhole = sizeBytes >= 4 && (at & 3) === 0;
    const valueLow = isWhole ? this.#i32[at >> 2]! : this.#readBytes(at, Math.min(4, sizeBytes));
    const valueHigh = sizeBytes < 8 ? 0 : isWhole ? this.#i32[(at >> 2) + 1]! : this.#readBytes(at + 4, 4);
    this.#cpu.dataLow = valueLow;
    this.#cpu.dataHigh = valueHigh;
    return valueLow;
  }

  #readBytes(at: number, count: number): number {
    let value = 0;
    for (let i = count - 1; i >= 0; i--) value = (value << 8) | this.#u8[at + i]!;
    return value;
  }

  store(low: number, high: number, sizeBytes: number, valueLow: number, valueHigh: number, system = false): void {
    const user = !system && this.#state.low(S.cpl) === 3;
    if (this.#stops !== null) this.#noteAccess(low, high, sizeBytes, Access.Write);
    const { code } = this.#engine;
    const here = 4096 - (low & 4095);
    if (sizeBytes <= here) {
      const at = this.#walkAs(low, high, Access.Write, user, system) + (low & 4095);
      this.#writeValue(at, sizeBytes, valueLow, valueHigh);
      if (code.isCode(at & ~4095)) code.written(at, sizeBytes);
      return;
    }
    this.#walkParts(low, high, Access.Write, user, system);
    this.#writeValue(this.#bounce, sizeBytes, valueLow, valueHigh);
    this.#copyBytes(this.#firstPart, this.#bounce, here);
    this.#copyBytes(this.#secondPart, this.#bounce + here, sizeBytes - here);
    if (code.isCode(this.#firstPart & ~4095)) code.written(this.#firstPart, here);
    if (code.isCode(this.#secondPart & ~4095)) code.written(this.#secondPart, sizeBytes - here);
  }

  #writeValue(at: number, sizeBytes: number, low: number, high: number): void {
    if (sizeBytes === 8 && (at & 3) === 0) {
      this.#i32[at >> 2] = low;
      this.#i32[(at >> 2) + 1] = high;
    } else for (let i = 0; i < sizeBytes; i++) this.#u8[at + i] = i < 4 ? low >>> (i * 8) : high >>> (i * 8 - 32);
  }

  loadBytes(low: number, high: number, bytes: Uint8Array): void {
    this.#bytes(low, high, bytes, Access.Read);
  }

  storeBytes(low: number, high: number, bytes: Uint8Array): void {
    this.#bytes(low, high, bytes, Access.Write);
  }

  #bytes(low: number, high: number, bytes: Uint8Array, access: number): void {
    const user = this.#state.low(S.cpl) === 3;
    this.#noteAccess(low, high, bytes.length, access);
    const here = Math.min(bytes.length, 4096 - (low & 4095));
    if (here < bytes.length) this.#walkParts(low, high, access, user, false);
    else this.#firstPart = this.#walkAs(low, high, access, user, false) + (low & 4095);
    const { code } = this.#engine;
    for (const [host, from, to] of [
      [this.#firstPart, 0, here],
      [this.#secondPart, here, bytes.length],
    ] as const) {
      if (from === to) continue;
      if (access === Access.Read) bytes.set(this.#u8.subarray(host, host + to - from), from);
      else {
        this.#u8.set(bytes.subarray(from, to), host);
        if (code.isCode(host & ~4095)) code.written(host, to - from);
      }
    }
  }

  /** Host page for host-side code; throws what the access raises. */
  #walkAs(low: number, high: number, access: number, user: boolean, system: boolean): number {
    const tlb = this.dataTlbOf(user, system);
    const known = this.tlbs.hostPageOf(tlb, low, high, access);
    if (known >= 0) return known;
    const rflags = this.#state.low(S.rflags);
    if (system) this.#state.setLow(S.rflags, rflags & ~RFLAGS_AC);
    const page = this.walk(low, high, access, user);
    if (system) this.#state.setLow(S.rflags, rflags);
    if (page < 0) this.throwPending();
    this.#fill(tlb, low, high, page);
    return page;
  }

  #walkParts(low: number, high: number, access: number, user: boolean, system: boolean): void {
    const nextLow = (low & ~4095) + 4096;
    const nextHigh = (high + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    const first = this.#walkAs(low, high, access, user, system) + (low & 4095);
    this.#secondPart = this.#walkAs(nextLow, nextHigh, access, user, system);
    this.#firstPart = first;
  }

  get secondLevel(): SecondLevel | null {
    return this.#secondLevel;
  }

  set secondLevel(secondLevel: SecondLevel | null) {
    this.#secondLevel = secondLevel;
    this.#chooseWalk();
  }

  /** Generated code walks by itself unless a debugger looks on, or there is no second level, as on the bare machine. */
  #chooseWalk(): void {
    const state = this.#state;
    state.setLow(S.walkSlots, this.#stops === null && this.#secondLevel !== null ? this.#seen.base : 0);
    state.set(S.walkReserved, 0, reservedHigh(this.#cpu.controls.guestPhysicalAddressBits, true, true));
  }

  writePkru(value: number): void {
    const state = this.#state;
    if (state.low(S.pkru) === value) return;
    state.setLow(S.pkru, value);
    if ((state.low(S.cr4) & Cr4.PKE) !== 0) this.tlbs.flushLocalData();
  }

  /** Forgets translations by which watched bytes could be accessed unseen. */
  forgetWatched({ low, high, lengthBytes }: Watch): void {
    for (let offset = -(low & 4095); offset < lengthBytes; offset += 4096) {
      const carry = (low >>> 0) + offset > 0xffff_ffff ? 1 : 0;
      this.tlbs.flushPage((low + offset) | 0, (high + carry) | 0);
    }
  }

  forgetCodeTlb(): void {
    this.tlbs.forgetCode();
  }

  revokeWrites(hostPage: number): void {
    this.tlbs.revokeWrites(hostPage);
  }

  invalidateSecondLevel(): void {
    this.#seen.forget();
    this.tlbs.flush(true);
  }

  /** The contents of a host page were replaced by somebody else than a guest: its decoded code is forgotten. */
  hostPageReplaced(hostPage: number): void {
    if (this.#engine.code.isCode(hostPage)) this.#engine.code.forgetPage(hostPage);
  }

  /** To be called after any change of CPL, RFLAGS.AC or CR4.SMAP: generated code goes by the TLBs that hold from now on. */
  chooseTlbs(): void {
    const state = this.#state;
    const user = state.low(S.cpl) === 3;
    state.setLow(S.dataTlb, this.dataTlbOf(user, false));
    state.setLow(S.codeTlb, this.tlbs.code + (user ? 0 : CODE_TLB_BYTES));
    state.setLow(S.jumpCache, this.tlbs.jumps.caches + (user ? 0 : JUMP_CACHE_BYTES));
  }

  /** Offset of the data TLB for a privilege. @param system an access of the processor itself, for which AC does not count */
  dataTlbOf(user: boolean, system: boolean): number {
    const state = this.#state;
    const ac = !system && (state.low(S.rflags) & RFLAGS_AC) !== 0 && (state.low(S.cr4) & CR4_SMAP) !== 0;
    const context = user ? TlbContext.User : ac ? TlbContext.SupervisorWithAc : TlbContext.Supervisor;
    return this.tlbs.data + context * DATA_TLB_BYTES;
  }
}
