/** TDCALL leaf numbers (RAX 15:0). Source: TDX Module 1.5 ABI Definition, "TDCALL Instruction Leaf Numbers". */
import { hex } from '../bits/index.ts';

export const TdgLeaf = {
  VP_VMCALL: 0,
  VP_INFO: 1,
  MR_RTMR_EXTEND: 2,
  VP_VEINFO_GET: 3,
  MR_REPORT: 4,
  VP_CPUIDVE_SET: 5,
  MEM_PAGE_ACCEPT: 6,
  VM_RD: 7,
  VM_WR: 8,
  VP_RD: 9,
  VP_WR: 10,
  SYS_RD: 11,
  SYS_RDALL: 12,
  SERVTD_RD: 18,
  SERVTD_WR: 20,
  MR_VERIFYREPORT: 22,
  MEM_PAGE_ATTR_RD: 23,
  MEM_PAGE_ATTR_WR: 24,
  VP_ENTER: 25,
  VP_INVEPT: 26,
  VP_INVGLA: 27,
} as const;
export type TdgLeaf = number;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TdgLeaf).map(([name, leaf]) => [leaf, `TDG.${name.replaceAll('_', '.')}`]),
);

/** "TDG.VP.INFO" */
export function tdgLeafName(leaf: number): string {
  return NAMES.get(leaf) ?? `TDCALL ${hex(leaf)}`;
}
