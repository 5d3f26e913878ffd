/** What host-side code (rare, intricate instructions; page walks; event delivery) sees of a logical processor. */
import type { Instruction } from '../isa/index.ts';
import type { HostMemory } from '../memory/index.ts';
import type { Controls } from './controls.ts';
import type { ExitReason, ExitRecord } from './exit.ts';
import type { SecondLevel } from './second-level.ts';
import type { CpuState } from './state.ts';
import type { VirtualApic } from './virtual-apic.ts';
import type { VirtualizationExceptionInformation } from './virtualization-exception.ts';

/** Thrown by host-side code to raise an exception in the guest; RIP goes back to the instruction's start. */
export class GuestFault {
  readonly vector: number;
  readonly errorCode: number | undefined;
  constructor(vector: number, errorCode?: number) {
    this.vector = vector;
    this.errorCode = errorCode;
  }
}

/** Thrown by host-side code to leave the guest with the exit record filled in; RIP goes back to the instruction's start. */
export class VmExit {}
export const VM_EXIT = new VmExit();

/** Seeded entropy for RDRAND and RDSEED. */
export interface EntropySource {
  next32(): number;
}

/**
 * Runs one instruction on the host side. On entry `state.rip` is already the next instruction (change it to branch) and
 * `instructionStartLow/High` the current one. Throws GuestFault or VM_EXIT, or calls `leave`, to undo the RIP change.
 */
export type HostOperation = (cpu: Processor, instruction: Instruction) => void;

export interface Processor {
  readonly index: number;
  readonly state: CpuState;
  readonly memory: HostMemory;
  readonly controls: Controls;
  /** null: guest physical = host physical (a bare machine) */
  secondLevel: SecondLevel | null;
  readonly apic: VirtualApic;
  readonly virtualizationException: VirtualizationExceptionInformation;
  readonly exit: ExitRecord;
  readonly entropy: EntropySource;
  /** linear address of the instruction being executed */
  instructionStartLow: number;
  instructionStartHigh: number;

  /** results of the last 8-byte `load` */
  dataLow: number;
  dataHigh: number;
  /** Loads 1, 2, 4 or 8 bytes (little-endian, zero-extended into dataLow/dataHigh) by linear address with the guest's privilege; `system` = implicit supervisor access (descriptor tables, TSS). Throws. Returns dataLow. */
  load(low: number, high: number, sizeBytes: number, system?: boolean): number;
  store(low: number, high: number, sizeBytes: number, valueLow: number, valueHigh: number, system?: boolean): void;
  /** Copies guest memory of up to 4096 bytes to or from `bytes`, checked as a whole before the first byte is written. Throws. */
  loadBytes(low: number, high: number, bytes: Uint8Array): void;
  storeBytes(low: number, high: number, bytes: Uint8Array): void;
  /** linear address that `addressOf` has found last */
  addressLow: number;
  addressHigh: number;

  /** Forgets translations: everything that is not global, or everything. */
  flushTlb(includingGlobal: boolean): void;
  flushTlbPage(low: number, high: number): void;
  /** Sets PKRU; translations follow. */
  writePkru(value: number): void;
  /** To be called after any change of CPL, RFLAGS.AC, CR0, CR4, EFER, CS.L or CS.D: chooses the TLBs that hold from now on. */
  modeChanged(): void;
  /** Whole RFLAGS, arithmetic bits included. */
  readRflags(): number;
  /** Sets all of RFLAGS (the caller has applied privilege masks); arranges interrupt windows and single-stepping. */
  writeRflags(value: number): void;
  /** Fills the exit record (reason, instruction length) for the current instruction and returns VM_EXIT, to be thrown after setting the qualification. */
  exitFor(reason: ExitReason, instruction: Instruction): VmExit;
  /** The same for exits that guests meet by the million: nothing is thrown; the operation sets the qualification and returns, having done nothing else. */
  leave(reason: ExitReason, instruction: Instruction): void;
  /** The guest waits for somebody else (PAUSE): if another processor wants the time, the run ends after this instruction. */
  pause(): void;
  /** TSC as the guest reads it, into dataLow/dataHigh */
  readTsc(): void;
  /** Counts an instruction that is not implemented, for the run's report. */
  countUnimplemented(instruction: Instruction): void;
}

/** A processor as its owner (the TDX module, a bare machine) drives it. */
export interface LogicalProcessor extends Processor {
  /**
   * Delivers what is pending and executes until an exit; returns the filled exit record. When the clock's headroom is used
   * up, or the guest pauses while others wait for their turn, the exit is ExternalInterrupt. Advances the clock by the retired instructions.
   */
  run(): ExitRecord;
  /** Moves RIP over the instruction that exited and ends the STI and MOV-SS shadows. */
  skipInstruction(lengthBytes: number): void;
  /** An event for the next run: type as in the VMX interruption information (0 external, 2 NMI, 3 hardware exception, 4 software interrupt, 6 software exception). */
  inject(vector: number, type: number, errorCode?: number, instructionLength?: number): void;
  /** Forgets every cached second-level translation (what INVEPT does); call after changing `secondLevel`. */
  invalidateSecondLevel(): void;
  /** To be called when the contents of a host page were replaced by somebody else than a guest (zeroed for a new owner, say): its decoded code is forgotten. */
  hostPageReplaced(hostPage: number): void;
  /** What the guest's TSC reads when the clock stands at 0, in ticks. */
  tscOffsetTicks: number;
  /** Told of each interrupt that is delivered, before it is, and how many instructions have retired since `run` was called. */
  onInterrupt: ((vector: number, instructions: number) => void) | undefined;
  /** Total instructions retired by this processor. */
  readonly retired: number;
  /** Steps done: instructions retired, and events delivered between them. */
  readonly position: number;
  /** Not implemented instructions met, mnemonic to count. */
  readonly unimplemented: ReadonlyMap<string, number>;
}
