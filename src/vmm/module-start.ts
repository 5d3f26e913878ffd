/** The host's part in bringing the module up, once a platform. */
import { Gpr, MetadataField, TdhLeaf } from '../abi/index.ts';
import { PAGE_4K_BYTES } from './host-pages.ts';
import type { Seamcalls } from './seamcalls.ts';

/** What the host must know of the module to build TDs. */
export interface ModuleFacts {
  /** pages of a TD's control structure that TDH.MNG.ADDCX adds */
  readonly tdcsPages: number;
  /** pages of a vCPU's control structure that TDH.VP.ADDCX adds beside the TDVPR page */
  readonly vcpuExtraPages: number;
}

/** Initialises the module and asks it what it needs. */
export function startModule(seamcalls: Seamcalls): ModuleFacts {
  seamcalls.call(TdhLeaf.SYS_INIT, {});
  const pagesOf = (field: bigint) => {
    const bytes = seamcalls.call(TdhLeaf.SYS_RD, { rdx: field }).number(Gpr.R8);
    return Math.ceil(bytes / PAGE_4K_BYTES);
  };
  return {
    tdcsPages: pagesOf(MetadataField.TDCS_BASE_SIZE),
    vcpuExtraPages: pagesOf(MetadataField.TDVPS_BASE_SIZE) - 1,
  };
}
