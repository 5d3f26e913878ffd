/** MSRs that the host keeps for a vCPU beside those of its local APIC. An MSR without a row is refused. */

import type { StateVisitor } from '../bits/index.ts';

export interface HostMsrRow {
  readonly index: number;
  /** how many in a row; default 1 */
  readonly count?: number;
  readonly name: string;
  /** what it reads as until it is written; a function of the vCPU's number where that matters */
  readonly value: bigint | ((vcpuIndex: number) => bigint);
  /** `stored`: reads back; `ignored`: succeeds and changes nothing; `refused`: R10 says so and the guest sees #GP or goes without */
  readonly write: 'stored' | 'ignored' | 'refused';
  /** why it is here */
  readonly reason: string;
}

/** The MSRs of one vCPU. */
export class HostMsrs {
  readonly #rowOfIndex = new Map<number, HostMsrRow>();
  readonly #stored = new Map<number, bigint>();
  readonly #vcpuIndex: number;

  constructor(rows: readonly HostMsrRow[], vcpuIndex: number) {
    this.#vcpuIndex = vcpuIndex;
    for (const row of rows) for (let i = 0; i < (row.count ?? 1); i++) this.#rowOfIndex.set(row.index + i, row);
  }

  visitState(state: StateVisitor): void {
    const halves = [...this.#stored].flatMap(([index, value]) => [
      index,
      Number(value & 0xffff_ffffn),
      Number(value >> 32n),
    ]);
    const saved = state.numbers('stored', halves);
    if (!state.restoring) return;
    this.#stored.clear();
    for (let i = 0; i < saved.length; i += 3)
      this.#stored.set(saved[i]!, BigInt(saved[i + 1]!) | (BigInt(saved[i + 2]!) << 32n));
  }

  /** undefined: refused. */
  read(index: number): bigint | undefined {
    const stored = this.#stored.get(index);
    if (stored !== undefined) return stored;
    const value = this.#rowOfIndex.get(index)?.value;
    return typeof value === 'function' ? value(this.#vcpuIndex) : value;
  }

  /** false: refused. */
  write(index: number, value: bigint): boolean {
    const write = this.#rowOfIndex.get(index)?.write ?? 'refused';
    if (write === 'stored') this.#stored.set(index, value);
    return write !== 'refused';
  }
}
