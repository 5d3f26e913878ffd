/** The form of a TDCALL leaf: one row, one leaf, one file. */
import type { CompletionCode, TdgLeaf } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';

export interface TdcallRow {
  readonly leaf: TdgLeaf;
  /** name in the specification */
  readonly name: string;
  /** highest version of the leaf in module 1.5 */
  readonly maxVersion: number;
  /** the same in module 2.0, where it is another */
  readonly maxVersion20?: number;
  /** input and output registers */
  readonly operands: string;
  readonly source: string;
  /** what of it is not there, for docs/coverage.md */
  readonly missing?: string;
  /**
   * Does it and returns the completion code, with the details in `core.details`. Two ways end it otherwise: STAY after an exception
   * was injected or when it is to be executed again; `core.leaving` set when the TD exits, the code then being the host's.
   */
  readonly run: (core: SeamCore, vcpu: Vcpu, configuration: TdConfiguration, version: number) => CompletionCode;
}
