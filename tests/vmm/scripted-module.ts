/** A TDX module that agrees to everything and whose TDs are scripts: what the host does, seen without a processor. */
import { Gpr, MetadataField, type RegisterFile, type SharedEpt, TdhLeaf, tdhLeafName } from '../../src/abi/index.ts';
import { Bus } from '../../src/devices/index.ts';
import type { LoadPlan, PlanRegion } from '../../src/loader/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { SharedView } from '../../src/memory/shared-view.ts';
import type { HostDoor } from '../../src/seam/host-door.ts';
import { Clock } from '../../src/time/index.ts';
import {
  DEFAULT_HOST_PROFILE,
  HOST_PROFILES,
  type HostProfile,
  type RunLimits,
  type RunResult,
  runTd,
  type TdAttachments,
  type TdHost,
  Vmm,
} from '../../src/vmm/index.ts';

const MIB = 1 << 20;
export const SHARED_BIT = 0x8000_0000_0000;

/** One step of a vCPU: what it does before it leaves, as registers of the TD exit. The registers are those of the entry. */
export type Step = (registers: RegisterFile) => void;

export class ScriptedModule implements HostDoor {
  readonly calls: string[] = [];
  readonly posted: [number, number][] = [];
  readonly steps = new Map<number, Step[]>();
  sharedEpt: SharedEpt | undefined;
  /** what TDH.VP.RD of the vCPU's state answers */
  pendingInterrupt = false;

  seamcall(registers: RegisterFile): void {
    const leaf = registers.low(Gpr.RAX);
    if (leaf === TdhLeaf.VP_ENTER) {
      this.#enter(registers);
      return;
    }
    const operand = registers.number(Gpr.RCX).toString(16);
    this.calls.push(`${tdhLeafName(leaf)} ${operand}`);
    const field = registers.u64[Gpr.RDX];
    registers.clear();
    if (leaf === TdhLeaf.SYS_TDMR_INIT) registers.setNumber(Gpr.RDX, 2 ** 40);
    if (leaf === TdhLeaf.SYS_RD)
      registers.setNumber(Gpr.R8, field === MetadataField.TDCS_BASE_SIZE ? 4 * 4096 : 6 * 4096);
    if (leaf === TdhLeaf.VP_RD) registers.setNumber(Gpr.R8, this.pendingInterrupt ? 1 : 0);
  }

  installModule(): void {
    this.calls.push('SEAMLDR.INSTALL');
  }

  attachSharedEpt(_tdrHpa: number, sharedEpt: SharedEpt): void {
    this.sharedEpt = sharedEpt;
  }

  postInterrupt(tdvprHpa: number, vector: number): void {
    this.posted.push([tdvprHpa, vector]);
  }

  /** Calls of one leaf since the last look, with RCX in hexadecimal. */
  takeCalls(prefix: string): string[] {
    const found = this.calls.filter((call) => call.startsWith(prefix)).map((call) => call.slice(prefix.length + 1));
    this.calls.length = 0;
    return found;
  }

  #enter(registers: RegisterFile): void {
    const step = this.steps.get(registers.number(Gpr.RCX))?.shift();
    if (step === undefined) throw new Error('the script of this vCPU is over, and it was entered again');
    step(registers);
  }
}

/** A TDVMCALL: R10 = 0, R11 = leaf, then R12, R13, ... */
export function tdvmcall(leaf: number | bigint, ...operands: (number | bigint)[]): Step {
  return (registers) => {
    registers.clear();
    registers.setNumber(Gpr.RAX, 77);
    registers.setNumber(Gpr.RCX, 0xffcc);
    registers.u64[Gpr.R11] = BigInt(leaf);
    operands.forEach((operand, i) => {
      registers.u64[Gpr.R12 + i] = BigInt(operand);
    });
  };
}

export function eptViolation(gpa: number, extendedQualification = 0n): Step {
  return (registers) => {
    registers.clear();
    registers.setNumber(Gpr.RAX, 48);
    registers.u64[Gpr.RDX] = extendedQualification;
    registers.setNumber(Gpr.R8, gpa);
  };
}

/** Looks at the registers that the host brings back, then goes on as another step. */
export function after(look: (registers: RegisterFile) => void, next: Step): Step {
  return (registers) => {
    look(registers);
    next(registers);
  };
}

export const POWER_OFF: Step = tdvmcall(0x10003, 0);

export function region(
  startGpa: number,
  lengthBytes: number,
  treatment: PlanRegion['treatment'] = 'pending',
): PlanRegion {
  return { name: `at ${startGpa.toString(16)}`, startGpa, lengthBytes, content: 'zero', treatment };
}

export const plan = (regions: PlanRegion[], vcpus = 1): LoadPlan => ({
  regions,
  memoryMap: [],
  vcpus,
  initialRcx: 0,
  warnings: [],
});

export interface Bench {
  readonly module: ScriptedModule;
  readonly memory: HostMemory;
  readonly view: SharedView;
  readonly clock: Clock;
  readonly td: TdHost;
  readonly run: (steps: Step[] | Step[][], limits?: RunLimits) => RunResult;
}

/** A host with one TD of 8 MiB (or what the plan says) whose vCPUs follow scripts. */
export function bench(attachments: Partial<TdAttachments> = {}, loadPlan = plan([region(0, 8 * MIB)])): Bench {
  const module = new ScriptedModule();
  const memory = new HostMemory(32 * MIB);
  const view = new SharedView(memory);
  const clock = attachments.clock ?? new Clock();
  const td = new Vmm(module, view).buildTd(loadPlan, {
    clock,
    ports: new Bus([]),
    mmio: new Bus([]),
    hooks: {},
    profile: DEFAULT_HOST_PROFILE,
    turnTicks: () => 100_000,
    mapGpaChunkBytes: Number.POSITIVE_INFINITY,
    ...attachments,
  });
  const run = (steps: Step[] | Step[][], limits?: RunLimits): RunResult => {
    const scripts = (Array.isArray(steps[0]) ? steps : [steps]) as Step[][];
    for (const [i, script] of scripts.entries()) module.steps.set(td.vcpus[i]!.tdvprHpa, [...script]);
    return runTd(td, limits);
  };
  return { module, memory, view, clock, td, run };
}

export function profile(name: HostProfile['name']): HostProfile {
  return HOST_PROFILES.find((each) => each.name === name)!;
}

/** Makes calls one after the other; returns R10-R15 as they come back from each. */
export function answers(host: Bench, ...steps: Step[]): bigint[][] {
  const results: bigint[][] = [];
  const look = (registers: { u64: BigUint64Array }) => void results.push([...registers.u64.slice(10, 16)]);
  host.run([steps[0]!, ...steps.slice(1).map((step) => after(look, step)), after(look, POWER_OFF)]);
  return results;
}
