/** One logical processor: runs predecoded code, does what generated code leaves to the host, and stops with an exit. */
import type { StateVisitor } from '../bits/index.ts';
import { createInstruction, type Instruction, Rflags, Vector } from '../isa/index.ts';
import type { HostMemory } from '../memory/index.ts';
import type { Clock } from '../time/index.ts';
import { EventType } from './architecture.ts';
import { Controls } from './controls.ts';
import type { DebugStop, DebugStops, Watch } from './debug-stops.ts';
import { DebuggedRun } from './debugged-run.ts';
import { operationName } from './engine/binder.ts';
import type { Engine } from './engine/engine.ts';
import type { HostStep } from './engine/host-steps.ts';
import { Leave, R } from './engine/record.ts';
import { deliverEvent } from './events.ts';
import { ExitReason, ExitRecord } from './exit.ts';
import { packRflags, unpackRflags } from './flags.ts';
import { GuestAccess, NO_FAULT, WATCHED_ACCESS } from './guest-access.ts';
import { type GuestEvent, visitInjected } from './guest-event.ts';
import { InstructionFetch } from './instruction-fetch.ts';
import { LoneRecord } from './lone-record.ts';
import { type EntropySource, GuestFault, type LogicalProcessor, VM_EXIT, VmExit } from './processor.ts';
import type { Sampler } from './sampler.ts';
import type { SecondLevel } from './second-level.ts';
import { CpuState, S, STATE_BYTES } from './state.ts';
import { VirtualApic } from './virtual-apic.ts';
import { VirtualizationExceptionInformation } from './virtualization-exception.ts';

