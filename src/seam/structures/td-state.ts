/** May a call reach this TD now? What SEAMCALL leaves ask of the TD they name, and TDCALL leaves of another. */
import { CompletionCode as Code } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { Lifecycle, type OpState, TDCS_PAGES, type Td } from './td.ts';

/** Order as in the module: fatal (unless that does not matter), key, pages of the TDCS. False: `core.code` says why not. */
export function hasControlStructure(core: SeamCore, td: Td, whenFatal = false): boolean {
  if (td.fatal && !whenFatal) core.fail(Code.TD_FATAL);
  else if (td.lifecycle !== Lifecycle.KEYS_CONFIGURED) core.fail(Code.TD_KEYS_NOT_CONFIGURED);
  else if (td.tdcxPages < TDCS_PAGES) core.fail(Code.TDCS_NOT_ALLOCATED);
  else return true;
  return false;
}

export function isInState(core: SeamCore, td: Td, states: readonly OpState[]): boolean {
  for (let i = 0; i < states.length; i++) if (states[i] === td.opState) return true;
  core.fail(Code.OP_STATE_INCORRECT);
  return false;
}
