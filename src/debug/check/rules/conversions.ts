/** What a guest has asked of its memory with MapGPA, for rules that compare it with what the guest does. */

import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../../abi/index.ts';
import type { CheckedTd, VmmAnswerEvent } from '../events.ts';

interface Conversion {
  readonly startGpa: number;
  readonly endGpa: number;
  readonly isShared: boolean;
}

export class Conversions {
  readonly #td: CheckedTd;
  readonly #done: Conversion[] = [];

  constructor(td: CheckedTd) {
    this.#td = td;
  }

  /** A MapGPA that was done, or done in part: RETRY says how far in R11. */
  answered({ call, status, received }: VmmAnswerEvent): void {
    if (call.leaf !== TdvmcallLeaf.MAP_GPA) return;
    if (status !== TdvmcallStatus.SUCCESS && status !== TdvmcallStatus.RETRY) return;
    const { address: startGpa, isShared } = this.#td.splitGpa(call.given.number(Gpr.R12));
    const endGpa =
      status === TdvmcallStatus.RETRY
        ? this.#td.splitGpa(received.number(Gpr.R11)).address
        : startGpa + call.given.number(Gpr.R13);
    this.#done.push({ startGpa, endGpa, isShared });
  }

  /** What MapGPA made of a page last; RAM that it never had is private. */
  isShared(gpa: number): boolean {
    return this.#done.findLast(({ startGpa, endGpa }) => gpa >= startGpa && gpa < endGpa)?.isShared === true;
  }
}
