/** Runs one function of an object in a TD that exists for this call only, and tells all that can be seen of it from outside. */
import {
  asTdvmcallStatus,
  type CompletionCode,
  completionCodeName,
  Gpr,
  type RegisterFile,
  TdAttribute,
  TdhLeaf,
  TdvmcallLeaf,
  type TdvmcallStatus,
  tdgLeafName,
  tdvmcallLeafName,
} from '../../abi/index.ts';
import { gprName } from '../../isa/index.ts';
import {
  endOf,
  type LinkedObject,
  LoadError,
  linkObject,
  type NamedFile,
  PAGE_BYTES,
  parseElf,
  planBareTd,
  SHIM_ROM_GPA,
} from '../../loader/index.ts';
import { CrossingKind, type CrossingObserver } from '../../probe/index.ts';
import type { TdEnd, TdHost, Tdvmcall, VmmHooks } from '../../vmm/index.ts';
import { buildShimRom } from '../shim/shim-rom.ts';
import { TdxPlatform } from '../tdx-platform.ts';
import {
  assembleLauncher,
  CALLEE_SAVED_NUMBERS,
  calleeSavedValue,
  ExecLayout,
  LAUNCHER_CALL,
  type Launcher,
  LauncherEvent,
  PANIC_FUNCTIONS,
} from './launcher.ts';

/** A structure that the function gets a pointer to. */
export interface StructureArgument {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An integer goes by value, in two's complement; a structure is put in memory and goes by address. */
export type FunctionArgument = bigint | StructureArgument;

export interface FunctionCall {
  /** an ELF relocatable or a static executable, or code that already has its addresses */
  readonly object: NamedFile | LinkedObject;
  readonly symbol: string;
  readonly args: readonly FunctionArgument[];
  /** a script in the host's place */
  readonly hostHooks?: VmmHooks;
  /** posted some time after each Instruction.HLT, so that it ends; default 0x20, null: never */
  readonly wakeVector?: number | null;
  /** default 10 million */
  readonly maxInstructions?: number;
}

/** How the call ended. Everything but `returned` is an end that the caller of the function would not see. */
export type FunctionOutcome =
  | { readonly how: 'returned'; readonly rax: bigint; readonly rflags: bigint }
  /** a function that the object calls when it gives up; `callerGpa` is the return address */
  | { readonly how: 'panicked'; readonly symbol: string; readonly callerGpa: number }
  | {
      readonly how: 'exception';
      readonly vector: number;
      readonly errorCode: bigint;
      readonly rip: bigint;
      readonly cr2: bigint;
    }
  /** the TD stopped, or the limit was reached */
  | { readonly how: 'ended'; readonly end: TdEnd };

/** Contents of registers that crossed, by name. */
export type RegisterValues = Readonly<Record<string, bigint>>;

export type FunctionCrossing =
  | {
      readonly answeredBy: 'module';
      readonly leaf: number;
      readonly name: string;
      readonly rcx: number;
      readonly status: CompletionCode;
      readonly statusName: string;
    }
  | {
      readonly answeredBy: 'vmm';
      readonly leaf: number;
      readonly name: string;
      /** RCX: the registers the guest let cross */
      readonly mask: number;
      readonly given: RegisterValues;
      readonly received: RegisterValues;
      readonly status: TdvmcallStatus;
    };

export interface FunctionResult {
  readonly outcome: FunctionOutcome;
  readonly crossings: readonly FunctionCrossing[];
  /** each structure before and after, in the order of the arguments */
  readonly structures: readonly { readonly name: string; readonly before: Uint8Array; readonly after: Uint8Array }[];
  /** all sixteen as the function left them; empty unless it returned */
  readonly registers: RegisterValues;
  /** callee-saved registers that the function did not restore */
  readonly clobbered: readonly string[];
  /** vectors of the interrupts it took, one entry for each */
  readonly interrupts: readonly number[];
}

const MINIMUM_MEMORY_BYTES = 4 << 20;
const DEFAULT_INSTRUCTIONS = 10_000_000;
const DEFAULT_WAKE_VECTOR = 0x20;
const WAKE_AFTER_TICKS = 1000;
const STRUCTURE_ALIGNMENT = 64;
const GPRS = 16;
const VECTORS = 256;
const EVERY_REGISTER = 0xffff;

/** @throws LoadError when the object, the symbol or an argument cannot be used */
export function runFunction(call: FunctionCall): FunctionResult {
  const structures = placeStructures(call.args);
  const object = linked(call.object);
  const values = call.args.map((arg) => (typeof arg === 'bigint' ? arg : BigInt(structures.addressOf.get(arg)!)));
  const launcher = assembleLauncher(addressOfFunction(object, call), values);
  const pieces = [...launcher.pieces, ...structures.pieces, ...object.pieces];
  checkOverlap(call, object, launcher);
  const plan = planBareTd({
    name: call.symbol,
    pieces,
    entryGpa: launcher.entryGpa,
    memoryBytes: Math.max(MINIMUM_MEMORY_BYTES, endOf(pieces)),
    vcpus: 1,
    mailboxGpa: ExecLayout.mailbox,
    shim: buildShimRom(),
  });

  const watch = new Watch(call);
  const platform = new TdxPlatform({
    memoryBytes: plan.memoryMap[0]!.lengthBytes,
    hostHooks: watch.hooks,
    observer: watch,
  });
  const td = platform.buildTd(plan, { params: { attributes: TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE } });
  const { end } = td.run({ instructions: call.maxInstructions ?? DEFAULT_INSTRUCTIONS });
  return describe(new TdMemory(td.host), launcher, watch, end, structures);
}

// ---- before

function linked(object: NamedFile | LinkedObject): LinkedObject {
  if (!('bytes' in object)) return object;
  const { provided } = assembleLauncher(0, []);
  return linkObject(parseElf(object.bytes, object.name), { name: object.name, baseGpa: ExecLayout.object, provided });
}

function nameOf(call: FunctionCall): string {
  return 'bytes' in call.object ? call.object.name : 'the code';
}

function addressOfFunction(object: LinkedObject, call: FunctionCall): number {
  const address = object.symbols.get(call.symbol);
  if (address !== undefined) return address;
  const names = [...object.symbols.keys()].filter((name) => !name.startsWith('.L')).slice(0, 8);
  throw new LoadError(`${nameOf(call)} has no symbol ${call.symbol}: it has ${names.join(', ') || 'none at all'}`);
}

/** An executable brings its own addresses; they must not be those of the launcher, its stack and the structures. */
function checkOverlap(call: FunctionCall, object: LinkedObject, launcher: Launcher): void {
  const used = { startGpa: launcher.entryGpa, endGpa: ExecLayout.structuresEnd };
  const clash = object.pieces.find(
    ({ startGpa, content }) =>
      (startGpa < used.endGpa && startGpa + content.length > used.startGpa) ||
      (startGpa < ExecLayout.mailbox + PAGE_BYTES && startGpa + content.length > ExecLayout.mailbox),
  );
  if (clash)
    throw new LoadError(
      `${nameOf(call)} is linked below ${ExecLayout.structuresEnd}, where its TD has its stack: link it higher`,
    );
}

interface PlacedStructures {
  readonly all: readonly StructureArgument[];
  readonly addressOf: ReadonlyMap<StructureArgument, number>;
  readonly pieces: readonly { readonly startGpa: number; readonly content: Uint8Array }[];
}

function placeStructures(args: readonly FunctionArgument[]): PlacedStructures {
  const all = args.filter((arg) => typeof arg !== 'bigint');
  const addressOf = new Map<StructureArgument, number>();
  let next: number = ExecLayout.structures;
  for (const structure of all) {
    addressOf.set(structure, next);
    next += Math.ceil(structure.bytes.length / STRUCTURE_ALIGNMENT) * STRUCTURE_ALIGNMENT;
  }
  if (next > ExecLayout.structuresEnd)
    throw new LoadError(
      `the structures have ${next - ExecLayout.structures} bytes in all, there is room for ${ExecLayout.structuresEnd - ExecLayout.structures}: make them smaller`,
    );
  return { all, addressOf, pieces: all.map((one) => ({ startGpa: addressOf.get(one)!, content: one.bytes })) };
}

// ---- meanwhile

/** Sees what crosses, and takes the launcher's own calls out of it. */
class Watch implements CrossingObserver {
  readonly crossings: FunctionCrossing[] = [];
  readonly hooks: VmmHooks;
  /** what the launcher told */
  event: { readonly kind: number; readonly argument: number } | undefined;
  readonly #wakeVector: number | null;

