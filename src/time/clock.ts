/** Virtual time. One tick is one nanosecond and one retired instruction; it advances only when told to. */
import type { StateVisitor } from '../bits/index.ts';

export interface Alarm {
  /** Absolute time in ticks. */
  readonly atTicks: number;
  readonly ring: () => void;
  /** alarms that were set before: of those due together the older ring first */
  readonly order: number;
}

export class Clock {
  #nowTicks = 0;
  #alarms: Alarm[] = [];
  #scheduled = 0;
  /** where whoever spends time must stop although nothing rings there; Infinity: nowhere */
  stopAtTicks = Number.POSITIVE_INFINITY;
  /** somebody else waits for the time that is being spent: who only waits for him (PAUSE) had better stop */
  contended = false;

  /** Ticks since the platform was switched on; exact to 2^53. */
  get nowTicks(): number {
    return this.#nowTicks;
  }

  advance(deltaTicks: number): void {
    this.#nowTicks += deltaTicks;
  }

  /** Rings once at or after `atTicks`. Alarms due together ring in order of registration. @param order of an alarm that is set again, from a snapshot */
  schedule(atTicks: number, ring: () => void, order = this.#scheduled++): Alarm {
    const alarm: Alarm = { atTicks, ring, order };
    const isBefore = (other: Alarm) => other.atTicks > atTicks || (other.atTicks === atTicks && other.order > order);
    let index = this.#alarms.length;
    while (index > 0 && isBefore(this.#alarms[index - 1]!)) index--;
    this.#alarms.splice(index, 0, alarm);
    return alarm;
  }

  cancel(alarm: Alarm): void {
    const index = this.#alarms.indexOf(alarm);
    if (index >= 0) this.#alarms.splice(index, 1);
  }

  /** Alarms that are set. */
  get alarmCount(): number {
    return this.#alarms.length;
  }

  /** Forgets every alarm when restoring: who had set them sets them again. */
  visitState(state: StateVisitor): void {
    this.#nowTicks = state.number('nowTicks', this.#nowTicks);
    this.#scheduled = state.number('scheduled', this.#scheduled);
    if (state.restoring) this.#alarms = [];
  }

  /** Tick of the next alarm; Infinity when none is set. */
  get nextAlarmTicks(): number {
    return this.#alarms[0]?.atTicks ?? Number.POSITIVE_INFINITY;
  }

  /** Ticks that may be spent at once: until the next alarm or `stopAtTicks`, at least 0; Infinity when there is neither. */
  headroomTicks(): number {
    return Math.max(0, Math.min(this.nextAlarmTicks, this.stopAtTicks) - this.#nowTicks);
  }

  /** Rings every alarm that is due. An alarm set by another alarm for a time already past rings in the same call. */
  ringDue(): void {
    while (this.#alarms.length > 0 && this.#alarms[0]!.atTicks <= this.#nowTicks) this.#alarms.shift()!.ring();
  }

  /** Idle: jumps to the next alarm and rings it. Returns false, without moving, when there is none. */
  skipToNextAlarm(): boolean {
    const next = this.#alarms[0];
    if (next === undefined) return false;
    if (next.atTicks > this.#nowTicks) this.#nowTicks = next.atTicks;
    this.ringDue();
    return true;
  }
}
