/** One logical processor: runs predecoded code, does what generated code leaves to the host, and stops with an exit. */
import type { StateVisitor } from '../bits/index.ts';
import { createInstruction, DecodeResult, type Instruction } from '../isa/index.ts';
import type { HostMemory } from '../memory/index.ts';
import type { Clock } from '../time/index.ts';
import { Controls } from './controls.ts';
import type { DebugStop, DebugStops, StepWatcher, Watch } from './debug-stops.ts';
import { operationName } from './engine/binder.ts';
import type { Engine } from './engine/engine.ts';
import { Handler } from './engine/handlers.ts';
import type { HostStep } from './engine/host-steps.ts';
import { JUMP_CACHE_BYTES } from './engine/jump-caches.ts';
import { Leave, R, RECORD_BYTES } from './engine/record.ts';
import { CODE_TLB_BYTES, codeEntryOffset } from './engine/tlb.ts';
import { deliverEvent } from './events.ts';
import { ExitReason, ExitRecord } from './exit.ts';
import { packRflags, unpackRflags } from './flags.ts';
import { GuestAccess, NO_FAULT, WATCHED_ACCESS } from './guest-access.ts';
import { type EntropySource, GuestFault, type LogicalProcessor, VM_EXIT, VmExit } from './processor.ts';
import type { Sampler } from './sampler.ts';
import { Access, type SecondLevel } from './second-level.ts';
import { CpuState, S, STATE_BYTES } from './state.ts';
import { forbiddenVectorStates, requireVectorState } from './vector-state.ts';
import { VirtualApic } from './virtual-apic.ts';
import { VirtualizationExceptionInformation } from './virtualization-exception.ts';

const RFLAGS_TF = 1 << 8;
const RFLAGS_IF = 1 << 9;
const EFER_LMA = 1 << 10;
const RIGHTS_LONG = 1 << 13;
const RIGHTS_BIG = 1 << 14;
const LONGEST_RUN_TICKS = 1 << 30;
const EVENT_EXTERNAL = 0;
const EVENT_EXCEPTION = 3;

interface InjectedEvent {
  readonly vector: number;
  readonly type: number;
  readonly errorCode: number | undefined;
  readonly instructionLength: number;
}

export interface CpuOptions {
  readonly engine: Engine;
  readonly index: number;
  readonly clock: Clock;
  readonly entropy: EntropySource;
}

export class Cpu implements LogicalProcessor {
  readonly index: number;
  readonly state: CpuState;
  readonly memory: HostMemory;
  readonly controls = new Controls();
  readonly apic = new VirtualApic();
  readonly exit = new ExitRecord();
  readonly entropy: EntropySource;
  readonly virtualizationException = new VirtualizationExceptionInformation();
  readonly unimplemented = new Map<string, number>();
  /** what the guest's TSC reads when the clock stands at 0 */
  tscOffsetTicks = 0;
  onInterrupt: ((vector: number, instructions: number) => void) | undefined = undefined;
  retired = 0;
  /** events delivered between instructions: exceptions, interrupts */
  delivered = 0;
  /** null: nobody samples */
  sampler: Sampler | null = null;
  instructionStartLow = 0;
  instructionStartHigh = 0;
  dataLow = 0;
  dataHigh = 0;
  addressLow = 0;
  addressHigh = 0;

  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #guest: GuestAccess;
  /** two records for an instruction that runs alone or reaches into the next page */
  readonly #scratch: number;
  readonly #straddling = new Uint8Array(16);
  readonly #acrossInstruction = createInstruction();
  /** the instruction runs alone because a debugger looks at each */
  #aloneForDebugger = false;
  /** the next instruction goes alone: it has a place that debuggers care for */
  #debugNext = false;
  /** own position at which a debugger wants the run to stop */
  #stopPosition = Number.POSITIVE_INFINITY;
  /** ticks that a debugger's stop in a straight line keeps from the clock, because they reach behind an alarm */
  #untoldTicks = 0;
  #mode = 64;
  /** vector states whose instructions fault: bits of `VectorState` */
  #forbidden = 0;
  /** the next instruction is one that compiled code left to the interpreter */
  #interpret = false;
  /** where generated code stopped a budget may end: at jumps, events and host operations, never in a straight line, whose pieces are the engine's affair */
  #budgetMayEnd = true;
  #left = 0;
  /** what the TSC reads when the budget of the run is spent */
  #tscAtEnd = 0;
  #paused = false;
  /** the instruction that has just run exits, with the record filled */
  #exiting = false;
  #injected: InjectedEvent | undefined;

