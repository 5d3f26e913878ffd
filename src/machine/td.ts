/** A built TD in the hands of whoever runs it. */
import type { Serial16550 } from '../devices/index.ts';
import type { Clock } from '../time/index.ts';
import { type RunLimits, runTd, type TdEnd, type TdHost } from '../vmm/index.ts';

export interface RunEnd {
  /** why the run stopped; the guest's misbehaviour is a cause like any other */
  readonly end: TdEnd;
  /** retired by all vCPUs during this run */
  readonly instructions: number;
  /** virtual time that passed during this run, idle time included: nanoseconds */
  readonly ticks: number;
}

export class Td {
  /** the host's side of the TD */
  readonly host: TdHost;
  readonly #serial: Serial16550;
  readonly #clock: Clock;

  constructor(host: TdHost, serial: Serial16550, clock: Clock) {
    this.host = host;
    this.#serial = serial;
    this.#clock = clock;
  }

  /** Runs until the TD ends or a limit is reached; what can go on goes on with the next call. */
  run(limits: RunLimits = {}): RunEnd {
    const before = this.#clock.nowTicks;
    const { end, instructions } = runTd(this.host, limits);
    return { end, instructions, ticks: this.#clock.nowTicks - before };
  }

  /** Types bytes at the serial console. They wait until the guest reads them. */
  type(bytes: Uint8Array): void {
    this.#serial.receive(bytes);
  }

  /** A break on the serial line. */
  sendBreak(): void {
    this.#serial.receiveBreak();
  }

  /** Asks a run to return with cause `stopped`, at the next exit of a vCPU: for callbacks that were called by the run. */
  stop(): void {
    this.host.stop({ cause: 'stopped' });
  }
}
