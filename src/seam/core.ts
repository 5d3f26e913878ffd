/** The module's own state and the checks that many leaves share. One object a platform; nothing here is reachable for the VMM. */
import {
  CompletionCode as Code,
  type CompletionCode,
  Gpr,
  levelBytes,
  type ModuleVersion,
  OperandId,
  PageLevel,
  type RegisterFile,
} from '../abi/index.ts';
import { isZero } from '../bits/index.ts';
import type { LogicalProcessor } from '../cpu/index.ts';
import { HOST_KEY_ID, type HostMemory, PAGE_SIZE_BYTES, PageContent } from '../memory/index.ts';
import type { CrossingObserver } from '../probe/index.ts';
import type { Clock } from '../time/index.ts';
import type { Contention } from './contention.ts';
import { KEY_ID_SHIFT, KeyOwnership } from './key-ownership.ts';
import { PageType, Pamt } from './pamt.ts';
import type { PlatformSecrets } from './report/platform-secrets.ts';
import type { SecureEpt } from './sept/secure-ept.ts';
import { nextState, SEPT_STATES, type SeptOperation, SeptState } from './sept/states.ts';
import { SharedHalf } from './shared-half.ts';
import { OpState, type Td, type TdConfiguration } from './structures/td.ts';
import type { Vcpu } from './structures/vcpu.ts';
import type { Tdmr } from './tdmr.ts';
import { archCapabilitiesOf, type CpuProfile, NativeCpuid } from './virt/cpu-profile.ts';

/** Life of the module itself. */
export const SysState = { INIT_PENDING: 0, INIT_DONE: 1, CONFIG_DONE: 2, READY: 3, SHUTDOWN: 4 } as const;
export type SysState = (typeof SysState)[keyof typeof SysState];

const HIGH_52 = 0x10_0000;
/** upper half of an address whose key id is 0 */
const HIGH_NO_KEY = 1 << (KEY_ID_SHIFT - 32);
const SUPPRESS_VE_HIGH = 0x8000_0000;
/** write-back, ignore PAT, and the page-size bit, which every leaf carries, whatever its level */
const LEAF_BITS = (6 << 3) | (1 << 6) | (1 << 7);
const RWX = 7;

/** Bits of a page operand that say something else, in halves. */
export interface HandleFlags {
  readonly low: number;
  readonly high: number;
}

const NO_FLAGS: HandleFlags = { low: 0, high: 0 };

export interface CoreOptions {
  readonly version: ModuleVersion;
  readonly memory: HostMemory;
  readonly clock: Clock;
  readonly createProcessor: (index: number) => LogicalProcessor;
  readonly profile: CpuProfile;
  readonly secrets: PlatformSecrets;
  readonly contention?: Contention | undefined;
  readonly observer: CrossingObserver;
}

export class SeamCore {
  readonly version: ModuleVersion;
  readonly memory: HostMemory;
  readonly clock: Clock;
  readonly createProcessor: (index: number) => LogicalProcessor;
  /** what the processor under the module is */
  readonly native: NativeCpuid;
  readonly archCapabilities: bigint;
  readonly secrets: PlatformSecrets;
  /** undefined: nobody is ever in the way */
  readonly contention: Contention | undefined;
  observer: CrossingObserver;
  /** the observer asks for calls before they are served */
  observesEntries: boolean;
  readonly pamt: Pamt;
  readonly keys = new KeyOwnership();
  readonly sharedHalf: SharedHalf;
  /** by the HPA of TDR and TDVPR */
  readonly tds = new Map<number, Td>();
  readonly vcpus = new Map<number, Vcpu>();
  sysState: SysState = SysState.INIT_PENDING;
  /** TDH.SYS.LP.INIT has run on the host's processor */
  processorInitialised = false;
  /** a module that was shut down has left its TDs for the next one */
  handoffValid = false;
  tdmrs: readonly Tdmr[] = [];
  processorsCreated = 0;

