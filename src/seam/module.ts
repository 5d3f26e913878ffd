/** The TDX module of one platform. Source: TDX Module 1.5 Base Architecture Specification; TDX Module 1.5 ABI Definition. */
import { MODULE_1_5, type ModuleVersion, type RegisterFile, type SharedEpt } from '../abi/index.ts';
import type { StateVisitor } from '../bits/index.ts';
import type { LogicalProcessor } from '../cpu/index.ts';
import type { HostMemory } from '../memory/index.ts';
import { CrossingKind, type CrossingObserver, NO_REGISTERS, NULL_OBSERVER } from '../probe/index.ts';
import type { Clock } from '../time/index.ts';
import type { Contention } from './contention.ts';
import { SeamCore, SysState } from './core.ts';
import type { HostDoor } from './host-door.ts';
import { postVector } from './posted-interrupts.ts';
import { PlatformSecrets } from './report/platform-secrets.ts';
import { visitModule } from './saved-state.ts';
import { seamcall } from './seamcall/dispatch.ts';
import { SEPT_STATES, SeptState } from './sept/states.ts';
import type { CpuProfile } from './virt/cpu-profile.ts';
import { MINIMAL_PROFILE } from './virt/profiles/index.ts';

export interface TdxModuleOptions {
  readonly memory: HostMemory;
  readonly clock: Clock;
  /** of all secrets and identities: an integer below 2^53 */
  readonly seed: number;
  /** makes the processor that is a vCPU; called once for each TDH.VP.INIT with a running number */
  readonly createProcessor: (index: number) => LogicalProcessor;
  /** default: MODULE_1_5 */
  readonly version?: ModuleVersion;
  /** what the processors are; default: MINIMAL_PROFILE */
  readonly cpuProfile?: CpuProfile;
  /** others that get in the way of leaves; default: nobody */
  readonly contention?: Contention | undefined;
  readonly observer?: CrossingObserver;
}

/** One entry of a walk through a Secure EPT. */
export interface SecureEptStep {
  readonly level: number;
  /** name of its state */
  readonly state: string;
  /** host page of the leaf or of the next table */
  readonly hpa: number | undefined;
}

export class TdxModule {
  readonly hostDoor: HostDoor;
  readonly #core: SeamCore;

  constructor(options: TdxModuleOptions) {
    const core = new SeamCore({
      version: options.version ?? MODULE_1_5,
      memory: options.memory,
      clock: options.clock,
      createProcessor: options.createProcessor,
      profile: options.cpuProfile ?? MINIMAL_PROFILE,
      secrets: new PlatformSecrets(options.seed),
      contention: options.contention,
      observer: options.observer ?? NULL_OBSERVER,
    });
    this.#core = core;
    this.hostDoor = new Door(core);
  }

  /** Its part of a snapshot. Throws a SnapshotError while a TD is being built. */
  visitState(state: StateVisitor): void {
    visitModule(this.#core, state);
  }

  /** Replaces who sees crossings. */
  observe(observer: CrossingObserver): void {
    this.#core.observe(observer);
  }

  /**
   * The processors of a TD's vCPUs, in order of their index: for debuggers and reports, which may see what no host may. Throws a
   * RangeError if there is no TD at `tdrHpa`.
   */
  processorsOf(tdrHpa: number): readonly LogicalProcessor[] {
    return this.#td(tdrHpa).vcpus.map((vcpu) => vcpu.cpu);
  }

  /** The Secure EPT entries towards a private address, from the root down, by name: for debuggers and reports. Throws as processorsOf. */
  secureEptWalk(tdrHpa: number, gpa: number): readonly SecureEptStep[] {
    const sept = this.#td(tdrHpa).configuration?.secureEpt;
    const steps: SecureEptStep[] = [];
    for (let level = sept?.root.level ?? -1; level >= 0; level--) {
      if (!sept!.walk(gpa, level)) break;
      const { name, leaf } = SEPT_STATES[sept!.state]!;
      const isFree = sept!.state === SeptState.FREE;
      steps.push({ level, state: name, hpa: isFree ? undefined : sept!.hpa });
      if (leaf || isFree) break;
    }
    return steps;
  }

  /** MRTD (48 bytes, zero before TDH.MR.FINALIZE) and the four RTMRs, as copies. Throws as processorsOf. */
  measurementsOf(tdrHpa: number): { mrtd: Uint8Array; rtmrs: readonly Uint8Array[] } {
    const td = this.#td(tdrHpa);
    return {
      mrtd: td.configuration?.mrtd.digest.slice() ?? new Uint8Array(48),
      rtmrs: td.rtmrs.map((rtmr) => rtmr.slice()),
    };
  }

  /**
   * ENCLU[EVERIFYREPORT2], which a quoting enclave executes on the platform's processor: was this REPORTMACSTRUCT (256 bytes) made
   * here, unchanged? Source: SDM vol. 3D, "EVERIFYREPORT2".
   */
  verifyReport(reportMacStruct: Uint8Array): boolean {
    return this.#core.secrets.isOwnReport(reportMacStruct);
  }

  /** ENCLU[EGETKEY]: 32 bytes that only enclaves on this platform can have, the same for the same purpose. */
  enclaveKey(purpose: string): Uint8Array {
    return this.#core.secrets.derive(`enclave: ${purpose}`);
  }

  #td(tdrHpa: number) {
    const td = this.#core.tds.get(tdrHpa);
    if (td === undefined) throw new RangeError(`no TD has its root page at 0x${tdrHpa.toString(16)}`);
    return td;
  }
}

class Door implements HostDoor {
  readonly #core: SeamCore;

  constructor(core: SeamCore) {
    this.#core = core;
  }

  seamcall(registers: RegisterFile): void {
    seamcall(this.#core, registers);
  }

  installModule(): void {
    if (this.#core.sysState !== SysState.SHUTDOWN) throw new RangeError('the module has not been shut down');
    this.#core.sysState = SysState.INIT_PENDING;
    this.#core.processorInitialised = false;
  }

  attachSharedEpt(tdrHpa: number, sharedEpt: SharedEpt): void {
    const td = this.#core.tds.get(tdrHpa);
    if (td?.configuration === undefined)
      throw new RangeError(`no initialised TD has its root page at 0x${tdrHpa.toString(16)}`);
    if (td.sharedEpt !== undefined) throw new RangeError('a TD keeps its shared EPT');
    td.sharedEpt = sharedEpt;
  }

  postInterrupt(tdvprHpa: number, vector: number): void {
    const vcpu = this.#core.vcpus.get(tdvprHpa);
    if (vcpu === undefined) throw new RangeError(`no vCPU has its root page at 0x${tdvprHpa.toString(16)}`);
    postVector(vcpu, vector);
    this.#core.observer.crossing(CrossingKind.InterruptPosted, vcpu.index, vector, 0, 0, 0, 0, NO_REGISTERS);
  }
}
