/** The form of a SEAMCALL leaf: one row, one leaf, one file. */
import { type CompletionCode, Gpr, type RegisterFile, type TdhLeaf } from '../../abi/index.ts';
import type { HandleFlags, SeamCore } from '../core.ts';
import type { OpState, Td, TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';

interface LeafRow {
  readonly leaf: TdhLeaf;
  /** name in the specification */
  readonly name: string;
  /** input and output registers */
  readonly operands: string;
  /** highest version of the leaf; default 0 */
  readonly maxVersion?: number;
  /** in module 2.0, where it is another one */
  readonly maxVersion20?: number;
  /** output registers: 0 when the leaf is refused, unless it says more */
  readonly outputs?: readonly Gpr[];
  readonly source: string;
  /** what of it is not there, for docs/coverage.md */
  readonly missing?: string;
}

/** A leaf that names no TD, or one that does not exist yet. */
export interface SystemRow extends LeafRow {
  readonly scope: 'system';
  /** may be called before the module is ready */
  readonly beforeReady?: boolean;
  readonly run: (core: SeamCore, registers: RegisterFile) => CompletionCode;
}

/** A leaf whose TD is named by its TDR. Only the TDR page is checked before `run`. */
export interface KeyRow extends LeafRow {
  readonly scope: 'key';
  readonly tdr: Gpr;
  readonly run: (core: SeamCore, registers: RegisterFile, td: Td) => CompletionCode;
}

/** A leaf of a TD that is being built or runs; `states` are the operation states that allow it. */
export interface TdRow extends LeafRow {
  readonly scope: 'td';
  readonly tdr: Gpr;
  /** flags beside the TDR's address that the leaf knows; the dispatcher takes them off */
  readonly handleFlags?: HandleFlags;
  readonly states: readonly OpState[];
  readonly run: (core: SeamCore, registers: RegisterFile, td: Td, configuration: TdConfiguration) => CompletionCode;
}

/** A leaf of a TD with keys and TDCS pages but no configuration yet. */
export interface BuildRow extends LeafRow {
  readonly scope: 'build';
  readonly tdr: Gpr;
  readonly run: (core: SeamCore, registers: RegisterFile, td: Td) => CompletionCode;
}

/** A leaf of a vCPU, named by its TDVPR. */
export interface VcpuRow extends LeafRow {
  readonly scope: 'vcpu';
  readonly tdvpr: Gpr;
  /** flags beside the TDVPR's address that the leaf knows; the dispatcher takes them off */
  readonly handleFlags?: HandleFlags;
  readonly states: readonly OpState[];
  /** may be called when the TD is lost */
  readonly whenFatal?: boolean;
  /** may be called before all pages of the TDVPS are added */
  readonly incomplete?: boolean;
  readonly run: (core: SeamCore, registers: RegisterFile, vcpu: Vcpu, configuration: TdConfiguration) => CompletionCode;
}

export type SeamcallRow = SystemRow | KeyRow | BuildRow | TdRow | VcpuRow;

/** Where a leaf describes the Secure EPT entry at which it failed: the entry, and its level and state. */
export const ENTRY_OUTPUTS: readonly Gpr[] = [Gpr.RCX, Gpr.RDX];

/** Where version 1 of a leaf names pages of L2 VMs. */
export const L2_PAGE_OUTPUTS: readonly Gpr[] = [Gpr.R9, Gpr.R10, Gpr.R11];

/** Section of the document that defines a leaf. */
export const leafSource = (name: string): string => `TDX Module 1.5 ABI Definition, "${name} Leaf"`;
