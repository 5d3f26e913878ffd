/**
 * The VMM's half of a TD vCPU's local APIC: the registers that are not on the virtual-APIC page (SDM vol. 3, "Advanced
 * Programmable Interrupt Controller", x2APIC mode). TPR, EOI, ISR, TMR and IRR never come here; neither does what they
 * decide: all this half can do is post a vector.
 */
import type { StateVisitor } from '../bits/index.ts';
import type { Alarm, Clock } from '../time/index.ts';

/** x2APIC registers by MSR number. */
export const X2ApicMsr = {
  ApicBase: 0x1b,
  TscDeadline: 0x6e0,
  Id: 0x802,
  Version: 0x803,
  LogicalDestination: 0x80d,
  SpuriousVector: 0x80f,
  ErrorStatus: 0x828,
  InterruptCommand: 0x830,
  LvtTimer: 0x832,
  LvtThermal: 0x833,
  LvtPerformance: 0x834,
  LvtLint0: 0x835,
  LvtLint1: 0x836,
  LvtError: 0x837,
  InitialCount: 0x838,
  CurrentCount: 0x839,
  DivideConfiguration: 0x83e,
} as const;

/** Integrated APIC, highest LVT entry 5. */
const VERSION = 0x5_0014;
/** xAPIC and x2APIC both enabled: a TD is never in another mode. */
const APIC_BASE = 0xfee0_0000 | 0x800 | 0x400;
const APIC_BASE_BOOTSTRAP = 0x100;

const SVR_ENABLE = 0x100;
const SVR_WRITABLE = 0x1ff;
const LVT_MASKED = 0x1_0000;
const LVT_WRITABLE = 0x1_a7ff;
const LVT_TIMER_WRITABLE = 0x7_00ff | LVT_MASKED;
const TimerMode = { OneShot: 0, Periodic: 1, TscDeadline: 2 } as const;

const DeliveryMode = { Fixed: 0, LowestPriority: 1, Nmi: 4 } as const;
const Shorthand = { None: 0, Self: 1, All: 2, AllButSelf: 3 } as const;
const ICR_LOGICAL = 0x800;
const BROADCAST = 0xffff_ffff;

/** The timer counts at the crystal of CPUID leaf 0x15. */
const TICKS_PER_CRYSTAL_CYCLE = 40;

/** An interrupt on its way to local APICs. */
export interface ApicMessage {
  readonly vector: number;
  readonly deliveryMode: number;
  readonly logical: boolean;
  /** x2APIC id, logical id, or all ones for everyone */
  readonly destination: number;
}

export interface X2ApicOptions {
  readonly apicId: number;
  readonly bootstrap: boolean;
  readonly clock: Clock;
  /** tick at which the guest's TSC was 0; the TSC counts ticks */
  readonly tscOriginTicks: number;
  /** requests an interrupt of this vCPU */
  readonly post: (vector: number) => void;
  readonly postNmi: () => void;
  /** carries an interrupt command to its destinations, which may include the sender; `exceptSender` takes it out */
  readonly send: (message: ApicMessage, exceptSender: boolean) => void;
}

export class X2Apic {
  readonly apicId: number;
  readonly #options: X2ApicOptions;

  #spuriousVector = 0xff;
  #interruptCommand = 0n;
  /** 0x832-0x837 */
  readonly #lvt = new Uint32Array(6).fill(LVT_MASKED);
  #divideConfiguration = 0;
  #initialCount = 0;
  /** tick at which the count was `initialCount` */
  #countStartTicks = 0;
  #deadline = 0n;
  #alarm: Alarm | undefined;

  constructor(options: X2ApicOptions) {
    this.#options = options;
    this.apicId = options.apicId;
  }

