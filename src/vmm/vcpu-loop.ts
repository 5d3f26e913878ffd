/** The host's main loop: ring what is due, enter a vCPU, serve why it came out. */
import {
  asCompletionStatus,
  CompletionCode,
  describeCompletionStatus,
  ExtendedQualification,
  exitReasonName,
  Gpr,
  isSharedGpa,
  PageLevel,
  stripSharedBit,
  TdExitReason,
  TdhLeaf,
} from '../abi/index.ts';
import { hex } from '../bits/index.ts';
import type { TdEnd, UnhandledWhy } from './end.ts';
import { PAGE_4K_BYTES } from './host-pages.ts';
import type { TdHost } from './td-host.ts';
import { serveTdvmcall } from './tdvmcall/index.ts';
import type { Vcpu } from './vcpu.ts';

export interface RunLimits {
  /** instructions after which the run returns; default: none */
  readonly instructions?: number;
  /** when every vCPU waits: `skip` to the next alarm at once (default), or `return` to whoever can wait for real */
  readonly idle?: 'skip' | 'return';
}

export interface RunResult {
  readonly end: TdEnd;
  /** instructions retired during this run, by all vCPUs */
  readonly instructions: number;
}

/** One entry of the only vCPU that runs: long, but not for ever. */
const LONGEST_ENTRY_TICKS = 100_000_000;

export function runTd(td: TdHost, limits: RunLimits = {}): RunResult {
  const run = new Run(td, limits);
  const end = td.resume() ? run.untilEnd() : td.end!;
  td.clock.stopAtTicks = Number.POSITIVE_INFINITY;
  td.clock.contended = false;
  return { end, instructions: run.instructions };
}

class Run {
  readonly #td: TdHost;
  readonly #limits: RunLimits;
  instructions = 0;

  constructor(td: TdHost, limits: RunLimits) {
    this.#td = td;
    this.#limits = limits;
  }

