/** Follows one vCPU around its crossings, instruction by instruction: what the host and the module gave, and what the guest does with it. */

import { Gpr } from '../../../abi/index.ts';
import {
  FlowSem,
  type FlowSink,
  type LogicalProcessor,
  type Marks,
  OPERATIONS,
  S,
  type Use,
  union,
} from '../../../cpu/index.ts';
import { gprName, type Instruction, OperandKind, Prefix } from '../../../isa/index.ts';
import { operandsOfVmmCall } from '../../trace/operand-names.ts';
import type { ModuleCallEvent, Provenance, ReturnedEvent, RuleWatch, VmmAnswerEvent, VmmCallEvent } from '../events.ts';
import type { Place } from '../place.ts';
import { Activation } from './activation.ts';
import { maskedMarks, type Origin, type OriginKind, originOf, unchecked } from './origin.ts';
import { Shadow } from './shadow.ts';

const GPRS = 16;
const STACK_OFFSET = S.gpr + 8 * Gpr.RSP;
/** Below the stack pointer functions may keep what they like. Source: System V ABI, AMD64 supplement, "The Stack Frame". */
const RED_ZONE_BYTES = 128n;
/** A stack pointer that is further from where it was than this belongs to somebody else. */
const FARTHEST_BYTES = 0x4000n;
/** Steps between two looks whether there is anything left to follow. */
const STEPS_BETWEEN_LOOKS = 64;
const CALL_BYTES = 5;
const CALL_RELATIVE = 0xe8;
/** Integer arguments in their order. Source: System V ABI, AMD64 supplement, "Parameter Passing". */
const ARGUMENTS: readonly Gpr[] = [Gpr.RDI, Gpr.RSI, Gpr.RDX, Gpr.RCX, Gpr.R8, Gpr.R9];
const ENDS_BADLY: ReadonlySet<string> = new Set(['UD2', 'UD1', 'HLT', 'INT3', 'INT']);
/** What may change how linear addresses are translated. */
const CHANGES_MAPPINGS: ReadonlySet<string> = new Set(['MOV', 'INVLPG', 'INVPCID']);

export interface FlowOptions {
  /** steps without a crossing after which a vCPU is left alone */
  readonly mostSteps: number;
  /** arguments that helpers are called with; undefined: not known */
  readonly argumentCount: number | undefined;
  /** crossings outside of helpers whose entry was seen are nobody's affair */
  readonly onlyInHelpers: boolean;
  /** code that is checked; what other code does with values is its own affair */
  readonly isChecked: (linear: bigint) => boolean;
  readonly readCode: (linear: bigint, bytes: number) => Uint8Array;
  /** is this linear address one of shared memory */
  readonly isShared: (linear: bigint) => boolean;
  /** the function that begins here holds a TDCALL */
  readonly foundHelper: (entry: bigint) => void;
}

interface Pending {
  writes: [offset: number, marks: Marks][];
  stores: { linear: bigint; bytes: number; marks: Marks; from: bigint | undefined }[];
  uses: [use: Use | 'length', marks: Marks][];
  decisions: Marks[];
  fetches: Origin[];
}

const nothingPending = (): Pending => ({ writes: [], stores: [], uses: [], decisions: [], fetches: [] });

export class VcpuFlow {
  isLooking = false;
  readonly #index: number;
  readonly #processor: LogicalProcessor;
  readonly #watches: readonly RuleWatch[];
  readonly #options: FlowOptions;
  readonly #flow: FlowSem;
  readonly #shadow = new Shadow();
  readonly #activations: Activation[] = [];
  readonly #registersBefore: Int32Array;
  #pending = nothingPending();
  /** statuses that nobody has looked at yet */
  #statuses: Origin[] = [];
  /** what was read of shared memory, by its first address */
  readonly #fetched = new Map<bigint, Origin>();
  readonly #pages = new Map<bigint, boolean>();
  #reported = new WeakMap<Origin, Set<string>>();
  /** the step that was shown last */
  #step = { operation: '', mnemonic: '', linear: 0n, isFollowed: false, stack: 0n };
  #retired = 0;
  #stepsLeft = 0;

