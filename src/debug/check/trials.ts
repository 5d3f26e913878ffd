/** The worlds that a helper is called in to be checked: most of what it does wrong does not show in the one that everybody tests in. */

import { Gpr, TdgLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { type LogicalProcessor, S } from '../../cpu/index.ts';
import type { VmmHooks } from '../../machine/index.ts';
import { CrossingKind, type CrossingObserver, NULL_OBSERVER } from '../../probe/index.ts';

export interface Trial {
  readonly id: string;
  /** "an honest host" */
  readonly title: string;
  readonly hostHooks: VmmHooks;
  /** the first TDG.VP.VMCALL of the function is refused, by the module itself: somebody has spoilt its RCX */
  readonly mechanismFails: boolean;
}

const GARBAGE = 0xbad0_bad0_bad0_bad0n;

export const TRIALS: readonly Trial[] = [
  { id: 'honest', title: 'an honest host', hostHooks: {}, mechanismFails: false },
  {
    id: 'refusing',
    title: 'a host that refuses every service',
    hostHooks: { tdvmcall: () => TdvmcallStatus.INVALID_OPERAND },
    mechanismFails: false,
  },
  {
    id: 'hostile',
    title: 'a host that answers success, and garbage in all exposed registers',
    hostHooks: {
      tdvmcall: () => TdvmcallStatus.SUCCESS,
      beforeEntry: ({ registers }) => {
        for (let register = Gpr.RDX as number; register <= Gpr.R15; register++)
          if (register !== Gpr.R10) registers.u64[register] = GARBAGE;
      },
    },
    mechanismFails: false,
  },
  { id: 'mechanism', title: 'a module that refuses the call', hostHooks: {}, mechanismFails: true },
];

/** RAX, which never crosses */
const FORBIDDEN = 1 << Gpr.RAX;
const RCX = S.gpr + 8 * Gpr.RCX;

/** Spoils RCX of one TDG.VP.VMCALL, so that the real module refuses it, and puts it right again before the guest goes on. */
export class MechanismFailure {
  readonly #isOurs: (rip: number) => boolean;
  #processor: LogicalProcessor | undefined;
  #mask: readonly [low: number, high: number] | undefined;
  #isDone = false;

  /** @param isOurs is the TDCALL at this address one of those that may fail */
  constructor(isOurs: (rip: number) => boolean) {
    this.#isOurs = isOurs;
  }

  attach(processor: LogicalProcessor): void {
    this.#processor = processor;
  }

  readonly observer: CrossingObserver = {
    wantsEntries: true,
    crossing: (kind, _vcpu, code, _operand, _result, ripLow) => {
      const state = this.#processor?.state;
      if (state === undefined || code !== TdgLeaf.VP_VMCALL) return;
      if (kind === CrossingKind.ModuleCallEntry && !this.#isDone && this.#isOurs(ripLow >>> 0)) {
        this.#isDone = true;
        this.#mask = [state.low(RCX), state.high(RCX)];
        state.set(RCX, this.#mask[0] | FORBIDDEN, this.#mask[1]);
      }
      if (kind === CrossingKind.ModuleCall && this.#mask !== undefined) {
        state.set(RCX, ...this.#mask);
        this.#mask = undefined;
      }
    },
  };
}

export const NO_FAILURE = { observer: NULL_OBSERVER, attach() {} };
