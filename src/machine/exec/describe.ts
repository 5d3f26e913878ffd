/** Reads from the TD, after the run, how the function left it. */
import { Gpr, TdhLeaf } from '../../abi/index.ts';
import { gprName } from '../../isa/index.ts';
import type { TdEnd, TdHost } from '../../vmm/index.ts';
import type { FunctionOutcome, FunctionResult } from './function-call.ts';
import { CALLEE_SAVED_NUMBERS, calleeSavedValue, type Launcher, LauncherEvent, PANIC_FUNCTIONS } from './launcher.ts';
import type { PlacedStructures } from './structures.ts';
import type { Watch } from './watch.ts';

const GPRS = 16;
const VECTORS = 256;

/** Private memory of a debuggable TD, which only TDH.MEM.RD shows to its host. */
class TdMemory {
  readonly #host: TdHost;

  constructor(host: TdHost) {
    this.#host = host;
  }

  read64(gpa: number): bigint {
    return this.#host.seamcalls.call(TdhLeaf.MEM_RD, { rcx: gpa, rdx: this.#host.tdrHpa }).u64[Gpr.R8]!;
  }

  /** @param gpa a multiple of 8 */
  read(gpa: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(length / 8) * 8);
    const view = new DataView(bytes.buffer);
    for (let offset = 0; offset < length; offset += 8) view.setBigUint64(offset, this.read64(gpa + offset), true);
    return bytes.subarray(0, length);
  }
}

export function describe(
  host: TdHost,
  launcher: Launcher,
  watch: Watch,
  end: TdEnd,
  structures: PlacedStructures,
): FunctionResult {
  const memory = new TdMemory(host);
  const outcome = outcomeOf(memory, launcher, watch, end);
  const returned = outcome.how === 'returned';
  const register = (index: number) => memory.read64(launcher.registersGpa + 8 * index);
  return {
    outcome,
    crossings: watch.crossings,
    structures: structures.all.map((structure) => ({
      name: structure.name,
      before: structure.bytes,
      after: memory.read(structures.addressOf.get(structure)!, structure.bytes.length),
    })),
    registers: returned
      ? Object.fromEntries(Array.from({ length: GPRS }, (_, index) => [gprName(index, 64), register(index)]))
      : {},
    clobbered: returned
      ? CALLEE_SAVED_NUMBERS.filter((index) => register(index) !== calleeSavedValue(index)).map((index) =>
          gprName(index, 64),
        )
      : [],
    interrupts: Array.from({ length: VECTORS }, (_, vector) => vector).flatMap((vector) =>
      Array.from({ length: Number(memory.read64(launcher.interruptsGpa + 8 * vector)) }, () => vector),
    ),
  };
}

function outcomeOf(memory: TdMemory, launcher: Launcher, watch: Watch, end: TdEnd): FunctionOutcome {
  switch (watch.event?.kind) {
    case LauncherEvent.Returned: {
      const rflags = memory.read64(launcher.registersGpa + 8 * GPRS);
      return { how: 'returned', rax: memory.read64(launcher.registersGpa), rflags };
    }
    case LauncherEvent.Panicked: {
      const callerGpa = Number(memory.read64(launcher.callerGpa));
      return { how: 'panicked', symbol: PANIC_FUNCTIONS[watch.event.argument]!, callerGpa };
    }
    case LauncherEvent.Exception: {
      const [vector, errorCode, rip, cr2] = [0, 8, 16, 24].map((offset) =>
        memory.read64(launcher.exceptionGpa + offset),
      );
      return { how: 'exception', vector: Number(vector!), errorCode: errorCode!, rip: rip!, cr2: cr2! };
    }
    default:
      return { how: 'ended', end };
  }
}
