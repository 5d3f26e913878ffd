/** One call of a helper: a function that holds a TDCALL. */

import { type Processor, packRflags, S } from '../../../cpu/index.ts';
import { gprName } from '../../../isa/index.ts';
import type { WholeCall } from '../events.ts';
import type { FindingCrossing } from '../finding.ts';
import type { Origin } from './origin.ts';

const GPRS = 16;
const RSP = 4;
/** RBX, RBP, R12 to R15. Source: System V ABI, AMD64 supplement, "Register Usage". */
const CALLEE_SAVED: readonly number[] = [3, 5, 12, 13, 14, 15];

export class Activation {
  /** of its first instruction; undefined: its TDCALL was the first that was seen of it */
  readonly entry: bigint | undefined;
  readonly #registers: BigInt64Array;
  readonly #rflags: number;
  /** calls it has made that have not returned */
  depth = 0;
  readonly crossings: FindingCrossing[] = [];
  /** status of a leaf 0 that was refused */
  failure: Origin | undefined;
  /** registers written since the entry, or since the answer that wrote them: bit n is register n */
  written = 0;
  /** ... by POP */
  popped = 0;
  /** registers that the host, or the module, wrote and the guest has not written since */
  fromHost = 0;
  fromModule = 0;
  /** registers through which memory was reached, and that hold the same since */
  addresses = 0;

  constructor(processor: Processor, entry: bigint | undefined) {
    this.entry = entry;
    this.#registers = registersOf(processor);
    this.#rflags = packRflags(processor.state);
  }

  /** What a register held at the entry. */
  callers(register: number): bigint {
    return BigInt.asUintN(64, this.#registers[register]!);
  }

  /** The guest has written a register. */
  wrote(register: number, byPop: boolean): void {
    const bit = 1 << register;
    this.written |= bit;
    this.popped = byPop ? this.popped | bit : this.popped & ~bit;
    this.fromHost &= ~bit;
    this.fromModule &= ~bit;
    this.addresses &= ~bit;
  }

  /** Somebody else has. */
  answered(register: number, by: 'host' | 'module'): void {
    this.wrote(register, false);
    if (by === 'host') this.fromHost |= 1 << register;
    else this.fromModule |= 1 << register;
  }

  /** How the caller finds the processor. undefined: the entry was not seen */
  whole(processor: Processor): WholeCall | undefined {
    if (this.entry === undefined) return undefined;
    const now = registersOf(processor);
    return {
      clobbered: CALLEE_SAVED.filter((register) => now[register] !== this.#registers[register]).map((register) =>
        gprName(register, 64),
      ),
      stackOffBytes: now[RSP]! - (this.#registers[RSP]! + 8n),
      rflagsBefore: this.#rflags,
      rflagsAfter: packRflags(processor.state),
    };
  }
}

function registersOf({ state }: Processor): BigInt64Array {
  return BigInt64Array.from({ length: GPRS }, (_, register) => BigInt.asIntN(64, state.big(S.gpr + 8 * register)));
}