  untilEnd(): TdEnd {
    const td = this.#td;
    for (;;) {
      td.clock.ringDue();
      if (td.end !== undefined) return td.end;
      const left = (this.#limits.instructions ?? Number.POSITIVE_INFINITY) - this.instructions;
      if (left <= 0) return { cause: 'instruction-limit' };
      const vcpu = this.#runnable();
      if (vcpu !== undefined) this.#enter(vcpu, left);
      else if (this.#limits.idle === 'return' || !td.clock.skipToNextAlarm())
        return { cause: 'idle', nextAlarmTicks: td.clock.nextAlarmTicks };
    }
  }

  /**
   * Whose turn it is: the same vCPU's until it waits, or its turn is over and another does not wait. Nobody's turn begins without need,
   * so that a run which is stopped in between draws no more turns than one which is not.
   */
  #runnable(): Vcpu | undefined {
    const { vcpus, turn, clock } = this.#td;
    const current = vcpus[turn.vcpu];
    if (current?.halted === false && (clock.nowTicks < turn.endTicks || !othersRun(this.#td, current))) return current;
    for (let i = 1; i <= vcpus.length; i++) {
      const vcpu = vcpus[(turn.vcpu + i) % vcpus.length]!;
      if (vcpu.halted) continue;
      turn.vcpu = vcpu.index;
      turn.endTicks = clock.nowTicks + this.#td.turnTicks();
      return vcpu;
    }
    return undefined;
  }

  #enter(vcpu: Vcpu, instructionsLeft: number): void {
    const td = this.#td;
    const { clock } = td;
    const alone = !othersRun(td, vcpu);
    const before = clock.nowTicks;
    const turnTicks = alone ? LONGEST_ENTRY_TICKS : td.turn.endTicks - before;
    clock.stopAtTicks = before + Math.min(turnTicks, instructionsLeft);
    clock.contended = !alone;

    td.hooks.beforeEntry?.(vcpu, td);
    const { registers } = vcpu;
    registers.set(Gpr.RAX, TdhLeaf.VP_ENTER, 0);
    registers.setNumber(Gpr.RCX, vcpu.tdvprHpa);
    vcpu.posted = false;
    td.seamcalls.door.seamcall(registers);
    this.instructions += clock.nowTicks - before;
    // out before anything was due, and nobody has asked for it: it paused, and the others go first
    const early = registers.low(Gpr.RAX) === TdExitReason.EXTERNAL_INTERRUPT && clock.headroomTicks() > 0;
    if (early && td.end === undefined) td.turn.endTicks = clock.nowTicks;
    td.hooks.afterExit?.(vcpu, td);
    serveExit(td, vcpu);
  }
}

function othersRun({ vcpus }: TdHost, vcpu: Vcpu): boolean {
  if (vcpus.length === 1) return false;
  for (const other of vcpus) if (other !== vcpu && !other.halted) return true;
  return false;
}

function unhandled(td: TdHost, vcpu: Vcpu, sentence: string, why: UnhandledWhy = 'other', gpa = 0): void {
  const { registers } = vcpu;
  const status = asCompletionStatus(registers.u64[Gpr.RAX]!);
  td.stop({
    cause: 'unhandled-exit',
    vcpu: vcpu.index,
    status,
    exitReason: registers.low(Gpr.RAX),
    sentence,
    why,
    gpa,
  });
}

/** One TD exit, by what RAX says: completion code and exit reason. */
function serveExit(td: TdHost, vcpu: Vcpu): void {
  const { registers } = vcpu;
  const exitReason = registers.low(Gpr.RAX);
  if (registers.high(Gpr.RAX) !== CompletionCode.SUCCESS) {
    if (exitReason === TdExitReason.TRIPLE_FAULT) td.stop({ cause: 'triple-fault', vcpu: vcpu.index });
    else {
      const status = asCompletionStatus(registers.u64[Gpr.RAX]!);
      unhandled(td, vcpu, `TDH.VP.ENTER: ${describeCompletionStatus(status)}`);
    }
    return;
  }
  switch (exitReason) {
    case TdExitReason.TDCALL:
      vcpu.tdvmcall.leaf = registers.number(Gpr.R11);
      serveTdvmcall(vcpu.tdvmcall);
      break;
    case TdExitReason.EXTERNAL_INTERRUPT: // an alarm is due, or the turn is over
      break;
    case TdExitReason.TRIPLE_FAULT:
      td.stop({ cause: 'triple-fault', vcpu: vcpu.index });
      break;
    case TdExitReason.EPT_VIOLATION: {
      const complaint = serveEptViolation(td, vcpu);
      if (complaint !== undefined) unhandled(td, vcpu, complaint.sentence, complaint.why, registers.number(Gpr.R8));
      break;
    }
    default:
      unhandled(td, vcpu, `the TD left with exit ${exitReasonName(exitReason)}, which this host does not serve`);
  }
}

/** Gives the guest the page it needs; complains when it must not have one. */
function serveEptViolation(td: TdHost, vcpu: Vcpu): { why: UnhandledWhy; sentence: string } | undefined {
  const gpa = vcpu.registers.number(Gpr.R8);
  const type = vcpu.registers.low(Gpr.RDX) & 15;
  if (isSharedGpa(gpa, td.gpaw)) {
    const address = stripSharedBit(gpa, td.gpaw);
    const { asShared } = td.profile.touch;
    if (asShared === '#VE' || !td.privateMemory.isRam(address, PAGE_4K_BYTES)) td.sharedMemory.ept.setMmio(address);
    else if (asShared === 'ends')
      return { why: 'other', sentence: `the guest used page ${hex(address)} as shared before it asked for that` };
    else {
      td.privateMemory.remove(address, PAGE_4K_BYTES);
      td.sharedMemory.map(address);
    }
    return undefined;
  }
  if (type === ExtendedQualification.PENDING_EPT_VIOLATION)
    return { why: 'not-accepted', sentence: `the guest used private page ${hex(gpa)} before it accepted it` };
  if (!td.privateMemory.isRam(gpa, PAGE_4K_BYTES))
    return { why: 'no-memory', sentence: `the guest used private address ${hex(gpa)}, where it has no memory` };
  if (td.sharedMemory.isMapped(gpa)) {
    if (td.profile.touch.asPrivate === 'ends')
      return { why: 'made-shared', sentence: `the guest used page ${hex(gpa)} as private after it made it shared` };
    td.sharedMemory.unmap(gpa);
  }
  if (td.privateMemory.levelAt(gpa) !== undefined)
    return {
      why: 'other',
      sentence: `the guest cannot use private page ${hex(gpa)} although the host has given it`,
    };
  const wanted = type === ExtendedQualification.ACCEPT ? vcpu.registers.high(Gpr.RDX) & 7 : PageLevel.PAGE_4K;
  td.privateMemory.augment(gpa, wanted);
  return undefined;
}