const LONGEST_RUN_TICKS = 1 << 30;

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
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #lone: LoneRecord;
  readonly #guest: GuestAccess;
  readonly #fetch: InstructionFetch;
  /** null: nobody debugs */
  #debugged: DebuggedRun | null = null;
  /** ticks that a debugger's stop in a straight line keeps from the clock, because they reach behind an alarm */
  #untoldTicks = 0;
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
  #injected: GuestEvent | undefined;

  constructor(options: CpuOptions) {
    const { engine } = options;
    this.#engine = engine;
    this.#clock = options.clock;
    this.index = options.index;
    this.entropy = options.entropy;
    this.memory = engine.memory;
    this.#u8 = engine.memory.u8;
    this.#u16 = new Uint16Array(engine.memory.wasm.buffer);
    const base = engine.memory.reserveProcessorArea(STATE_BYTES);
    this.#lone = new LoneRecord(engine);
    this.state = new CpuState(engine.memory.wasm, base);
    this.state.setLow(S.rflags, 2);
    this.state.setLow(S.mxcsr, 0x1f80);
    this.state.setLow(S.fpuControl, 0x37f);
    this.state.setLow(S.faultVector, NO_FAULT);
    this.state.set(S.flagsResult, 1, 0);
    this.#guest = new GuestAccess(this, engine);
    this.#fetch = new InstructionFetch(this, engine, this.#guest, this.#lone);
    this.modeChanged();
    engine.users.push(this.#guest);
  }

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
    this.#fetch.visitState(state);
    this.#untoldTicks = state.number('untoldTicks', this.#untoldTicks);
    state.fields('apic', this.apic);
    state.fields('exit', this.exit);
    state.fields('virtualizationException', this.virtualizationException);
    this.#injected = visitInjected(state, this.#injected);
    state.part('guest', this.#guest);
    if (state.restoring) {
      if (this.#debugged !== null) this.#debugged.nextAlone = false;
      this.modeChanged();
      this.#fetch.findTables();
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
    this.#debugged?.begin();
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
    const { state, apic, sampler } = this;
    const { code, mixer } = this.#engine;
    const debugged = this.#debugged;
    const headroom = this.#left;
    this.#tscAtEnd = this.#clock.nowTicks + untold + this.tscOffsetTicks + headroom;
    while (!this.#exiting) {
      code.collect();
      if ((this.#left <= 0 && this.#budgetMayEnd) || this.#paused) {
        this.#paused = false;
        this.exit.reset(ExitReason.ExternalInterrupt);
        return;
      }
      if (debugged !== null && this.#stopsFor(debugged, debugged.stopBeforeStep(headroom - this.#left))) return;
      if (this.#injected !== undefined) {
        const event = this.#injected;
        this.#injected = undefined;
        this.#deliver(event);
        continue;
      }
      const pending = apic.hasPending;
      state.setLow(S.interruptPending, pending ? 1 : 0);
      const rflags = state.low(S.rflags);
      const shadow = state.low(S.interruptShadow);
      if (pending && shadow === 0 && (rflags & Rflags.IF) !== 0) {
        const vector = apic.acknowledge();
        this.onInterrupt?.(vector, headroom - this.#left);
        this.#deliver({ vector, type: EventType.ExternalInterrupt, errorCode: undefined, instructionLength: 0 });
        continue;
      }
      let alone = shadow !== 0 || (rflags & Rflags.TF) !== 0;
      let budget = this.#left;
      if (debugged !== null) {
        const done = headroom - this.#left;
        if (this.#stopsFor(debugged, debugged.stopAtBreakpoint(done))) return;
        budget = Math.min(budget, debugged.plan(alone, done));
        alone ||= debugged.alone;
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
        leave = alone ? this.#enterAlone() : this.#enter(budget);
      } catch (thrown) {
        this.#interpret = false;
        this.#deliverFault(thrown);
        continue;
      }
      if (leave === Leave.Host) this.#host();
      else this.#afterLeave(leave);
      if (debugged !== null && this.#left < before) debugged.watcher?.after(this);
      if (alone && (rflags & Rflags.TF) !== 0 && leave !== Leave.Fault && this.#injected === undefined)
        this.#singleStepTrap();
    }
  }

  /** True, with an exit as for a host's interrupt, if there is a stop. In a straight line that reaches behind an alarm the clock stays before it, so that it rings where it would have. */
  #stopsFor(debugged: DebuggedRun, stop: DebugStop | undefined): boolean {
    if (stop === undefined) return false;
    if (!this.#budgetMayEnd) this.#untoldTicks = Math.max(0, 1 - this.#left);
    this.exit.reset(ExitReason.ExternalInterrupt);
    debugged.tell(stop);
    return true;
  }

  /** Goes on at RIP; returns why generated code gave control back. Throws what fetching the first instruction raises. */
  #enter(budget: number): number {
    if (this.#fetch.mode === 64 && !this.#interpret) {
      const leave = this.#runGenerated(0, budget);
      if (leave !== Leave.Unknown) return leave;
    }
    const record = this.#fetch.find(this.#interpret);
    this.#interpret = false;
    return this.#runGenerated(record, budget);
  }

  /** Executes the instruction at RIP and no other; for the rest as `#enter`. */
  #enterAlone(): number {
    const record = this.#fetch.find(true);
    this.#interpret = false;
    this.#debugged?.show();
    this.state.setLow(S.interruptShadow, 0);
    return this.#runGenerated(this.#lone.copy(record), 1);
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

  #afterLeave(leave: number): void {
    const record = this.state.low(S.exitRecord);
    try {
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
        case Leave.Link:
          this.#fetch.link(record);
          return;
        case Leave.Fault:
          this.#guest.watchMet = undefined;
          this.#fetch.returnTo(record);
          this.#raisePending();
          return;
        case Leave.Stale:
          this.#budgetMayEnd = false;
          this.#fetch.replace(record);
          return;
        case Leave.Straddle:
          this.#budgetMayEnd = false;
          this.#fetch.returnTo(record);
          this.#straddle(record);
          return;
        case Leave.Step:
          if (this.#debugged?.alone) this.#budgetMayEnd = false;
          this.#fetch.returnTo(record);
          return;
        case Leave.Hot:
          this.#budgetMayEnd = false;
          this.#fetch.compile(record);
          this.#fetch.returnTo(record);
          return;
        default:
          throw new Error(`broken invariant: generated code left with ${leave}`);
      }
    } catch (thrown) {
      this.#deliverFault(thrown);
    }
  }

  /** Executes the instruction at RIP, whose bytes reach into the next page, or which is to go alone. May throw. */
  #straddle(record: number): void {
    const { alone } = this.#guest;
    const debugged = this.#debugged;
    if (!alone && debugged?.caresFor(this.state.low(S.rip))) {
      debugged.nextAlone = true;
      return;
    }
    const complete = this.#fetch.completeStraddling(record);
    if (complete === 0) return;
    const leave = this.#runGenerated(complete, alone ? 1 : this.#left);
    if (leave === Leave.Host) this.#host();
    else this.#afterLeave(leave);
  }

  // ---- host operations

  /** Does the instruction at the exit record. */
  #host(): void {
    const { state } = this;
    const record = state.low(S.exitRecord);
    const long = this.#fetch.mode === 64;
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
        throw new GuestFault(Vector.UD);
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

  /** Decodes the instruction at instructionStart and keeps it, unless its record is only lent. */
  #decodeForHost(record: number): HostStep {
    const lent = this.#lone.isLent(record);
    const instruction = this.#fetch.decode(lent ? undefined : createInstruction());
    const step = { instruction, operation: this.#engine.operations[operationName(instruction)]?.host };
    if (!lent) this.#engine.code.keepHostStep(record, step);
    return step;
  }

  // ---- events

  #deliver(event: GuestEvent): void {
    deliverEvent(this, event);
    this.delivered++;
  }

  #deliverFault(thrown: unknown): void {
    if (!(thrown instanceof GuestFault)) throw thrown;
    const { vector, errorCode } = thrown;
    this.#deliver({ vector, type: EventType.HardwareException, errorCode, instructionLength: 0 });
  }

  #singleStepTrap(): void {
    this.state.setLow(S.dr6, this.state.low(S.dr6) | (1 << 14));
    deliverEvent(this, {
      vector: Vector.DB,
      type: EventType.HardwareException,
      errorCode: undefined,
      instructionLength: 0,
    });
  }

  /** Delivers the fault that generated code or its memory access has noted. */
  #raisePending(): void {
    if (this.state.low(S.faultVector) !== WATCHED_ACCESS) this.#guest.throwPending();
    this.state.setLow(S.faultVector, NO_FAULT);
    this.#debugged!.nextAlone = true;
    this.#budgetMayEnd = false;
  }

  // ---- guest memory, by `GuestAccess`

  get secondLevel(): SecondLevel | null {
    return this.#guest.secondLevel;
  }

  set secondLevel(secondLevel: SecondLevel | null) {
    this.#guest.secondLevel = secondLevel;
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

  // ---- the rest of what host-side code may ask

  /** Lets a debugger stop the next runs. @param stops null: nobody debugs any more */
  debugWith(stops: DebugStops | null): void {
    this.#guest.stops = stops;
    this.#debugged = stops === null ? null : new DebuggedRun(this, this.#guest, this.#fetch, stops);
  }

  get position(): number {
    return this.retired + this.delivered;
  }

  modeChanged(): void {
    this.#guest.chooseTlbs();
    this.#fetch.modeChanged();
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
      this.#fetch.mode === 64 ? (state.high(S.rip) + (low >>> 0 < state.low(S.rip) >>> 0 ? 1 : 0)) | 0 : 0,
    );
    state.setLow(S.interruptShadow, 0);
    this.retired++;
    this.#clock.advance(1);
  }

  inject(vector: number, type: number, errorCode?: number, instructionLength = 0): void {
    this.#injected = { vector, type, errorCode, instructionLength };
  }
}
