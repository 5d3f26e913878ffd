/** MSRs the host answers that are no part of the local APIC. An MSR without a row is refused. */

interface HostMsrRow {
  readonly index: number;
  readonly name: string;
  readonly value: bigint;
  /** `ignored`: a write succeeds and changes nothing; `refused`: R10 says so and the guest sees #GP or goes without */
  readonly write: 'ignored' | 'refused';
  /** why it is here */
  readonly reason: string;
}

/** Names and addresses: SDM vol. 4, "Architectural MSRs". */
export const HOST_MSRS: readonly HostMsrRow[] = [
  { index: 0x17, name: 'IA32_PLATFORM_ID', value: 0n, write: 'refused', reason: 'microcode code reads it' },
  { index: 0x3a, name: 'IA32_FEATURE_CONTROL', value: 1n, write: 'refused', reason: 'locked, no feature on' },
  { index: 0x8b, name: 'IA32_BIOS_SIGN_ID', value: 0n, write: 'ignored', reason: 'written 0 before it is read' },
  { index: 0xcf, name: 'IA32_CORE_CAPABILITIES', value: 0n, write: 'refused', reason: 'CPUID announces it' },
  { index: 0xfe, name: 'IA32_MTRRCAP', value: 0n, write: 'refused', reason: 'no MTRRs to program' },
  { index: 0x2ff, name: 'IA32_MTRR_DEF_TYPE', value: 0xc06n, write: 'ignored', reason: 'everything is write-back' },
  { index: 0x179, name: 'IA32_MCG_CAP', value: 0n, write: 'refused', reason: 'no machine-check banks' },
  { index: 0x17a, name: 'IA32_MCG_STATUS', value: 0n, write: 'ignored', reason: 'the poll treats a refusal as fatal' },
];

const rowOfIndex = new Map(HOST_MSRS.map((row) => [row.index, row]));

/** undefined: refused. */
export function readHostMsr(index: number): bigint | undefined {
  return rowOfIndex.get(index)?.value;
}

/** false: refused. */
export function writeHostMsr(index: number): boolean {
  return rowOfIndex.get(index)?.write === 'ignored';
}
