/** A TD whose processor is a script: real module, real memory, exits made by hand. */
import {
  buildTdParams,
  type CompletionCode,
  Gpr,
  MODULE_1_5,
  MODULE_2_0,
  type ModuleVersion,
  RegisterFile,
  SharedEpt,
  TdhLeaf,
  type TdParams,
} from '../../src/abi/index.ts';
import {
  Controls,
  CpuState,
  ExitReason,
  ExitRecord,
  type LogicalProcessor,
  S,
  type SecondLevel,
  VirtualApic,
  VirtualizationExceptionInformation,
} from '../../src/cpu/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { SharedView } from '../../src/memory/shared-view.ts';
import { TdxModule, type TdxModuleOptions } from '../../src/seam/index.ts';
import { Clock } from '../../src/time/index.ts';
import { layOutTdmr } from '../../src/vmm/tdmr-layout.ts';
import { observeSeamcall, observeTdcall } from './observed-statuses.ts';

const MIB = 1 << 20;
const STATE_BYTES = 4096;
const CS_RIGHTS = S.segmentRights + 4;
const RIGHTS_64 = 0xa09b;
const EFER_LONG = 0xd01;
export const TDCALL_LENGTH = 4;
/** in RAX, added to a SEAMCALL leaf */
export const VERSION_1 = 0x1_0000;

/** Makes the exit of one entry; returns nothing. */
export type Step = (cpu: ScriptedProcessor) => void;

export interface Injection {
  readonly vector: number;
  readonly type: number;
  readonly errorCode: number | undefined;
}

/** As much of a processor as the module uses. */
export class ScriptedProcessor {
  readonly state: CpuState;
  readonly memory: HostMemory;
  readonly controls = new Controls();
  secondLevel: SecondLevel | null = null;
  readonly apic = new VirtualApic();
  readonly virtualizationException = new VirtualizationExceptionInformation();
  readonly exit = new ExitRecord();
  readonly steps: Step[] = [];
  readonly injected: Injection[] = [];
  tscOffsetTicks = 0;
  invalidations = 0;
  replacedPages: number[] = [];
  /** leaf of the TDCALL under way, until its status is seen */
  #leaf = -1;

  constructor(memory: HostMemory) {
    this.memory = memory;
    this.state = new CpuState(memory.wasm, memory.reserveProcessorArea(STATE_BYTES));
  }

  run(): ExitRecord {
    this.seeStatus();
    this.exit.reset(ExitReason.ExternalInterrupt);
    this.steps.shift()?.(this);
    if (this.exit.reason === ExitReason.Tdcall) this.#leaf = this.state.low(S.gpr) & 0xffff;
    return this.exit;
  }

  /** Notes what came of the last TDCALL, when the guest goes on or the TD has exited. */
  seeStatus(): void {
    if (this.#leaf >= 0) observeTdcall(this.#leaf, this.state.high(S.gpr) >>> 0, this.state.low(S.gpr) >>> 0);
    this.#leaf = -1;
  }

  skipInstruction(lengthBytes: number): void {
    this.state.set(S.rip, this.state.low(S.rip) + lengthBytes, 0);
  }

  inject(vector: number, type: number, errorCode?: number): void {
    this.injected.push({ vector, type, errorCode });
  }

  invalidateSecondLevel(): void {
    this.invalidations++;
  }

  hostPageReplaced(page: number): void {
    this.replacedPages.push(page);
  }

  writeRflags(value: number): void {
    this.state.setLow(S.rflags, value);
  }

  modeChanged(): void {}

  get(register: Gpr): bigint {
    return this.state.big(S.gpr + register * 8);
  }

  set(register: Gpr, value: bigint | number): void {
    this.state.setBig(S.gpr + register * 8, BigInt.asUintN(64, BigInt(value)));
  }

  get rip(): number {
    return this.state.low(S.rip) >>> 0;
  }

  get asLogical(): LogicalProcessor {
    return this as unknown as LogicalProcessor;
  }
}

export type Operands = Partial<Record<'rcx' | 'rdx' | 'r8' | 'r9' | 'r10', number | bigint>>;

export interface TdSetup {
  readonly params?: Partial<TdParams>;
  readonly vcpus?: number;
  readonly sharedEpt?: SharedEpt;
}

/** Host memory, module and host in one; `build` makes a TD that can be entered. */
export class Bench {
  readonly memory = new HostMemory(16 * MIB);
  readonly view = new SharedView(this.memory);
  readonly clock = new Clock();
  readonly processors: ScriptedProcessor[] = [];
  readonly module: TdxModule;
  readonly registers = new RegisterFile();
  tdr = 0;
  readonly tdvprs: number[] = [];
  sharedEpt = new SharedEpt('absent');
  #nextPage = this.memory.ramBase;