  /** the host's registers while TDH.VP.ENTER runs */
  hostRegisters: RegisterFile | undefined;
  /** any processor: they all know the same decoded code */
  firstProcessor: LogicalProcessor | undefined;

  /** set by a TDCALL leaf that ends in a TD exit */
  leaving = false;

  /** bits 31:0 of the completion status that is being made */
  details = 0;
  /** code of the last check that failed */
  code: CompletionCode = Code.SUCCESS;
  /** level that the last page operand had in RCX */
  pageLevel: PageLevel = 0;

  constructor(options: CoreOptions) {
    this.version = options.version;
    this.memory = options.memory;
    this.clock = options.clock;
    this.createProcessor = options.createProcessor;
    this.native = new NativeCpuid(options.profile);
    this.archCapabilities = archCapabilitiesOf(options.profile);
    this.secrets = options.secrets;
    this.contention = options.contention;
    this.observer = options.observer;
    this.observesEntries = options.observer.wantsEntries === true;
    this.pamt = new Pamt(options.memory);
    this.sharedHalf = new SharedHalf(options.memory, this);
  }

  /** Replaces who sees crossings. */
  observe(observer: CrossingObserver): void {
    this.observer = observer;
    this.observesEntries = observer.wantsEntries === true;
  }

  /** Sets the details and returns the code, so that a handler can return both at once. */
  fail(code: CompletionCode, details = 0): CompletionCode {
    this.details = details;
    this.code = code;
    return code;
  }

  /**
   * A page operand: aligned, without key id, RAM, and of the expected type. -1 if not, with `code` and `details` set. `flags` are bits
   * that are no part of the address.
   */
  pageOperand(
    registers: RegisterFile,
    register: Gpr,
    expected: PageType,
    level: PageLevel = PageLevel.PAGE_4K,
    flags: HandleFlags = NO_FLAGS,
  ): number {
    const bytes = levelBytes(level);
    const high = (registers.high(register) & ~flags.high) >>> 0;
    const low = registers.low(register) & ~flags.low;
    const hpa = high === 0 ? low >>> 0 : high * 0x1_0000_0000 + (low >>> 0);
    if (high >= HIGH_NO_KEY || (low & (bytes - 1)) !== 0) {
      this.fail(Code.OPERAND_INVALID, register);
      return -1;
    }
    if (!this.isManaged(hpa)) {
      this.fail(Code.OPERAND_ADDR_RANGE_ERROR, register);
      return -1;
    }
    const matches =
      expected === PageType.NDA ? this.pamt.isFree(hpa, bytes / PAGE_SIZE_BYTES) : this.pamt.typeOf(hpa) === expected;
    if (!matches) {
      this.fail(Code.PAGE_METADATA_INCORRECT, register);
      return -1;
    }
    return hpa;
  }

  /** Host memory that a leaf reads or writes for the VMM: aligned and no TD's. -1 if not. */
  sharedOperand(registers: RegisterFile, register: Gpr, alignment: number, bytes: number): number {
    const hpa = registers.number(register);
    if (registers.high(register) >= HIGH_NO_KEY || hpa % alignment !== 0) {
      this.fail(Code.OPERAND_INVALID, register);
      return -1;
    }
    if (!this.memory.isRam(hpa, bytes)) {
      this.fail(Code.OPERAND_ADDR_RANGE_ERROR, register);
      return -1;
    }
    if (!this.isShared(hpa, alignment, bytes)) {
      this.fail(Code.OPERAND_INVALID, register);
      return -1;
    }
    return hpa;
  }

  /** Is all of it aligned host memory that no TD and no module has? */
  isShared(hpa: number, alignment: number, bytes: number): boolean {
    if (hpa % alignment !== 0 || !this.memory.isRam(hpa, bytes)) return false;
    const end = Math.ceil((hpa + bytes) / PAGE_SIZE_BYTES);
    for (let page = Math.floor(hpa / PAGE_SIZE_BYTES); page < end; page++)
      if (this.memory.keyIdOfPage[page] !== HOST_KEY_ID) return false;
    return true;
  }

