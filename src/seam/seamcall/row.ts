/** The form of a SEAMCALL leaf: one row, one leaf, one file. */
import type { CompletionCode, Gpr, RegisterFile, TdhLeaf } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import type { OpState, Td, TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';

interface LeafRow {
  readonly leaf: TdhLeaf;
  /** name in the specification */
  readonly name: string;
  /** input and output registers */
  readonly operands: string;
  readonly source: string;
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
  readonly states: readonly OpState[];
  readonly run: (core: SeamCore, registers: RegisterFile, vcpu: Vcpu, configuration: TdConfiguration) => CompletionCode;
}

export type SeamcallRow = SystemRow | KeyRow | BuildRow | TdRow | VcpuRow;

/** Section of the document that defines a leaf. */
export const leafSource = (name: string): string => `TDX Module 1.5 ABI Definition, "${name} Leaf"`;
