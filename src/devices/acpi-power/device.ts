/** Power-off and reset as hardware-reduced ACPI does them. */
import type { StateVisitor } from '../../bits/index.ts';
import type { Device } from '../device.ts';
import { Register, SLEEP_STATUS_WAKE, SleepControl } from './spec.ts';

export type PowerEvent = 'power-off' | 'reset';

export interface AcpiPowerOptions {
  /** SLP_TYP of S5, as the `_S5` package in the tables says */
  readonly powerOffType: number;
  /** the value that resets, as the FADT's RESET_VALUE says */
  readonly resetValue: number;
  readonly event: (event: PowerEvent) => void;
}

export class AcpiPower implements Device {
  readonly #options: AcpiPowerOptions;
  #sleepControl = 0;
  #sleepStatus = 0;

  constructor(options: AcpiPowerOptions) {
    this.#options = options;
  }

  visitState(state: StateVisitor): void {
    this.#sleepControl = state.number('sleepControl', this.#sleepControl);
    this.#sleepStatus = state.number('sleepStatus', this.#sleepStatus);
  }

  read(offset: number): number {
    if (offset === Register.SleepControl) return this.#sleepControl;
    if (offset === Register.SleepStatus) return this.#sleepStatus;
    return 0xff;
  }

  write(offset: number, _sizeBytes: number, value: number): void {
    if (offset === Register.SleepControl) this.#writeSleepControl(value & 0xff);
    else if (offset === Register.SleepStatus) this.#sleepStatus &= ~(value & SLEEP_STATUS_WAKE);
    else if (offset === Register.Reset && value === this.#options.resetValue) this.#options.event('reset');
  }

  /** SLP_EN is write-only; sleep states other than S5 do not exist here: the guest goes on. */
  #writeSleepControl(value: number): void {
    this.#sleepControl = value & ~SleepControl.Enable;
    if ((value & SleepControl.Enable) === 0) return;
    const type = (value >> SleepControl.typeShift) & SleepControl.typeMask;
    if (type === this.#options.powerOffType) this.#options.event('power-off');
    else this.#sleepStatus |= SLEEP_STATUS_WAKE;
  }
}