  /** Is the page in a TDMR, and that far prepared? */
  isManaged(hpa: number): boolean {
    const { tdmrs } = this;
    for (let i = 0; i < tdmrs.length; i++) if (hpa >= tdmrs[i]!.base && hpa < tdmrs[i]!.usableEnd) return true;
    return false;
  }

  /** A page operand that is free becomes a page of the TD. -1 if it is not free. */
  takePage(
    registers: RegisterFile,
    register: Gpr,
    td: Td,
    type: PageType,
    level: PageLevel = PageLevel.PAGE_4K,
  ): number {
    const hpa = this.pageOperand(registers, register, PageType.NDA, level);
    if (hpa < 0) return -1;
    this.assign(hpa, level, type, td);
    td.childCount += levelBytes(level) / PAGE_SIZE_BYTES;
    return hpa;
  }

  /** Free pages become a TD's, and leave every shared mapping. */
  assign(hpa: number, level: PageLevel, type: PageType, td: Td): void {
    const bytes = levelBytes(level);
    for (let offset = 0; offset < bytes; offset += PAGE_SIZE_BYTES) this.sharedHalf.evict(this.tds, hpa + offset);
    this.pamt.assign(hpa, level, type, td.tdrHpa, td.keyId);
  }

  /**
   * RCX as page information: level 2:0, GPA 51:12, the rest 0; aligned to its level and private. Returns the GPA, -1 if it is not
   * legal; the level is left in `pageLevel`.
   */
  pageInfo(registers: RegisterFile, configuration: TdConfiguration, minimum: PageLevel, maximum: PageLevel): number {
    const low = registers.low(Gpr.RCX);
    const level = low & 7;
    const gpa = registers.number(Gpr.RCX) - level;
    if (
      (low & 0xff8) !== 0 ||
      registers.high(Gpr.RCX) >= HIGH_52 ||
      level < minimum ||
      level > maximum ||
      gpa % levelBytes(level) !== 0 ||
      gpa >= configuration.sharedBit
    ) {
      this.fail(Code.OPERAND_INVALID, OperandId.RCX);
      return -1;
    }
    this.pageLevel = level;
    return gpa;
  }

  /**
   * Walks to the entry that `pageInfo` named and asks whether the operation may be done there. Returns the state it leads to, or -1
   * with `code`, RCX (entry) and RDX (level, state) set. Source: TDX Module 1.5 ABI Definition, "Secure EPT Walk Errors".
   */
  septOperand(registers: RegisterFile, sept: SecureEpt, gpa: number, operation: SeptOperation): number {
    if (!sept.walk(gpa, this.pageLevel)) {
      this.fail(Code.EPT_WALK_FAILED, OperandId.RCX);
    } else {
      const next = nextState(sept.state, operation);
      if (next >= 0) return next;
      this.fail(Code.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX);
    }
    this.describeEntry(registers, sept);
    return -1;
  }

  /**
   * A TD that may run must have the entry `septOperand` found blocked, and must have left every translation behind since. SUCCESS, or
   * the code to return. Source: TDX Module 1.5 Base Architecture, "TLB Tracking".
   */
  blockedAndTracked(registers: RegisterFile, td: Td, sept: SecureEpt): CompletionCode {
    if (td.opState !== OpState.RUNNABLE) return Code.SUCCESS;
    if (!SEPT_STATES[sept.state]!.blocked) {
      this.describeEntry(registers, sept);
      return this.fail(Code.GPA_RANGE_NOT_BLOCKED, OperandId.RCX);
    }
    return this.isTracked(td, sept) ? Code.SUCCESS : this.fail(Code.TLB_TRACKING_NOT_DONE, OperandId.RCX);
  }

  /** Has TDH.MEM.TRACK been called since the entry was blocked? No vCPU runs meanwhile, so none is still in the old epoch. */
  isTracked(td: Td, sept: SecureEpt): boolean {
    return this.pamt.blockEpochOf(sept.hpa) < td.epoch;
  }