  readonly #version: ModuleVersion;

  constructor(seed = 1, options: Pick<TdxModuleOptions, 'version' | 'cpuProfile' | 'contention'> = {}) {
    this.#version = options.version ?? MODULE_1_5;
    this.module = new TdxModule({
      ...options,
      memory: this.memory,
      clock: this.clock,
      seed,
      createProcessor: () => {
        const processor = new ScriptedProcessor(this.memory);
        this.processors.push(processor);
        return processor.asLogical;
      },
    });
  }

  /** The next free host page. */
  page(): number {
    const page = this.#nextPage;
    this.#nextPage += 4096;
    return page;
  }

  /** The next free 2 MiB of the host. */
  largePage(): number {
    this.#nextPage = Math.ceil(this.#nextPage / (2 * MIB)) * 2 * MIB;
    const page = this.#nextPage;
    this.#nextPage += 2 * MIB;
    return page;
  }

  /** Calls a leaf; returns the completion code (upper half of RAX). */
  call(leaf: TdhLeaf, operands: Operands = {}): CompletionCode {
    this.registers.clear();
    return this.callWith(leaf, operands);
  }

  /** As `call`, with the other registers as they are. */
  callWith(leaf: TdhLeaf, operands: Operands = {}): CompletionCode {
    const { registers } = this;
    registers.setNumber(Gpr.RAX, leaf);
    registers.u64[Gpr.RCX] = BigInt.asUintN(64, BigInt(operands.rcx ?? 0));
    registers.u64[Gpr.RDX] = BigInt.asUintN(64, BigInt(operands.rdx ?? 0));
    registers.u64[Gpr.R8] = BigInt.asUintN(64, BigInt(operands.r8 ?? 0));
    registers.u64[Gpr.R9] = BigInt.asUintN(64, BigInt(operands.r9 ?? 0));
    if (operands.r10 !== undefined) registers.u64[Gpr.R10] = BigInt(operands.r10);
    this.module.hostDoor.seamcall(registers);
    for (const processor of this.processors) processor.seeStatus();
    observeSeamcall(leaf & 0xffff, registers.high(Gpr.RAX), registers.low(Gpr.RAX));
    return registers.high(Gpr.RAX);
  }

  /** Details (lower half of RAX) of the last call. */
  get details(): number {
    return this.registers.low(Gpr.RAX);
  }

  ok(leaf: TdhLeaf, operands: Operands = {}): void {
    const code = this.call(leaf, operands);
    if (code !== 0) throw new Error(`leaf ${leaf}: 0x${code.toString(16)}, 0x${this.details.toString(16)}`);
  }

  /** Brings the module up. */
  start(): void {
    this.ok(TdhLeaf.SYS_INIT);
    this.ok(TdhLeaf.SYS_LP_INIT);
    this.configure();
    this.ok(TdhLeaf.SYS_KEY_CONFIG);
    for (let i = 0; i < 256; i++) this.ok(TdhLeaf.SYS_TDMR_INIT);
  }

  /** TDH.SYS.CONFIG with one TDMR over all memory; `change` may spoil it. Returns the completion code. */
  configure(change: (info: DataView) => void = () => {}): CompletionCode {
    const { info } = layOutTdmr(this.view);
    change(new DataView(info.buffer));
    const page = this.page();
    this.view.write64(page, BigInt(page + 512));
    this.view.write(page + 512, info);
    return this.call(TdhLeaf.SYS_CONFIG, { rcx: page, rdx: 1, r8: 63 });
  }

