/** No host in particular: the GHCI to the letter, everything in it served, and no help for a guest that forgets a call. */
import { TdvmcallStatus } from '../../abi/index.ts';
import { KVM_CPUID, MACHINE_CPUID } from '../cpuid.ts';
import type { HostProfile } from './host-profile.ts';

const GHCI = 'GHCI 1.5';

export const STRICT: HostProfile = {
  name: 'strict',
  description: 'the GHCI to the letter',
  cpuid: [...KVM_CPUID, ...MACHINE_CPUID],
  /** Names and addresses: SDM vol. 4, "Architectural MSRs". */
  msrs: [
    { index: 0x17, name: 'IA32_PLATFORM_ID', value: 0n, write: 'refused', reason: 'microcode code reads it' },
    { index: 0x3a, name: 'IA32_FEATURE_CONTROL', value: 1n, write: 'refused', reason: 'locked, no feature on' },
    { index: 0x8b, name: 'IA32_BIOS_SIGN_ID', value: 0n, write: 'ignored', reason: 'written 0 before it is read' },
    { index: 0xfe, name: 'IA32_MTRRCAP', value: 0n, write: 'refused', reason: 'no MTRRs to program' },
    { index: 0x179, name: 'IA32_MCG_CAP', value: 0n, write: 'refused', reason: 'no machine-check banks' },
    {
      index: 0x17a,
      name: 'IA32_MCG_STATUS',
      value: 0n,
      write: 'ignored',
      reason: 'the poll treats a refusal as fatal',
    },
    { index: 0x2ff, name: 'IA32_MTRR_DEF_TYPE', value: 0xc06n, write: 'ignored', reason: 'everything is write-back' },
  ],
  cutsWideOperands: false,
  unknownSubFunction: TdvmcallStatus.SUBFUNC_UNSUPPORTED,
  refused: new Map(),
  callInfo: { r11: 1n << 1n, r12: 0n },
  vendorCall: () => TdvmcallStatus.SUBFUNC_UNSUPPORTED,
  mapGpa: { chunkBytes: Number.POSITIVE_INFINITY, stopsForInterrupts: false, protectsBuffersInUse: true },
  touch: { asPrivate: 'ends', asShared: '#VE' },
  fatalErrorReservedBits: 0n,
  differences: [
    { what: 'Service, WBINVD, PCONFIG and MigTD are served', source: `${GHCI}, "TDG.VP.VMCALL Leafs"` },
    {
      what: 'MapGPA gives GPA_INUSE for a buffer whose request is in flight',
      source: `${GHCI}, "TDG.VP.VMCALL<MapGPA>"`,
    },
    {
      what: 'without a MapGPA, using a shared page as private ends the run, and using a private page as shared is a #VE as for MMIO',
      source: `${GHCI}, "TDG.VP.VMCALL<MapGPA>": the guest asks before it uses`,
    },
    { what: 'operands wider than they may be are refused', source: `${GHCI}, each sub-function's table of operands` },
    { what: 'no vendor calls', source: `${GHCI}, "TDG.VP.VMCALL": R10 not 0 is the vendor's` },
  ],
};
