/** SEAMCALL leaf numbers (RAX). Source: TDX Module 1.5 ABI Definition, "SEAMCALL Instruction Leaf Numbers". */
import { hex } from '../bits/index.ts';

export const TdhLeaf = {
  VP_ENTER: 0,
  MNG_ADDCX: 1,
  MEM_PAGE_ADD: 2,
  MEM_SEPT_ADD: 3,
  VP_ADDCX: 4,
  MEM_PAGE_RELOCATE: 5,
  MEM_PAGE_AUG: 6,
  MEM_RANGE_BLOCK: 7,
  MNG_KEY_CONFIG: 8,
  MNG_CREATE: 9,
  VP_CREATE: 10,
  MNG_RD: 11,
  MEM_RD: 12,
  MNG_WR: 13,
  MEM_WR: 14,
  MEM_PAGE_DEMOTE: 15,
  MR_EXTEND: 16,
  MR_FINALIZE: 17,
  VP_FLUSH: 18,
  MNG_VPFLUSHDONE: 19,
  MNG_KEY_FREEID: 20,
  MNG_INIT: 21,
  VP_INIT: 22,
  MEM_PAGE_PROMOTE: 23,
  PHYMEM_PAGE_RDMD: 24,
  MEM_SEPT_RD: 25,
  VP_RD: 26,
  PHYMEM_PAGE_RECLAIM: 28,
  MEM_PAGE_REMOVE: 29,
  MEM_SEPT_REMOVE: 30,
  SYS_KEY_CONFIG: 31,
  SYS_INFO: 32,
  SYS_INIT: 33,
  SYS_RD: 34,
  SYS_LP_INIT: 35,
  SYS_TDMR_INIT: 36,
  SYS_RDALL: 37,
  MEM_TRACK: 38,
  MEM_RANGE_UNBLOCK: 39,
  PHYMEM_CACHE_WB: 40,
  PHYMEM_PAGE_WBINVD: 41,
  MEM_SEPT_WR: 42,
  VP_WR: 43,
  SYS_LP_SHUTDOWN: 44,
  SYS_CONFIG: 45,
} as const;
export type TdhLeaf = number;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TdhLeaf).map(([name, leaf]) => [leaf, `TDH.${name.replaceAll('_', '.')}`]),
);

/** "TDH.VP.ENTER" */
export function tdhLeafName(leaf: number): string {
  return NAMES.get(leaf) ?? `SEAMCALL ${hex(leaf)}`;
}