  /** As far as TDH.MNG.INIT. */
  create(params: Partial<TdParams> = {}, keyId = 1): void {
    if (this.tdr === 0) this.start();
    this.tdr = this.page();
    this.ok(TdhLeaf.MNG_CREATE, { rcx: this.tdr, rdx: keyId });
    this.ok(TdhLeaf.MNG_KEY_CONFIG, { rcx: this.tdr });
    for (let i = 0; i < 6; i++) this.ok(TdhLeaf.MNG_ADDCX, { rcx: this.page(), rdx: this.tdr });
    const scratch = this.page();
    this.view.write(scratch, buildTdParams(params));
    this.ok(TdhLeaf.MNG_INIT, { rcx: this.tdr, rdx: scratch });
  }

  addVcpu(initialRcx = 0): number {
    const tdvpr = this.page();
    this.ok(TdhLeaf.VP_CREATE, { rcx: tdvpr, rdx: this.tdr });
    for (let i = 0; i < 5; i++) this.ok(TdhLeaf.VP_ADDCX, { rcx: this.page(), rdx: tdvpr });
    // module 2.0 is told x2APIC ids, so that a TD can switch virtual topology on
    if (this.#version === MODULE_2_0)
      this.ok(VERSION_1 + TdhLeaf.VP_INIT, { rcx: tdvpr, rdx: initialRcx, r8: this.tdvprs.length });
    else this.ok(TdhLeaf.VP_INIT, { rcx: tdvpr, rdx: initialRcx });
    this.tdvprs.push(tdvpr);
    return tdvpr;
  }

  /** Table pages for 4 KiB leaves at guest addresses below 2 MiB. */
  addTables(levels: readonly number[] = [3, 2, 1]): void {
    for (const level of levels) this.ok(TdhLeaf.MEM_SEPT_ADD, { rcx: level, rdx: this.tdr, r8: this.page() });
  }

  /** A TD with tables, its processors in 64-bit mode, ready to be entered. */
  build({ params = {}, vcpus = 1, sharedEpt }: TdSetup = {}): ScriptedProcessor {
    this.create({ maxVcpus: vcpus, ...params });
    this.sharedEpt = sharedEpt ?? this.sharedEpt;
    this.module.hostDoor.attachSharedEpt(this.tdr, this.sharedEpt);
    for (let i = 0; i < vcpus; i++) this.addVcpu();
    this.addTables();
    this.ok(TdhLeaf.MR_FINALIZE, { rcx: this.tdr });
    this.enter64BitMode();
    return this.processors[0]!;
  }

  /** As far as TDCALL and its operands care. */
  enter64BitMode(): void {
    for (const { state } of this.processors) {
      state.setLow(CS_RIGHTS, RIGHTS_64);
      state.set(S.efer, EFER_LONG, 0);
      state.set(S.rip, 0x1000, 0);
    }
  }

  /** Enters a vCPU with these steps before it; returns the completion code. */
  enter(steps: readonly Step[] = [], vcpu = 0): CompletionCode {
    this.processors[vcpu]!.steps.push(...steps);
    return this.call(TdhLeaf.VP_ENTER, { rcx: this.tdvprs[vcpu]! });
  }

  /** Gives the guest a page that it has to accept. */
  augment(gpa: number, level = 0): number {
    const hpa = level === 0 ? this.page() : this.largePage();
    this.ok(TdhLeaf.MEM_PAGE_AUG, { rcx: gpa + level, rdx: this.tdr, r8: hpa });
    return hpa;
  }
}

/** The guest executes TDCALL with these registers. */
export function tdcall(registers: Partial<Record<keyof typeof Gpr, bigint | number>>): Step {
  return (cpu) => {
    for (const [name, value] of Object.entries(registers)) cpu.set(Gpr[name as keyof typeof Gpr], value!);
    cpu.exit.reset(ExitReason.Tdcall);
    cpu.exit.instructionLength = TDCALL_LENGTH;
  };
}

/** The processor leaves with a reason, and what else the exit record holds. */
export function exits(reason: number, details: Partial<ExitRecord> = {}): Step {
  return (cpu) => {
    cpu.exit.reset(reason);
    Object.assign(cpu.exit, details);
  };
}