  constructor(index: number, processor: LogicalProcessor, watches: readonly RuleWatch[], options: FlowOptions) {
    this.#index = index;
    this.#processor = processor;
    this.#watches = watches;
    this.#options = options;
    this.#registersBefore = new Int32Array(processor.state.gprs.length);
    const sink: FlowSink = {
      stateMarks: (offset) => this.#shadow.ofState(offset),
      setStateMarks: (offset, marks) => void this.#pending.writes.push([offset, marks]),
      load: (linear, bytes) => this.#load(linear, bytes),
      store: (linear, bytes, marks) => void this.#pending.stores.push({ linear, bytes, marks, from: undefined }),
      copy: (linear, from, bytes) => void this.#pending.stores.push({ linear, bytes, marks: [], from }),
      used: (use, marks) => void (marks.length > 0 && this.#pending.uses.push([use, marks])),
      decided: (marks) => void (marks.length > 0 && this.#pending.decisions.push(marks)),
      masked: maskedMarks,
    };
    this.#flow = new FlowSem(OPERATIONS, processor.state, sink);
  }

  // ---- the steps

  /** The first instruction of a helper is next. */
  enter(entry: bigint): void {
    const stack = this.#stackPointer;
    const top = this.#activations.at(-1);
    if (top?.entry === entry && top.callers(Gpr.RSP) === stack) return; // it faulted, and is tried again
    if (!this.isLooking) this.#begin();
    this.#activations.push(new Activation(this.#processor, entry));
    this.#stepsLeft = this.#options.mostSteps;
  }

  before(instruction: Instruction): void {
    const { form, prefixes } = instruction;
    const linear = this.#linearNow();
    const stack = this.#stackPointer;
    this.#pending = nothingPending();
    this.#step = { operation: form.operation, mnemonic: form.mnemonic, linear, isFollowed: false, stack };
    this.#registersBefore.set(this.#processor.state.gprs);
    this.#step.isFollowed = this.#flow.follow(instruction, linear);
    if (!this.#step.isFollowed) this.#pending = nothingPending();
    if ((prefixes & (Prefix.Rep | Prefix.RepNe)) !== 0)
      this.#pending.uses.push(['length', this.#shadow.ofState(S.gpr + 8 * Gpr.RCX)]);
    const top = this.#activations.at(-1);
    if (top === undefined) return;
    const { base, operands, operandCount } = instruction;
    const reaches =
      operands.slice(0, operandCount).some(({ kind }) => kind === OperandKind.Memory) && form.operation !== 'LEA';
    if (reaches && base >= 0 && base < GPRS) top.addresses |= 1 << base;
    if (top.failure !== undefined && top.depth === 0 && this.#endsBadly(instruction)) {
      const trapped = { at: this.#place(), crossing: top.failure.crossing!, mnemonic: form.mnemonic };
      for (const watch of this.#watches) watch.trapped?.(trapped);
      top.failure = undefined;
    }
  }

  #endsBadly({ form, immediateLow, length }: Instruction): boolean {
    return ENDS_BADLY.has(form.operation) || (form.operation === 'JMP' && immediateLow + length === 0);
  }

  after(): void {
    this.#retired++;
    for (const marks of this.#pending.decisions) this.#decided(marks);
    for (const [use, marks] of this.#pending.uses) this.#used(use, marks);
    for (const origin of this.#pending.fetches) this.#fetched.set(origin.linear!, origin);
    this.#commit();
    this.#afterStackMoved();
    this.#followCalls();
    if (CHANGES_MAPPINGS.has(this.#step.operation) && !this.#step.isFollowed) this.#pages.clear();
    if (--this.#stepsLeft <= 0 || (this.#stepsLeft % STEPS_BETWEEN_LOOKS === 0 && !this.#hasWork())) this.#end();
  }

  #commit(): void {
    const { writes, stores } = this.#pending;
    let isLost = false;
    const loses = (marks: Marks): void => {
      isLost ||= this.#statuses.length > 0 && marks.some((mark) => this.#statuses.includes(originOf(mark)));
    };
    for (const [offset, marks] of writes) {
      loses(this.#shadow.ofState(offset));
      this.#shadow.setState(offset, marks);
      this.#wrote(offset);
    }
    for (const { linear, bytes, marks, from } of stores) {
      loses(this.#shadow.ofMemory(linear, bytes));
      this.#forgetFetches(linear, bytes);
      if (from === undefined) this.#shadow.setMemory(linear, bytes, marks);
      else this.#shadow.copyMemory(linear, from, bytes);
    }
    if (!this.#step.isFollowed) {
      const now = this.#processor.state.gprs;
      for (let register = 0; register < GPRS; register++) {
        const [low, high] = [2 * register, 2 * register + 1];
        if (now[low] === this.#registersBefore[low] && now[high] === this.#registersBefore[high]) continue;
        loses(this.#shadow.ofState(S.gpr + 8 * register));
        this.#shadow.setState(S.gpr + 8 * register, []);
        this.#wrote(S.gpr + 8 * register);
      }
    }
    if (isLost) this.#findLost();
  }

  #wrote(offset: number): void {
    const register = (offset - S.gpr) >> 3;
    if (register < 0 || register >= GPRS) return;
    this.#activations.at(-1)?.wrote(register, this.#step.operation === 'POP');
  }

  /** What is below the stack is dead. */
  #afterStackMoved(): void {
    const before = this.#step.stack;
    const now = this.#stackPointer;
    if (now <= before || now - before > FARTHEST_BYTES) return;
    if (this.#shadow.forget(before - RED_ZONE_BYTES, now - RED_ZONE_BYTES) && this.#statuses.length > 0)
      this.#findLost();
  }

  #followCalls(): void {
    const { operation } = this.#step;
    const top = this.#activations.at(-1);
    if (top === undefined) return;
    if (operation === 'CALL') top.depth++;
    else if (operation === 'RET' && top.depth > 0) top.depth--;
    else if (operation === 'RET') this.#returned(top);
    else if (top.entry !== undefined && this.#stackPointer > top.callers(Gpr.RSP) + FARTHEST_BYTES)
      this.#activations.pop();
  }

  #returned(top: Activation): void {
    this.#activations.pop();
    if (top.entry === undefined) this.#learn();
    const kept = Array.from({ length: GPRS }, (_, register) => register)
      .filter((register) => register !== Gpr.RAX && register !== Gpr.RSP)
      .flatMap((register) => {
        const [origin] = unchecked(this.#shadow.ofState(S.gpr + 8 * register)).filter(({ kind }) => isHosts(kind));
        return origin === undefined ? [] : [{ name: gprName(register, 64), origin }];
      });
    const rax = this.#shadow.ofState(S.gpr + 8 * Gpr.RAX).map(originOf);
    const event: ReturnedEvent = {
      at: this.#place(),
      crossings: top.crossings,
      kept,
      rax: this.#processor.state.big(S.gpr + 8 * Gpr.RAX),
      returnsMechanismStatus: rax.some(({ kind }) => kind === 'mechanism-status'),
      failure: top.failure,
      whole: top.whole(this.#processor),
    };
    for (const watch of this.#watches) watch.returned?.(event);
  }

  /** The function that has just returned begins where the call before this place goes. */
  #learn(): void {
    const returnedTo = this.#linearNow();
    const call = this.#options.readCode(returnedTo - BigInt(CALL_BYTES), CALL_BYTES);
    if (call.length < CALL_BYTES || call[0] !== CALL_RELATIVE) return;
    const distance = new DataView(call.buffer, call.byteOffset).getInt32(1, true);
    this.#options.foundHelper(BigInt.asUintN(64, returnedTo + BigInt(distance)));
  }

  // ---- the crossings

  vmmCall(event: VmmCallEvent): void {
    const top = this.#crosses(event.at);
    if (top === undefined) return;
    top.crossings.push(event.crossing);
    if (top.entry === undefined) return;
    const { at, crossing, mask, given } = event;
    const registers = Array.from({ length: GPRS }, (_, register) => register as Gpr)
      .filter((register) => ((mask >> register) & 1) === 1)
      .map((register) => ({
        name: gprName(register, 64),
        value: given.big(register),
        provenance: this.#provenance(top, register, given.big(register)),
      }));
    for (const watch of this.#watches) watch.exposed?.({ at, crossing, mask, registers });
  }

  #provenance(top: Activation, register: Gpr, value: bigint): Provenance {
    const bit = 1 << register;
    if ((top.addresses & bit) !== 0) return 'address';
    if ((top.fromHost & bit) !== 0) return 'hosts';
    if ((top.fromModule & bit) !== 0) return 'modules';
    const isRestored = (top.popped & bit) !== 0 && value === top.callers(register);
    if ((top.written & bit) !== 0 && !isRestored) return 'put';
    const isArgument = ARGUMENTS.slice(0, this.#options.argumentCount).includes(register);
    return isArgument ? 'put' : 'callers';
  }

  vmmAnswer({ at, call, crossing }: VmmAnswerEvent): void {
    const top = this.#activations.at(-1);
    if (top === undefined) return;
    const results = call.leaf === undefined ? [] : operandsOfVmmCall(call.leaf).outputs.map(({ register }) => register);
    for (let register = 0 as number; register < GPRS; register++) {
      if (((call.mask >> register) & 1) === 0) continue;
      const kind = register === Gpr.R10 ? 'service-status' : 'host';
      const isResult = register === Gpr.R10 || results.includes(register as Gpr);
      this.#came(top, register, { kind, at, crossing, isResult });
    }
    this.#came(top, Gpr.RAX, { kind: 'mechanism-status', at, crossing, isResult: true });
    this.#noMarks(top, Gpr.RCX);
  }

  moduleCall({ at, crossing, leaf, given, received, code }: ModuleCallEvent): void {
    const top = this.#crosses(at);
    if (top === undefined) return;
    top.crossings.push(crossing);
    for (let register = 0 as number; register < GPRS; register++)
      if (given.big(register as Gpr) !== received.big(register as Gpr)) {
        this.#noMarks(top, register);
        top.answered(register, 'module');
      }
    if (leaf !== 0) return;
    const status = this.#came(top, Gpr.RAX, { kind: 'mechanism-status', at, crossing, isResult: true });
    top.failure = code === 0 ? undefined : status;
  }

  /** A crossing in a helper; where none is known, the helper is one whose entry was missed. */
  #crosses(at: Place): Activation | undefined {
    this.#retired = at.instructionCount;
    this.#stepsLeft = this.#options.mostSteps;
    if (!this.#options.isChecked(at.rip)) {
      this.#end();
      return undefined;
    }
    if (this.#activations.length === 0) {
      if (this.#options.onlyInHelpers) return undefined;
      if (!this.isLooking) this.#begin();
      this.#activations.push(new Activation(this.#processor, undefined));
    }
    return this.#activations.at(-1);
  }

  #came(top: Activation, register: number, what: Omit<Origin, 'register' | 'isChecked'>): Origin {
    const origin: Origin = { ...what, register: gprName(register, 64), isChecked: false };
    this.#shadow.setState(S.gpr + 8 * register, [origin]);
    top.answered(register, what.kind === 'mechanism-status' ? 'module' : 'host');
    if (what.kind === 'mechanism-status' || what.kind === 'service-status') this.#statuses.push(origin);
    return origin;
  }

  #noMarks(top: Activation, register: number): void {
    this.#shadow.setState(S.gpr + 8 * register, []);
    top.answered(register, 'module');
  }

  // ---- what becomes of values

  #load(linear: bigint, bytes: number): Marks {
    const marks = this.#shadow.ofMemory(linear, bytes);
    if (!this.#isShared(linear)) return marks;
    const earlier = this.#fetched.get(linear);
    const origin: Origin = {
      kind: 'shared-memory',
      at: this.#place(),
      isResult: true,
      linear,
      isChecked: false,
      ...(earlier?.isChecked === true ? { earlier } : {}),
    };
    this.#pending.fetches.push(origin);
    return union(marks, [origin]);
  }

  #isShared(linear: bigint): boolean {
    const page = linear >> 12n;
    const known = this.#pages.get(page) ?? this.#options.isShared(linear);
    this.#pages.set(page, known);
    return known;
  }

  /** What the guest writes itself it may read again. */
  #forgetFetches(linear: bigint, bytes: number): void {
    for (const at of this.#fetched.keys()) if (at >= linear && at < linear + BigInt(bytes)) this.#fetched.delete(at);
  }

  #decided(marks: Marks): void {
    for (const mark of marks) originOf(mark).isChecked = true;
    this.#statuses = this.#statuses.filter(({ isChecked }) => !isChecked);
  }

  #used(how: Use | 'length', marks: Marks): void {
    for (const origin of unchecked(marks)) {
      if (origin.kind === 'mechanism-status') continue;
      const told = this.#reported.get(origin) ?? new Set();
      this.#reported.set(origin, told);
      if (told.has(how)) continue;
      told.add(how);
      for (const watch of this.#watches) watch.used?.({ at: this.#place(), origin, how });
    }
  }

  #findLost(): void {
    const isHeld = (origin: Origin) => this.#shadow.holds((marks) => marks.some((mark) => originOf(mark) === origin));
    const lost = this.#statuses.filter((origin) => !isHeld(origin));
    this.#statuses = this.#statuses.filter((origin) => !lost.includes(origin));
    if (!this.#options.isChecked(this.#step.linear)) return;
    for (const origin of lost) for (const watch of this.#watches) watch.lost?.({ at: this.#place(), origin });
  }

  // ---- when to look

  #begin(): void {
    this.isLooking = true;
    this.#shadow.clear();
    this.#pages.clear();
    this.#fetched.clear();
    this.#statuses = [];
    this.#retired = this.#processor.retired;
  }

  #hasWork(): boolean {
    return this.#activations.length > 0 || this.#shadow.holds((marks) => unchecked(marks).length > 0);
  }

  #end(): void {
    this.isLooking = false;
    this.#activations.length = 0;
    this.#statuses = [];
  }

  get #stackPointer(): bigint {
    return this.#processor.state.big(STACK_OFFSET);
  }

  #linearNow(): bigint {
    return this.#processor.state.big(S.rip);
  }

  #place(): Place {
    return { vcpu: this.#index, rip: this.#step.linear, instructionCount: this.#retired };
  }
}

function isHosts(kind: OriginKind): boolean {
  return kind === 'host' || kind === 'service-status';
}