  constructor(call: FunctionCall) {
    this.#wakeVector = call.wakeVector === undefined ? DEFAULT_WAKE_VECTOR : call.wakeVector;
    this.hooks = { ...call.hostHooks, tdvmcall: (one, serve) => this.#vmmCall(one, serve, call.hostHooks) };
  }

  crossing(kind: CrossingKind, _vcpu: number, code: number, operand: number, result: number, ripLow: number): void {
    const fromShim = ripLow >>> 0 >= SHIM_ROM_GPA;
    if (kind !== CrossingKind.ModuleCall || fromShim) return;
    const status = result >>> 0;
    this.crossings.push({
      answeredBy: 'module',
      leaf: code,
      name: tdgLeafName(code),
      rcx: operand,
      status,
      statusName: completionCodeName(status),
    });
  }

  #vmmCall(call: Tdvmcall, serve: () => TdvmcallStatus, hooks: VmmHooks | undefined): TdvmcallStatus {
    const { registers, td } = call;
    if (registers.u64[Gpr.R10] === LAUNCHER_CALL) {
      this.event = { kind: call.leaf, argument: registers.low(Gpr.R12) };
      td.stop({ cause: 'stopped' });
      return asTdvmcallStatus(0n);
    }
    const mask = registers.low(Gpr.RCX) & EVERY_REGISTER;
    const given = valuesOf(registers, mask);
    const status = hooks?.tdvmcall === undefined ? serve() : hooks.tdvmcall(call, serve);
    const received = { ...valuesOf(registers, mask), ...((mask >> Gpr.R10) & 1 ? { r10: status } : {}) };
    const name = given.r10 === 0n ? tdvmcallLeafName(call.leaf) : 'vendor call';
    this.crossings.push({ answeredBy: 'vmm', leaf: call.leaf, name, mask, given, received, status });
    if (call.leaf === TdvmcallLeaf.INSTRUCTION_HLT && this.#wakeVector !== null)
      this.#wakeLater(call, this.#wakeVector);
    return status;
  }

  #wakeLater({ td, vcpu }: Tdvmcall, vector: number): void {
    td.clock.schedule(td.clock.nowTicks + WAKE_AFTER_TICKS, () => td.post(vcpu, vector));
  }
}

function valuesOf(registers: RegisterFile, mask: number): RegisterValues {
  const values: Record<string, bigint> = {};
  for (let index = 0; index < GPRS; index++)
    if ((mask >> index) & 1) values[gprName(index, 64)] = registers.u64[index as Gpr]!;
  return values;
}

// ---- afterwards

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

function describe(
  memory: TdMemory,
  launcher: Launcher,
  watch: Watch,
  end: TdEnd,
  structures: PlacedStructures,
): FunctionResult {
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