  constructor(options: CpuOptions) {
    const { engine } = options;
    this.#engine = engine;
    this.#clock = options.clock;
    this.index = options.index;
    this.entropy = options.entropy;
    this.memory = engine.memory;
    this.#i32 = engine.memory.i32;
    this.#u8 = engine.memory.u8;
    this.#u16 = new Uint16Array(engine.memory.wasm.buffer);
    const base = engine.memory.reserveProcessorArea(STATE_BYTES);
    this.#scratch = engine.memory.reserveProcessorArea(RECORD_BYTES * 2);
    this.state = new CpuState(engine.memory.wasm, base);
    this.state.setLow(S.rflags, 2);
    this.state.setLow(S.mxcsr, 0x1f80);
    this.state.setLow(S.fpuControl, 0x37f);
    this.state.setLow(S.faultVector, NO_FAULT);
    this.state.set(S.flagsResult, 1, 0);
    this.#guest = new GuestAccess(this, engine);
    this.modeChanged();
    engine.users.push(this.#guest);
  }

  // ---- snapshots

  /**
   * Registers, what is pending, and the translations that are remembered: a walk that is not made sets no accessed bit. Records are no part
   * of it; the code cache knows from `CodeCache.visitState` which pages have them.
   */
  visitState(state: StateVisitor): void {
    const { base } = this.state;
    state.array('rows', this.#u8.subarray(base, base + STATE_BYTES));
    this.retired = state.number('retired', this.retired);
    this.delivered = state.number('delivered', this.delivered);
    this.tscOffsetTicks = state.number('tscOffsetTicks', this.tscOffsetTicks);
    this.#mode = state.number('mode', this.#mode);
    this.#forbidden = state.number('forbidden', this.#forbidden);
    this.#untoldTicks = state.number('untoldTicks', this.#untoldTicks);
    state.fields('apic', this.apic);
    state.fields('exit', this.exit);
    state.fields('virtualizationException', this.virtualizationException);
    this.#visitInjected(state);
    state.part('guest', this.#guest);
    if (state.restoring) {
      this.#debugNext = false;
      this.modeChanged();
      this.#findCodeTables();
    }
  }

  #visitInjected(state: StateVisitor): void {
    const { vector, type, errorCode, instructionLength } = this.#injected ?? {
      vector: -1,
      type: 0,
      instructionLength: 0,
    };
    const [savedVector, savedType, savedLength] = [
      state.number('injectedVector', vector),
      state.number('injectedType', type),
      state.number('injectedLength', instructionLength),
    ];
    const hasErrorCode = state.flag('injectedHasErrorCode', errorCode !== undefined);
    const savedErrorCode = state.number('injectedErrorCode', errorCode ?? 0);
    if (!state.restoring) return;
    this.#injected = undefined;
    if (savedVector >= 0) this.inject(savedVector, savedType, hasErrorCode ? savedErrorCode : undefined, savedLength);
  }

  /** Entries of the code TLBs that come from a snapshot know host pages; their tables of records are of this process. */
  #findCodeTables(): void {
    for (const entry of this.#guest.tlbs.filledCodeEntries()) {
      const hostPage = (this.#i32[entry + 3]! & ~4095) >>> 0;
      const known = this.#engine.code.table(hostPage, this.#mode, this.#forbidden);
      this.#i32[entry + 2] = known !== 0 ? known : this.#newTable(hostPage);
    }
  }

  // ---- running

  run(): ExitRecord {
    const headroom = Math.min(this.#clock.headroomTicks(), LONGEST_RUN_TICKS);
    const untold = this.#untoldTicks;
    this.#untoldTicks = 0;
    if (this.#engine.current !== this.#guest) this.#engine.current = this.#guest;
    this.#left = headroom - untold;
    this.#budgetMayEnd = untold === 0;
    const { stops } = this;
    if (stops !== null) this.#stopPosition = stops.stopPositionOf(this);
    try {
      this.#exiting = false;
      if (headroom > 0) this.#runUntilExit(untold);
      else this.exit.reset(ExitReason.ExternalInterrupt);
    } catch (thrown) {
      if (!(thrown instanceof VmExit)) throw thrown;
    }
    const used = headroom - this.#left;
    this.retired += used - untold;
    this.#clock.advance(used - this.#untoldTicks);
    return this.exit;
  }

  /** @param untold ticks that have passed for the guest and not for the clock */
  #runUntilExit(untold: number): void {
    const { state, apic, stops, sampler } = this;
    const { code, mixer } = this.#engine;
    const headroom = this.#left;
    this.#tscAtEnd = this.#clock.nowTicks + untold + this.tscOffsetTicks + headroom;
    while (!this.#exiting) {
      code.collect();
      if ((this.#left <= 0 && this.#budgetMayEnd) || this.#paused) {
        this.#paused = false;
        this.exit.reset(ExitReason.ExternalInterrupt);
        return;
      }
      if (stops !== null && this.#stopsBeforeStep(stops, headroom - this.#left)) return;
      if (this.#injected !== undefined) {
        this.#deliverInjected(this.#injected);
        continue;
      }
      const pending = apic.hasPending;
      state.setLow(S.interruptPending, pending ? 1 : 0);
      const rflags = state.low(S.rflags);
      const shadow = state.low(S.interruptShadow);
      if (pending && shadow === 0 && (rflags & RFLAGS_IF) !== 0) {
        const vector = apic.acknowledge();
        this.onInterrupt?.(vector, headroom - this.#left);
        deliverEvent(this, vector, EVENT_EXTERNAL, undefined, 0);
        this.delivered++;
        continue;
      }
      let alone = shadow !== 0 || (rflags & RFLAGS_TF) !== 0;
      let budget = this.#left;
      let shown: StepWatcher | undefined;
      if (stops !== null) {
        const done = headroom - this.#left;
        if (this.#stopsAtBreakpoint(stops, done)) return;
        const apart = this.#stopPosition - this.position - done - stops.marginSteps;
        const isShown = stops.watcher?.wants(this) === true;
        this.#aloneForDebugger = !alone && (this.#debugNext || apart <= 0 || isShown);
        if (isShown) shown = stops.watcher;
        this.#debugNext = false;
        alone ||= this.#aloneForDebugger;
        if (apart < budget) budget = apart;
      }
      if (sampler !== null) {
        const retired = this.retired + headroom - this.#left;
        if (this.#budgetMayEnd && retired >= sampler.nextAt) sampler.sample(this, retired);
        budget = Math.min(budget, Math.max(1, sampler.nextAt - retired));
      }
      if (mixer !== null) budget = Math.min(budget, mixer.mix(code));
      this.#guest.alone = alone;
      const before = this.#left;
      let leave: number;
      try {
        leave = alone ? this.#enterAlone(shown) : this.#enter(budget);
      } catch (thrown) {
        this.#interpret = false;
        this.#deliverFault(thrown);
        continue;
      }
      if (leave === Leave.Host) this.#host();
      else this.#afterLeave(leave);
      if (this.#left < before) shown?.after(this);
      if (alone && (rflags & RFLAGS_TF) !== 0 && leave !== Leave.Fault && this.#injected === undefined)
        this.#singleStepTrap();
    }
  }

  /** Goes on at RIP; returns why generated code gave control back. Throws what fetching the first instruction raises. */
  #enter(budget: number): number {
    if (this.#mode === 64 && !this.#interpret) {
      const leave = this.#runGenerated(0, budget);
      if (leave !== Leave.Unknown) return leave;
    }
    const record = this.#find(this.#interpret);
    this.#interpret = false;
    return this.#runGenerated(record, budget);
  }

  /** Executes the instruction at RIP and no other; for the rest as `#enter`. @param shown who is shown it before */
  #enterAlone(shown: StepWatcher | undefined): number {
    const record = this.#find(true);
    this.#interpret = false;
    if (shown !== undefined) this.#show(shown);
    this.state.setLow(S.interruptShadow, 0);
    return this.#runGenerated(this.#isolate(record), 1);
  }

  /** Runs generated code until it gives control back. @param record where to begin; 0: at RIP, if generated code knows the way from there */
  #runGenerated(record: number, budget: number): number {
    const { state } = this;
    const { handlers } = this.#engine;
    state.setFloat(S.tscAtEnd, this.#tscAtEnd - this.#left + budget);
    const tlb = state.low(S.dataTlb);
    const leave =
      record === 0 ? handlers.resume(state.base, 0, budget, tlb) : handlers.enter(state.base, record, budget, tlb);
    if (leave === Leave.Unknown) return leave;
    this.#budgetMayEnd = true;
    this.#left -= budget - state.low(S.remaining);
    return leave;
  }

  /** True, with the exit filled in, if a debugger wants the run to stop here. @param done instructions of this run */
  #stopsBeforeStep(stops: DebugStops, done: number): boolean {
    const met = this.#guest.watchMet;
    if (met !== undefined) this.#stop(stops, met);
    else if (this.position + done >= this.#stopPosition) this.#stop(stops, { kind: 'position', processor: this.index });
    else return false;
    return true;
  }

  /** Shows the instruction at RIP, which can be fetched. */
  #show(watcher: StepWatcher): void {
    this.#currentInstructionLinear();
    try {
      watcher.before(this, this.#decodeAcross(this.instructionStartLow, this.instructionStartHigh));
    } catch (thrown) {
      // what is no instruction faults in its own time, below
      if (!(thrown instanceof GuestFault)) throw thrown;
      this.state.setLow(S.faultVector, NO_FAULT);
    }
  }

  #stopsAtBreakpoint(stops: DebugStops, done: number): boolean {
    this.#currentInstructionLinear();
    if (!stops.hasBreakpoint(this.instructionStartLow, this.instructionStartHigh)) return false;
    if (stops.watcher !== undefined) {
      stops.watcher.reached(this, this.instructionStartLow, this.instructionStartHigh);
      this.#debugNext = true;
      return false;
    }
    this.#debugNext = true;
    if (stops.position + done === stops.passPosition) return false;
    this.#stop(stops, { kind: 'breakpoint', processor: this.index });
    return true;
  }

  /** An exit as for a host's interrupt. In a straight line that reaches behind an alarm the clock stays before it, so that it rings where it would have. */
  #stop(stops: DebugStops, stop: DebugStop): void {
    this.#guest.watchMet = undefined;
    if (!this.#budgetMayEnd) this.#untoldTicks = Math.max(0, 1 - this.#left);
    this.exit.reset(ExitReason.ExternalInterrupt);
    stops.onStop(stop);
  }

  #afterLeave(leave: number): void {
    const { state } = this;
    switch (leave) {
      case Leave.Budget:
      case Leave.Lookup:
        return;
      case Leave.Continue:
        this.#budgetMayEnd = false;
        return;
      case Leave.Interpret:
        this.#budgetMayEnd = false;
        this.#interpret = true;
        return;
      case Leave.Link: {
        const from = state.low(S.exitRecord);
        const generation = this.#engine.code.generation;
        try {
          const target = this.#find();
          if (generation === this.#engine.code.generation && from < this.#scratch) this.#engine.code.link(from, target);
        } catch (thrown) {
          this.#deliverFault(thrown);
        }
        return;
      }
      case Leave.Fault:
        this.#guest.watchMet = undefined;
        this.#toRecord();
        this.#raisePending();
        return;
      case Leave.Stale: {
        this.#budgetMayEnd = false;
        const from = state.low(S.exitRecord);
        this.#toRecord();
        const generation = this.#engine.code.generation;
        try {
          const successor = this.#find();
          if (generation === this.#engine.code.generation && this.#i32[from >> 2] === Handler.Stale)
            this.#engine.code.forward(from, successor);
        } catch (thrown) {
          this.#deliverFault(thrown);
        }
        return;
      }
      case Leave.Straddle:
        this.#budgetMayEnd = false;
        this.#toRecord();
        if (!this.#guest.alone && this.stops !== null && this.stops.offsets[state.low(S.rip) & 4095] !== 0)
          this.#debugNext = true;
        else this.#straddle(state.low(S.exitRecord));
        return;
      case Leave.Step:
        if (this.#aloneForDebugger) this.#budgetMayEnd = false;
        this.#toRecord();
        return;
      case Leave.Hot:
        this.#budgetMayEnd = false;
        this.#compileHead(state.low(S.exitRecord));
        this.#toRecord();
        return;
      default:
        throw new Error(`broken invariant: generated code left with ${leave}`);
    }
  }

  /** Sets RIP to the start of the instruction at the exit record. */
  #toRecord(): void {
    const record = this.state.low(S.exitRecord);
    const offset = this.#u16[(record + R.nextOffset) >> 1]! - this.#u8[record + R.length]!;
    this.#setRipFromLinear(offset);
  }

  /** RIP = code page + offset, less the base of CS outside 64-bit mode. */
  #setRipFromLinear(offset: number): void {
    const { state } = this;
    const low = state.low(S.codePage) + offset;
    if (this.#mode === 64)
      state.set(S.rip, low, (state.high(S.codePage) + (low >>> 0 < state.low(S.codePage) >>> 0 ? 1 : 0)) | 0);
    else state.set(S.rip, low - state.low(S.segmentBase + 8), 0);
  }

  /** Turns linear S.rip, as generated code leaves it, into the record to run; `plain`: that of the instruction itself. May throw. */
  #find(plain = false): number {
    const { state } = this;
    const engine = this.#engine;
    let low = state.low(S.rip);
    let high = state.high(S.rip);
    if (this.#mode !== 64) {
      low = (low + state.low(S.segmentBase + 8)) | 0;
      high = 0;
    }
    state.set(S.codePage, low & ~4095, high);
    const entry = this.#codeEntry(low, high);
    const table = this.#i32[entry + 2]!;
    const hostPage = (this.#i32[entry + 3]! & ~4095) >>> 0;
    const { code } = engine;
    if (code.hasRoom)
      return plain
        ? code.findPlain(table, hostPage, low & 4095, this.#mode)
        : code.find(table, hostPage, low & 4095, this.#mode);
    code.dropAll();
    for (const user of engine.users) user.forgetCodeTlb();
    return this.#find(plain);
  }

  /** Index (in 32-bit words) of the code TLB entry for a linear page, filled now if it was not. May throw. */
  #codeEntry(low: number, high: number): number {
    const page = low & ~4095;
    const entry = (this.state.low(S.codeTlb) + codeEntryOffset(low)) >> 2;
    if (this.#i32[entry] === page && this.#i32[entry + 1] === high) return entry;
    const hostPage = this.#guest.walk(low, high, Access.Execute, this.state.low(S.cpl) === 3);
    if (hostPage < 0) this.#guest.throwPending();
    const known = this.#engine.code.table(hostPage, this.#mode, this.#forbidden);
    const table = known !== 0 ? known : this.#newTable(hostPage);
    this.#guest.tlbs.fillCode(entry, low, high, table, hostPage, this.#guest.walkedGlobal);
    return entry;
  }

  #newTable(hostPage: number): number {
    const { code, users } = this.#engine;
    if (!code.hasRoom) {
      code.dropAll();
      for (const user of users) user.forgetCodeTlb();
    }
    if (!code.isCode(hostPage)) for (const user of users) user.revokeWrites(hostPage);
    return code.createTable(hostPage, this.#mode, this.#forbidden);
  }

  #compileHead(head: number): void {
    const { state } = this;
    const { code } = this.#engine;
    const entry = (state.low(S.codeTlb) + codeEntryOffset(state.low(S.codePage))) >> 2;
    if (this.#i32[entry] !== state.low(S.codePage) || this.#i32[entry + 1] !== state.high(S.codePage) || !code.hasRoom)
      code.giveUp(head);
    else code.hot(head, this.#i32[entry + 2]!, (this.#i32[entry + 3]! & ~4095) >>> 0);
  }

  /** A copy of an instruction's record that stops after it. */
  #isolate(from: number): number {
    this.#u8.copyWithin(this.#scratch, from, from + RECORD_BYTES);
    this.#i32[this.#scratch >> 2] = this.#engine.handlers.unfused(this.#i32[from >> 2]!);
    this.#engine.binder.writeSpecial(
      this.#scratch + RECORD_BYTES,
      Handler.Step,
      this.#u16[(from + R.nextOffset) >> 1]!,
    );
    return this.#scratch;
  }

  /** Executes the instruction at RIP, whose bytes reach into the next page. */
  #straddle(record: number): void {
    try {
      this.#currentInstructionLinear();
      const low = this.instructionStartLow;
      const { code } = this.#engine;
      const nextLow = (low & ~4095) + 4096;
      const nextHigh = (this.instructionStartHigh + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
      const instruction = this.#decodeAcross(low, this.instructionStartHigh);
      if ((instruction.form.vectorState & this.#forbidden) !== 0)
        requireVectorState(this, instruction.form.vectorState);
      if (!this.#guest.alone && code.hasRoom) {
        const { generation } = code;
        const secondPage = (this.#i32[this.#codeEntry(nextLow, nextHigh) + 3]! & ~4095) >>> 0;
        if (generation === code.generation && !code.keepsStraddling(record, secondPage))
          code.keepStraddling(record, instruction, low & 4095, secondPage);
        return;
      }
      this.#engine.binder.write(this.#scratch, instruction, low & 4095, false);
      this.#engine.handlers.flush();
      this.#engine.binder.writeSpecial(this.#scratch + RECORD_BYTES, Handler.Step, (low & 4095) + instruction.length);
    } catch (thrown) {
      this.#deliverFault(thrown);
      return;
    }
    const leave = this.#runGenerated(this.#scratch, this.#guest.alone ? 1 : this.#left);
    if (leave === Leave.Host) this.#host();
    else this.#afterLeave(leave);
  }

  /** Linear address of the instruction at RIP, into instructionStart. */
  #currentInstructionLinear(): void {
    const { state } = this;
    this.instructionStartLow = state.low(S.rip);
    this.instructionStartHigh = state.high(S.rip);
    if (this.#mode !== 64) {
      this.instructionStartLow = (this.instructionStartLow + state.low(S.segmentBase + 8)) | 0;
      this.instructionStartHigh = 0;
    }
  }

  #decodeAcross(low: number, high: number, into?: Instruction): Instruction {
    const bytes = this.#straddling;
    const user = this.state.low(S.cpl) === 3;
    const first = this.#guest.walk(low, high, Access.Execute, user);
    if (first < 0) this.#guest.throwPending();
    const here = Math.min(15, 4096 - (low & 4095));
    for (let i = 0; i < here; i++) bytes[i] = this.#u8[first + (low & 4095) + i]!;
    const instruction = into ?? this.#acrossInstruction;
    const mode = this.#mode as 64;
    let result = this.#engine.decoder.decode(bytes, 0, here, mode, instruction);
    if (result === DecodeResult.Truncated && here < 15) {
      const nextLow = (low & ~4095) + 4096;
      const nextHigh = (high + (nextLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
      const second = this.#guest.walk(nextLow, nextHigh, Access.Execute, user);
      if (second < 0) this.#guest.throwPending();
      for (let i = here; i < 15; i++) bytes[i] = this.#u8[second + i - here]!;
      result = this.#engine.decoder.decode(bytes, 0, 15, mode, instruction);
    }
    if (result === DecodeResult.Invalid) throw new GuestFault(6);
    if (result !== DecodeResult.Ok) throw new GuestFault(13, 0);
    return instruction;
  }

  // ---- host operations

  /** Does the instruction at the exit record. */
  #host(): void {
    const { state } = this;
    const record = state.low(S.exitRecord);
    const long = this.#mode === 64;
    const startLow = state.low(S.codePage) + this.#u16[(record + R.nextOffset) >> 1]! - this.#u8[record + R.length]!;
    const startHigh = state.high(S.codePage);
    this.instructionStartLow = startLow;
    this.instructionStartHigh = startHigh;
    const ripLow = long ? startLow : (startLow - state.low(S.segmentBase + 8)) | 0;
    const ripHigh = long ? startHigh : 0;
    try {
      const { instruction, operation } = this.#engine.code.hostStep(record) ?? this.#decodeForHost(record);
      const nextLow = (ripLow + instruction.length) | 0;
      state.set(S.rip, nextLow, long && nextLow >>> 0 < ripLow >>> 0 ? (ripHigh + 1) | 0 : ripHigh);
      if (operation === undefined) {
        this.countUnimplemented(instruction);
        throw new GuestFault(6);
      }
      operation(this, instruction);
      if (this.#exiting) state.set(S.rip, ripLow, ripHigh);
      else this.#left--;
    } catch (thrown) {
      this.#guest.watchMet = undefined;
      state.set(S.rip, ripLow, ripHigh);
      this.#deliverFault(thrown);
    }
  }

  /** Decodes the instruction at RIP and keeps it, unless its record is only lent. */
  #decodeForHost(record: number): HostStep {
    const [low, high] = [this.instructionStartLow, this.instructionStartHigh];
    const lent = record === this.#scratch;
    const instruction = this.#decodeAcross(low, high, lent ? undefined : createInstruction());
    const step = { instruction, operation: this.#engine.operations[operationName(instruction)]?.host };
    if (!lent) this.#engine.code.keepHostStep(record, step);
    return step;
  }

  #deliverInjected({ vector, type, errorCode, instructionLength }: InjectedEvent): void {
    this.#injected = undefined;
    deliverEvent(this, vector, type, errorCode, instructionLength);
    this.delivered++;
  }

  #deliverFault(thrown: unknown): void {
    if (!(thrown instanceof GuestFault)) throw thrown;
    deliverEvent(this, thrown.vector, EVENT_EXCEPTION, thrown.errorCode, 0);
    this.delivered++;
  }

  #singleStepTrap(): void {
    this.state.setLow(S.dr6, this.state.low(S.dr6) | (1 << 14));
    deliverEvent(this, 1, EVENT_EXCEPTION, undefined, 0);
  }

  /** Delivers the fault that generated code or its memory access has noted. */
  #raisePending(): void {
    if (this.state.low(S.faultVector) === WATCHED_ACCESS) {
      this.state.setLow(S.faultVector, NO_FAULT);
      this.#debugNext = true;
      this.#budgetMayEnd = false;
      return;
    }
    try {
      this.#guest.throwPending();
    } catch (thrown) {
      this.#deliverFault(thrown);
    }
  }

  // ---- guest memory, by `GuestAccess`

  get secondLevel(): SecondLevel | null {
    return this.#guest.secondLevel;
  }

  set secondLevel(secondLevel: SecondLevel | null) {
    this.#guest.secondLevel = secondLevel;
  }

  /** null: nobody debugs */
  get stops(): DebugStops | null {
    return this.#guest.stops;
  }

  set stops(stops: DebugStops | null) {
    this.#guest.stops = stops;
  }

  load(low: number, high: number, sizeBytes: number, system = false): number {
    return this.#guest.load(low, high, sizeBytes, system);
  }

  store(low: number, high: number, sizeBytes: number, valueLow: number, valueHigh: number, system = false): void {
    this.#guest.store(low, high, sizeBytes, valueLow, valueHigh, system);
  }

  loadBytes(low: number, high: number, bytes: Uint8Array): void {
    this.#guest.loadBytes(low, high, bytes);
  }

  storeBytes(low: number, high: number, bytes: Uint8Array): void {
    this.#guest.storeBytes(low, high, bytes);
  }

  flushTlb(includingGlobal: boolean): void {
    this.#guest.tlbs.flush(includingGlobal);
  }

  flushTlbPage(low: number, high: number): void {
    this.#guest.tlbs.flushPage(low, high);
  }

  writePkru(value: number): void {
    this.#guest.writePkru(value);
  }

  forgetWatched(watch: Watch): void {
    this.#guest.forgetWatched(watch);
  }

  invalidateSecondLevel(): void {
    this.#guest.invalidateSecondLevel();
  }

  hostPageReplaced(hostPage: number): void {
    this.#guest.hostPageReplaced(hostPage);
  }

  addressOf(instruction: Instruction, offsetBytes = 0): void {
    const { state } = this;
    let low = instruction.displacement;
    let high = instruction.displacementHigh;
    const add = (moreLow: number, moreHigh: number): void => {
      const sum = (low + moreLow) | 0;
      high = (high + moreHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0;
      low = sum;
    };
    if (instruction.base === 16) {
      add(this.instructionStartLow, this.instructionStartHigh);
      add(instruction.length, 0);
    } else if (instruction.base >= 0)
      add(state.low(S.gpr + instruction.base * 8), state.high(S.gpr + instruction.base * 8));
    if (instruction.index >= 0) {
      const shift = instruction.scaleShift;
      const indexLow = state.low(S.gpr + instruction.index * 8);
      const indexHigh = state.high(S.gpr + instruction.index * 8);
      add(indexLow << shift, shift === 0 ? indexHigh : (indexHigh << shift) | (indexLow >>> (32 - shift)));
    }
    add(offsetBytes, offsetBytes >> 31);
    if (instruction.addressSize === 32) high = 0;
    else if (instruction.addressSize === 16) {
      low &= 0xffff;
      high = 0;
    }
    add(state.low(S.segmentBase + instruction.segment * 8), state.high(S.segmentBase + instruction.segment * 8));
    this.addressLow = low;
    this.addressHigh = this.#mode === 64 ? high : 0;
  }

  modeChanged(): void {
    const { state } = this;
    const user = state.low(S.cpl) === 3;
    state.setLow(S.dataTlb, this.#guest.dataTlbOf(user, false));
    state.setLow(S.codeTlb, this.#guest.tlbs.code + (user ? 0 : CODE_TLB_BYTES));
    state.setLow(S.jumpCache, this.#guest.tlbs.jumps.caches + (user ? 0 : JUMP_CACHE_BYTES));
    const rights = state.low(S.segmentRights + 4);
    const mode =
      (state.low(S.efer) & EFER_LMA) !== 0 && (rights & RIGHTS_LONG) !== 0 ? 64 : (rights & RIGHTS_BIG) !== 0 ? 32 : 16;
    const forbidden = forbiddenVectorStates(this) & this.#engine.vectorStates;
    if (mode !== this.#mode || forbidden !== this.#forbidden) {
      this.#mode = mode;
      this.#forbidden = forbidden;
      this.#guest.forgetCodeTlb();
    }
  }

  // ---- the rest of what host-side code may ask

  get position(): number {
    return this.retired + this.delivered;
  }

  readRflags(): number {
    return packRflags(this.state);
  }

  writeRflags(value: number): void {
    unpackRflags(this.state, value);
    this.modeChanged();
  }

  exitFor(reason: ExitReason, instruction: Instruction): VmExit {
    this.exit.reset(reason);
    this.exit.instructionLength = instruction.length;
    return VM_EXIT;
  }

  leave(reason: ExitReason, instruction: Instruction): void {
    this.exitFor(reason, instruction);
    this.#exiting = true;
  }

  pause(): void {
    this.#paused = this.#clock.contended;
  }

  readTsc(): void {
    const { state } = this;
    const tsc = state.float(S.tscAtEnd) - state.low(S.remaining);
    this.dataLow = tsc | 0;
    this.dataHigh = Math.floor(tsc / 0x1_0000_0000);
  }

  countUnimplemented(instruction: Instruction): void {
    const { mnemonic } = instruction.form;
    this.unimplemented.set(mnemonic, (this.unimplemented.get(mnemonic) ?? 0) + 1);
  }

  skipInstruction(lengthBytes: number): void {
    const { state } = this;
    const low = (state.low(S.rip) + lengthBytes) | 0;
    state.set(
      S.rip,
      low,
      this.#mode === 64 ? (state.high(S.rip) + (low >>> 0 < state.low(S.rip) >>> 0 ? 1 : 0)) | 0 : 0,
    );
    state.setLow(S.interruptShadow, 0);
    this.retired++;
    this.#clock.advance(1);
  }

  inject(vector: number, type: number, errorCode?: number, instructionLength = 0): void {
    this.#injected = { vector, type, errorCode, instructionLength };
  }
}
