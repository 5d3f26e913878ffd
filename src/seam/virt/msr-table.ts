/** MSR virtualization of one TD: the native bitmaps and the answer to every exit. */
import type { CpuidTable } from './cpuid-table.ts';
import { MSR_ROWS, MsrAnswer } from './msr-rows.ts';

export class MsrTable {
  readonly nativeReads = new Set<number>();
  readonly nativeWrites = new Set<number>();
  readonly #reads = new Map<number, MsrAnswer>();
  readonly #writes = new Map<number, MsrAnswer>();

  constructor(cpuid: CpuidTable) {
    const resolve = (answer: MsrAnswer): MsrAnswer =>
      answer !== MsrAnswer.VeIfTscDeadline ? answer : cpuid.shows('TSC_DEADLINE') ? MsrAnswer.Ve : MsrAnswer.Gp;
    for (const { first, last, read, write } of MSR_ROWS)
      for (let msr = first; msr <= last; msr++) {
        this.#reads.set(msr, resolve(read));
        this.#writes.set(msr, resolve(write));
        if (read === MsrAnswer.Native) this.nativeReads.add(msr);
        if (write === MsrAnswer.Native) this.nativeWrites.add(msr);
      }
  }

  /** `msr` unsigned. */
  readAnswer(msr: number): MsrAnswer {
    return this.#reads.get(msr) ?? MsrAnswer.Ve;
  }

  writeAnswer(msr: number): MsrAnswer {
    return this.#writes.get(msr) ?? MsrAnswer.Ve;
  }
}
