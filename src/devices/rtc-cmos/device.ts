/** The real-time clock with its CMOS RAM: the date comes from the run's configuration and virtual time. */
import type { StateVisitor } from '../../bits/index.ts';
import type { Clock } from '../../time/index.ts';
import type { Device } from '../device.ts';
import {
  CMOS_BYTES,
  HOURS_PM,
  INDEX_MASK,
  Port,
  Register,
  STATUS_A_RESET,
  STATUS_A_WRITABLE,
  STATUS_D,
  StatusB,
} from './spec.ts';

const TICKS_PER_SECOND = 1e9;
const TIME_REGISTERS: ReadonlySet<number> = new Set([
  Register.Seconds,
  Register.Minutes,
  Register.Hours,
  Register.DayOfWeek,
  Register.DayOfMonth,
  Register.Month,
  Register.Year,
  Register.Century,
]);

export class RtcCmos implements Device {
  readonly #clock: Clock;

  #index = 0;
  readonly #cmos = new Uint8Array(CMOS_BYTES);
  /** Unix seconds at tick 0 */
  #epochSeconds: number;

  /** @param startUnixSeconds the date and time (UTC) at tick 0 */
  constructor(clock: Clock, startUnixSeconds: number) {
    this.#clock = clock;
    this.#epochSeconds = startUnixSeconds;
    this.#cmos[Register.StatusA] = STATUS_A_RESET;
    this.#cmos[Register.StatusB] = StatusB.Hours24;
  }

  visitState(state: StateVisitor): void {
    this.#index = state.number('index', this.#index);
    state.array('cmos', this.#cmos);
    this.#epochSeconds = state.number('epochSeconds', this.#epochSeconds);
  }

  read(offset: number): number {
    if (offset !== Port.Data) return 0xff;
    const index = this.#index;
    if (index === Register.StatusC) return 0; // no periodic, alarm or update interrupt is ever flagged
    if (index === Register.StatusD) return STATUS_D;
    if (TIME_REGISTERS.has(index) && (this.#statusB & StatusB.Set) === 0) this.#latch();
    return this.#cmos[index]!;
  }

  write(offset: number, _sizeBytes: number, value: number): void {
    if (offset === Port.Index) {
      this.#index = value & INDEX_MASK;
      return;
    }
    switch (this.#index) {
      case Register.StatusA:
        this.#cmos[Register.StatusA] = value & STATUS_A_WRITABLE;
        break;
      case Register.StatusB:
        this.#writeStatusB(value);
        break;
      case Register.StatusC:
      case Register.StatusD:
        break;
      default:
        if (!TIME_REGISTERS.has(this.#index)) this.#cmos[this.#index] = value;
        else if (this.#statusB & StatusB.Set) this.#cmos[this.#index] = value;
        else {
          this.#latch();
          this.#cmos[this.#index] = value;
          this.#adopt();
        }
    }
  }

  get #statusB(): number {
    return this.#cmos[Register.StatusB]!;
  }

  get #elapsedSeconds(): number {
    return Math.floor(this.#clock.nowTicks / TICKS_PER_SECOND);
  }

  /** Updates stop while SET is 1; the time written meanwhile counts from its fall. */
  #writeStatusB(value: number): void {
    if (~this.#statusB & value & StatusB.Set) this.#latch();
    const resumes = this.#statusB & ~value & StatusB.Set;
    this.#cmos[Register.StatusB] = value;
    if (resumes) this.#adopt();
  }

  /** Date to registers. */
  #latch(): void {
    const date = new Date((this.#epochSeconds + this.#elapsedSeconds) * 1000);
    const hours = date.getUTCHours();
    const year = date.getUTCFullYear();
    const put = (register: number, value: number) => {
      this.#cmos[register] = this.#encode(value);
    };
    put(Register.Seconds, date.getUTCSeconds());
    put(Register.Minutes, date.getUTCMinutes());
    put(Register.DayOfWeek, date.getUTCDay() + 1);
    put(Register.DayOfMonth, date.getUTCDate());
    put(Register.Month, date.getUTCMonth() + 1);
    put(Register.Year, year % 100);
    put(Register.Century, Math.floor(year / 100));
    if (this.#statusB & StatusB.Hours24) put(Register.Hours, hours);
    else {
      put(Register.Hours, hours % 12 === 0 ? 12 : hours % 12);
      if (hours >= 12) this.#cmos[Register.Hours]! |= HOURS_PM;
    }
  }

  /** Registers to date. */
  #adopt(): void {
    const get = (register: number) => this.#decode(this.#cmos[register]!);
    let hours: number;
    if (this.#statusB & StatusB.Hours24) hours = get(Register.Hours);
    else {
      const byte = this.#cmos[Register.Hours]!;
      hours = (this.#decode(byte & ~HOURS_PM) % 12) + (byte & HOURS_PM ? 12 : 0);
    }
    const year = get(Register.Century) * 100 + get(Register.Year);
    const millis = Date.UTC(
      year,
      get(Register.Month) - 1,
      get(Register.DayOfMonth),
      hours,
      get(Register.Minutes),
      get(Register.Seconds),
    );
    this.#epochSeconds = millis / 1000 - this.#elapsedSeconds;
  }

  #encode(value: number): number {
    return this.#statusB & StatusB.Binary ? value : Math.floor(value / 10) * 16 + (value % 10);
  }

  #decode(byte: number): number {
    return this.#statusB & StatusB.Binary ? byte : (byte >> 4) * 10 + (byte & 15);
  }
}
