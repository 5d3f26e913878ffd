import { CompletionCode, Gpr, OperandId, type PageLevel, type RegisterFile } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import type { SeamCore } from '../core.ts';
import { KEY_ID_SHIFT } from '../key-ownership.ts';
import { PageType } from '../pamt.ts';

/** Output registers of TDH.PHYMEM.PAGE.RDMD and RECLAIM. */
export const METADATA_OUTPUTS: readonly Gpr[] = [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11];

export interface PageMetadata {
  readonly hpa: number;
  readonly type: PageType;
  /** HPA of the owner's TDR: for a TDR itself, and for nobody's pages, what they show is 0 */
  readonly owner: number;
  readonly level: PageLevel;
}

/** What RCX names: any page of RAM, whoever owns it. The output registers are cleared. undefined: `core.code` says why not. */
export function metadataOperand(core: SeamCore, registers: RegisterFile): PageMetadata | undefined {
  const hpa = registers.number(Gpr.RCX);
  registers.zero(METADATA_OUTPUTS);
  if (hpa % PAGE_SIZE_BYTES !== 0 || hpa >= 2 ** KEY_ID_SHIFT) {
    core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    return undefined;
  }
  if (!core.isManaged(hpa)) {
    core.fail(CompletionCode.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
    return undefined;
  }
  const { pamt } = core;
  return { hpa, type: pamt.typeOf(hpa), owner: pamt.ownerOf(hpa), level: pamt.levelOf(hpa) };
}

/** RCX, RDX, R8: type, owner and level as the host sees them. */
export function showMetadata(registers: RegisterFile, { type, owner, level }: PageMetadata): void {
  registers.setNumber(Gpr.RCX, type);
  registers.setNumber(Gpr.RDX, type === PageType.TDR ? 0 : owner);
  registers.setNumber(Gpr.R8, level);
}