  /** Sets its alarm again when restoring. */
  visitState(state: StateVisitor): void {
    this.#spuriousVector = state.number('spuriousVector', this.#spuriousVector);
    this.#interruptCommand = state.big('interruptCommand', this.#interruptCommand);
    state.array('lvt', this.#lvt);
    this.#divideConfiguration = state.number('divideConfiguration', this.#divideConfiguration);
    this.#initialCount = state.number('initialCount', this.#initialCount);
    this.#countStartTicks = state.number('countStartTicks', this.#countStartTicks);
    this.#deadline = state.big('deadline', this.#deadline);
    const isSet = state.flag('alarmSet', this.#alarm !== undefined);
    const atTicks = state.number('alarmTicks', this.#alarm?.atTicks ?? 0);
    const order = state.number('alarmOrder', this.#alarm?.order ?? 0);
    if (!state.restoring) return;
    const ring = this.#timerMode === TimerMode.TscDeadline ? this.#deadlineReached : this.#countedDown;
    this.#alarm = isSet ? this.#options.clock.schedule(atTicks, ring, order) : undefined;
  }

  get hasAlarm(): boolean {
    return this.#alarm !== undefined;
  }

  /** Value of a register this half owns; undefined if there is none or it cannot be read. */
  read(msr: number): bigint | undefined {
    switch (msr) {
      case X2ApicMsr.ApicBase:
        return BigInt(APIC_BASE >>> 0) | BigInt(this.#options.bootstrap ? APIC_BASE_BOOTSTRAP : 0);
      case X2ApicMsr.Id:
        return BigInt(this.apicId);
      case X2ApicMsr.Version:
        return BigInt(VERSION);
      case X2ApicMsr.LogicalDestination:
        return BigInt(this.#logicalId >>> 0);
      case X2ApicMsr.SpuriousVector:
        return BigInt(this.#spuriousVector);
      case X2ApicMsr.ErrorStatus:
        return 0n;
      case X2ApicMsr.InterruptCommand:
        return this.#interruptCommand;
      case X2ApicMsr.InitialCount:
        return BigInt(this.#initialCount);
      case X2ApicMsr.CurrentCount:
        return BigInt(this.#currentCount());
      case X2ApicMsr.DivideConfiguration:
        return BigInt(this.#divideConfiguration);
      case X2ApicMsr.TscDeadline:
        return this.#deadline;
      default:
        return isLvt(msr) ? BigInt(this.#lvt[msr - X2ApicMsr.LvtTimer]!) : undefined;
    }
  }

  /** Returns false if there is no such register or it cannot be written. */
  write(msr: number, value: bigint): boolean {
    const low = Number(value & 0xffff_ffffn);
    switch (msr) {
      case X2ApicMsr.SpuriousVector:
        this.#writeSpuriousVector(low);
        return true;
      case X2ApicMsr.ErrorStatus:
        return value === 0n;
      case X2ApicMsr.InterruptCommand:
        this.#interruptCommand = value;
        this.#sendInterrupt(low, Number(value >> 32n));
        return true;
      case X2ApicMsr.InitialCount:
        this.#startCount(low);
        return true;
      case X2ApicMsr.DivideConfiguration:
        this.#changeDivider(low & 0xb);
        return true;
      case X2ApicMsr.TscDeadline:
        this.#setDeadline(value);
        return true;
      case X2ApicMsr.LvtTimer:
        this.#writeLvtTimer(low);
        return true;
      default:
        if (!isLvt(msr)) return false;
        this.#lvt[msr - X2ApicMsr.LvtTimer] = this.#maskWhileDisabled(low & LVT_WRITABLE);
        return true;
    }
  }

  /** Takes an interrupt that was sent here. A disabled APIC takes NMIs only. */
  accept(vector: number, deliveryMode: number): void {
    if (deliveryMode === DeliveryMode.Nmi) this.#options.postNmi();
    else if (deliveryMode === DeliveryMode.Fixed || deliveryMode === DeliveryMode.LowestPriority) {
      if (this.#enabled && vector >= 16) this.#options.post(vector);
    }
    // INIT and SIPI do not exist for a TD's vCPUs; SMI and ExtINT have no source here
  }

  /** Is a message addressed to this APIC? */
  matches(message: ApicMessage): boolean {
    if (message.destination === BROADCAST) return true;
    if (!message.logical) return message.destination === this.apicId;
    const logicalId = this.#logicalId;
    return message.destination >>> 16 === logicalId >>> 16 && (message.destination & logicalId & 0xffff) !== 0;
  }

  get #enabled(): boolean {
    return (this.#spuriousVector & SVR_ENABLE) !== 0;
  }

  /** Cluster in bits 31:16, one bit of 15:0 within it. */
  get #logicalId(): number {
    return ((this.apicId >> 4) << 16) | (1 << (this.apicId & 15));
  }

  #maskWhileDisabled(lvt: number): number {
    return this.#enabled ? lvt : lvt | LVT_MASKED;
  }

  #writeSpuriousVector(value: number): void {
    this.#spuriousVector = value & SVR_WRITABLE;
    if (!this.#enabled) for (let i = 0; i < this.#lvt.length; i++) this.#lvt[i]! |= LVT_MASKED;
  }

  #sendInterrupt(low: number, destination: number): void {
    const vector = low & 0xff;
    const deliveryMode = (low >> 8) & 7;
    const shorthand = (low >> 18) & 3;
    if (shorthand === Shorthand.Self) {
      this.accept(vector, deliveryMode);
      return;
    }
    const toAll = shorthand !== Shorthand.None;
    const message: ApicMessage = {
      vector,
      deliveryMode,
      logical: !toAll && (low & ICR_LOGICAL) !== 0,
      destination: toAll ? BROADCAST : destination,
    };
    this.#options.send(message, shorthand === Shorthand.AllButSelf);
  }

  get #timerMode(): number {
    return (this.#lvt[0]! >> 17) & 3;
  }

  #writeLvtTimer(value: number): void {
    const before = this.#timerMode;
    this.#lvt[0] = this.#maskWhileDisabled(value & LVT_TIMER_WRITABLE);
    const after = this.#timerMode;
    if (before === after) return;
    if (before === TimerMode.TscDeadline || after === TimerMode.TscDeadline) {
      this.#disarm();
      this.#initialCount = 0;
    }
  }

  #fire(): void {
    const lvt = this.#lvt[0]!;
    if ((lvt & LVT_MASKED) === 0) this.accept(lvt & 0xff, DeliveryMode.Fixed);
  }

  #disarm(): void {
    if (this.#alarm !== undefined) this.#options.clock.cancel(this.#alarm);
    this.#alarm = undefined;
    this.#deadline = 0n;
  }

  /** Writes are ignored unless the timer is in TSC-deadline mode; 0 disarms. */
  #setDeadline(deadline: bigint): void {
    if (this.#timerMode !== TimerMode.TscDeadline) return;
    this.#disarm();
    if (deadline === 0n) return;
    this.#deadline = deadline;
    const atTicks = Number(deadline) + this.#options.tscOriginTicks;
    if (atTicks > Number.MAX_SAFE_INTEGER) return; // further away than any run
    this.#alarm = this.#options.clock.schedule(atTicks, this.#deadlineReached);
  }

  readonly #deadlineReached = (): void => {
    this.#disarm();
    this.#fire();
  };

  get #ticksPerCount(): number {
    const code = ((this.#divideConfiguration >> 1) & 4) | (this.#divideConfiguration & 3);
    const divider = code === 7 ? 1 : 2 << code;
    return divider * TICKS_PER_CRYSTAL_CYCLE;
  }

  /** Writing 0 stops; in TSC-deadline mode the count registers are dead. */
  #startCount(count: number): void {
    if (this.#timerMode === TimerMode.TscDeadline) return;
    this.#disarm();
    this.#initialCount = count;
    this.#countStartTicks = this.#options.clock.nowTicks;
    this.#scheduleCount();
  }

  #scheduleCount(): void {
    if (this.#initialCount === 0) return;
    this.#alarm = this.#options.clock.schedule(this.#countEndTicks, this.#countedDown);
  }

  get #countEndTicks(): number {
    return this.#countStartTicks + this.#initialCount * this.#ticksPerCount;
  }

  readonly #countedDown = (): void => {
    this.#alarm = undefined;
    if (this.#timerMode === TimerMode.Periodic) {
      this.#countStartTicks = this.#countEndTicks;
      this.#scheduleCount();
    }
    this.#fire();
  };

  #currentCount(): number {
    if (this.#alarm === undefined || this.#timerMode === TimerMode.TscDeadline) return 0;
    const counted = Math.floor((this.#options.clock.nowTicks - this.#countStartTicks) / this.#ticksPerCount);
    return Math.max(0, this.#initialCount - counted);
  }

  /** What is left of a running count goes on at the new rate. */
  #changeDivider(value: number): void {
    const left = this.#currentCount();
    this.#divideConfiguration = value;
    if (left === 0) return;
    this.#disarm();
    this.#countStartTicks = this.#options.clock.nowTicks - (this.#initialCount - left) * this.#ticksPerCount;
    this.#scheduleCount();
  }
}

function isLvt(msr: number): boolean {
  return msr >= X2ApicMsr.LvtTimer && msr <= X2ApicMsr.LvtError;
}