  /** RCX and RDX as a failing walk leaves them: the entry in its architectural form, and level 2:0 with state 15:8. */
  describeEntry(registers: RegisterFile, sept: SecureEpt): void {
    const row = SEPT_STATES[sept.state]!;
    const rights = row.accessible || row.state === SeptState.NL_MAPPED ? RWX : 0;
    if (row.leaf) registers.set(Gpr.RCX, sept.hpa | rights | LEAF_BITS, SUPPRESS_VE_HIGH);
    else registers.set(Gpr.RCX, rights, row.state === SeptState.FREE ? SUPPRESS_VE_HIGH : 0);
    registers.set(Gpr.RDX, sept.level | (row.publicState << 8), 0);
  }

  /** Zeroes a page unless it is known to be zero, and lets it count as written: its owner may write it from now on. */
  zeroPages(hpa: number, pages: number): void {
    const first = hpa / PAGE_SIZE_BYTES;
    const written = this.memory.writtenPage;
    for (let page = first; page < first + pages; page++) {
      if (written[page] !== 0) {
        this.memory.u8.fill(0, page * PAGE_SIZE_BYTES, (page + 1) * PAGE_SIZE_BYTES);
        this.firstProcessor?.hostPageReplaced(page * PAGE_SIZE_BYTES);
      } else written[page] = 1;
    }
  }

  /** Pages go back to the host: what the TD left in them stays behind. On hardware the host would see it under another key. */
  releasePages(td: Td, hpa: number, level: PageLevel): void {
    td.configuration?.mrtd.gather();
    const first = hpa / PAGE_SIZE_BYTES;
    const count = levelBytes(level) / PAGE_SIZE_BYTES;
    const written = this.memory.writtenPage;
    for (let page = first; page < first + count; page++) {
      if (written[page] === 0) continue;
      this.memory.u8.fill(0, page * PAGE_SIZE_BYTES, (page + 1) * PAGE_SIZE_BYTES);
      this.firstProcessor?.hostPageReplaced(page * PAGE_SIZE_BYTES);
      written[page] = 0;
    }
    this.pamt.free(hpa, level);
    td.childCount -= count;
  }

  /** A module that is configured anew knows no TD; no page is anybody's, and what TDs had in theirs is gone. */
  forgetTds(): void {
    const { keyIdOfPage, writtenPage, u8 } = this.memory;
    for (let page = 0; page < keyIdOfPage.length; page++) {
      if (keyIdOfPage[page] === HOST_KEY_ID) continue;
      const hpa = page * PAGE_SIZE_BYTES;
      u8.fill(0, hpa, hpa + PAGE_SIZE_BYTES);
      this.firstProcessor?.hostPageReplaced(hpa);
      writtenPage[page] = 0;
      keyIdOfPage[page] = HOST_KEY_ID;
    }
    this.pamt.clear();
    this.keys.freeAll();
    this.tds.clear();
    this.vcpus.clear();
    this.handoffValid = false;
  }

  /** Gives a page the content of another. Zeros are not written where there are zeros: the host's memory for such a page stays untouched. */
  copyPage(source: number, target: number): void {
    const { memory } = this;
    const staysZero =
      memory.writtenPage[target / PAGE_SIZE_BYTES] === PageContent.Zero &&
      isZero(memory.i32, source / 4, (source + PAGE_SIZE_BYTES) / 4);
    if (!staysZero) memory.u8.copyWithin(target, source, source + PAGE_SIZE_BYTES);
    this.pageReplaced(target, staysZero ? PageContent.GivenZeros : PageContent.Written);
  }

  /** A page whose whole content was given by somebody else than a guest. */
  pageReplaced(hpa: number, content: number = PageContent.Written): void {
    this.memory.writtenPage[hpa / PAGE_SIZE_BYTES] = content;
    this.firstProcessor?.hostPageReplaced(hpa);
  }
}
