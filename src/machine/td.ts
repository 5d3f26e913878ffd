/** A built TD in the hands of whoever runs it. */
import { Gpr, MetadataField, TdhLeaf } from '../abi/index.ts';
import type { StateVisitor } from '../bits/index.ts';
import type { Serial16550 } from '../devices/index.ts';
import type { Clock } from '../time/index.ts';
import { type RunLimits, runTd, type TdEnd, type TdHost } from '../vmm/index.ts';

const MRTD_WORDS = 6;

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

  /** The host's part of the TD, and its board. */
  visitState(state: StateVisitor): void {
    state.part('ports', this.host.ports);
    state.part('mmio', this.host.mmio);
    state.part('host', this.host);
  }

  /** Runs until the TD ends or a limit is reached; what can go on goes on with the next call. */
  run(limits: RunLimits = {}): RunEnd {
    const before = this.#clock.nowTicks;
    const { end, instructions } = runTd(this.host, limits);
    return { end, instructions, ticks: this.#clock.nowTicks - before };
  }

  /** MRTD as the host reads it with TDH.MNG.RD: 48 bytes. */
  readMrtd(): Uint8Array {
    const mrtd = new DataView(new ArrayBuffer(8 * MRTD_WORDS));
    for (let word = 0; word < MRTD_WORDS; word++) {
      const operands = { rcx: this.host.tdrHpa, rdx: MetadataField.MRTD + BigInt(word) };
      const registers = this.host.seamcalls.call(TdhLeaf.MNG_RD, operands);
      mrtd.setBigUint64(8 * word, registers.u64[Gpr.R8]!, true);
    }
    return new Uint8Array(mrtd.buffer);
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
