/** The two register structures, and the mask that says which registers the host may see and write. */
import { registerStructure } from './register-structure.ts';

/** What a leaf of the TDX module may give back. */
export const ModuleOutput = registerStructure('rcx', 'rdx', 'r8', 'r9', 'r10', 'r11');

/** What goes to the VMM and what comes back from it. */
export const HypercallRegisters = registerStructure('r10', 'r11', 'r12', 'r13', 'r14', 'r15');

/** Bits of RCX in TDG.VP.VMCALL: bit n exposes register n (TDX Module 1.5 ABI, "TDG.VP.VMCALL Leaf"). */
export const Expose = {
  RDX: 1 << 2,
  RBX: 1 << 3,
  RSI: 1 << 6,
  RDI: 1 << 7,
  R8: 1 << 8,
  R9: 1 << 9,
  R10: 1 << 10,
  R11: 1 << 11,
  R12: 1 << 12,
  R13: 1 << 13,
  R14: 1 << 14,
  R15: 1 << 15,
} as const;

/** What `__tdx_hypercall` exposes: its arguments, nothing else. */
export const HYPERCALL_EXPOSED = Expose.R10 | Expose.R11 | Expose.R12 | Expose.R13 | Expose.R14 | Expose.R15;

/** Second argument of `__tdx_hypercall`. */
export const HypercallFlag = {
  /** copy R10 to R15 back into the structure */
  HasOutput: 1 << 0,
  /** STI directly before TDCALL, so that no interrupt fits between the two (for HLT) */
  IssueSti: 1 << 1,
} as const;
