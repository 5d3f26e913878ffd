/** What the module keeps of a TD: TDR and TDCS in one. Source: TDX Module 1.5 Base Architecture, "TD Control Structures". */
import { DIGEST_BYTES, type Gpaw, type SharedEpt, sharedBitOf, TdAttribute, type TdParams } from '../../abi/index.ts';
import type { SecondLevel } from '../../cpu/index.ts';
import type { Mrtd } from '../measurement/mrtd.ts';
import type { PlatformSecrets } from '../report/platform-secrets.ts';
import type { SecureEpt } from '../sept/secure-ept.ts';
import type { CpuidTable } from '../virt/cpuid-table.ts';
import type { MsrTable } from '../virt/msr-table.ts';
import { TdControls } from '../virt/td-controls.ts';
import { ServiceBinding } from './service-td.ts';
import type { Vcpu } from './vcpu.ts';

/** Life cycle of a TD's key and pages. */
export const Lifecycle = { HKID_ASSIGNED: 0, KEYS_CONFIGURED: 1, BLOCKED: 2, TEARDOWN: 3 } as const;
export type Lifecycle = (typeof Lifecycle)[keyof typeof Lifecycle];

/** Operation state of an initialised TD. */
export const OpState = { UNINITIALIZED: 0, INITIALIZED: 1, RUNNABLE: 2 } as const;
export type OpState = (typeof OpState)[keyof typeof OpState];

/** Pages that TDH.MNG.ADDCX must add before a TD has a TDCS, and those it may add: a page for each L2 VM. Source: module 1.5.01. */
export const TDCS_PAGES = 6;
export const TDCS_PAGES_MAX = 9;
/** Pages of a TDVPS, TDVPR included, and those it may have: three for each L2 VM. Source: module 1.5.01. */
export const TDVPS_PAGES = 6;
export const TDVPS_PAGES_MAX = 15;

/** Everything that TDH.MNG.INIT makes. */
export interface TdConfiguration {
  readonly params: TdParams;
  readonly gpaw: Gpaw;
  readonly sharedBit: number;
  /** CONFIG_FLAGS.NO_RBP_MOD: RBP never crosses in TDG.VP.VMCALL */
  readonly noRbpMod: boolean;
  readonly secondLevel: SecondLevel;
  readonly secureEpt: SecureEpt;
  readonly cpuid: CpuidTable;
  readonly msrs: MsrTable;
  readonly mrtd: Mrtd;
  readonly archCapabilities: bigint;
}

export class Td {
  readonly tdrHpa: number;
  readonly keyId: number;
  readonly uuid: Uint8Array;
  lifecycle: Lifecycle = Lifecycle.HKID_ASSIGNED;
  fatal = false;
  /** pages that belong to the TD, TDR apart */
  childCount = 0;
  tdcxPages = 0;
  opState: OpState = OpState.UNINITIALIZED;
  /** undefined until TDH.MNG.INIT */
  configuration: TdConfiguration | undefined;
  readonly vcpus: Vcpu[] = [];
  /** vCPUs whose VMCS a logical processor may still hold */
  associatedVcpus = 0;
  epoch = 1;
  /** counts removals of shared mappings: a vCPU that has not seen the latest forgets its translations */
  sharedEpoch = 0;
  sharedEpt: SharedEpt | undefined;
  /** shared mappings that the processor sees: guest address (without shared bit) to host page number */
  readonly sharedPages = new Map<number, number>();
  /** clock at TDH.MNG.INIT: the TD's TSC is 0 there */
  tscOriginTicks = 0;
  readonly rtmrs = Array.from({ length: 4 }, () => new Uint8Array(48));
  /** the only slot of SERVTD_BINDINGS_TABLE, and SERVTD_HASH as TDH.MR.FINALIZE makes it */
  readonly serviceTd = new ServiceBinding();
  readonly serviceTdHash = new Uint8Array(DIGEST_BYTES);
  /** MIG_DEC_KEY and MIG_ENC_KEY, for the migration TD */
  readonly migrationDecryptionKey = new BigUint64Array(4);
  migrationDecryptionKeySet = false;
  readonly migrationEncryptionKey = new BigUint64Array(4);
  readonly secrets: PlatformSecrets;
  notifyEnables = 0n;
  /** how long a host may keep a guest from a lock before the TD exits: HP_LOCK_TIMEOUT */
  hostPriorityTimeoutUsec = 1_000_000;
  /** VM_CTLS of each L2 virtual machine; a TD without partitioning only stores them */
  readonly vmControls = [0, 0, 0, 0];
  readonly controls = new TdControls();

  constructor(tdrHpa: number, keyId: number, uuid: Uint8Array, secrets: PlatformSecrets) {
    this.tdrHpa = tdrHpa;
    this.keyId = keyId;
    this.uuid = uuid;
    this.secrets = secrets;
  }

  /** Takes what TDH.MNG.INIT made of TD_PARAMS. */
  initialize(configuration: TdConfiguration, nowTicks: number): void {
    this.tscOriginTicks = nowTicks;
    this.configuration = configuration;
    this.opState = OpState.INITIALIZED;
    this.controls.initialize(configuration.params);
  }

  get isDebug(): boolean {
    return this.configuration !== undefined && (this.configuration.params.attributes & TdAttribute.DEBUG) !== 0n;
  }
}

/** The shared bit and width of a TD's guest physical addresses. */
export function gpaGeometry(gpawFlag: boolean): { gpaw: Gpaw; sharedBit: number } {
  const gpaw: Gpaw = gpawFlag ? 52 : 48;
  return { gpaw, sharedBit: sharedBitOf(gpaw) };
}
