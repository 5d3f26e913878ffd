/** CPUID. Source: TDX Module 1.5 ABI Definition, "CPUID Virtualization"; Base Architecture, "CPUID Virtualization". */
import { type CompletionCode, Gpr } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectVe } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { complete } from './complete.ts';
import { STAY } from './outcome.ts';

const RAX = S.gpr;
const RBX = S.gpr + Gpr.RBX * 8;
const RCX = S.gpr + Gpr.RCX * 8;
const RDX = S.gpr + Gpr.RDX * 8;
const CR4_OSXSAVE = 1 << 18;
const CR4_PKE = 1 << 22;
const CPUID_1_ECX_OSXSAVE = 1 << 27;
const CPUID_7_ECX_OSPKE = 1 << 4;
const CPUID_80000001_EDX_SYSCALL = 1 << 11;
const EXTENDED_FEATURES_LEAF = 0x8000_0001;
const RIGHTS_L = 1 << 13;
const CS_RIGHTS = S.segmentRights + 4;

export function handleCpuid(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const leaf = state.low(RAX) >>> 0;
  const values = configuration.cpuid.lookup(leaf, state.low(RCX) >>> 0);
  const asked = state.low(S.cpl) === 0 ? vcpu.cpuidVeSupervisor : vcpu.cpuidVeUser;
  if (values === undefined || asked !== 0) {
    injectVe(core, vcpu, exit, exit.reason, 0, 0, leaf | 0);
    return STAY;
  }
  let ebx = values[1]!;
  let ecx = values[2]!;
  let edx = values[3]!;
  if (leaf === 1) {
    ebx |= vcpu.index << 24;
    if ((state.low(S.cr4) & CR4_OSXSAVE) !== 0) ecx |= CPUID_1_ECX_OSXSAVE;
  } else if (leaf === 7) {
    if (state.low(RCX) === 0 && (state.low(S.cr4) & CR4_PKE) !== 0) ecx |= CPUID_7_ECX_OSPKE;
  } else if (leaf === EXTENDED_FEATURES_LEAF && (state.low(CS_RIGHTS) & RIGHTS_L) === 0) {
    edx &= ~CPUID_80000001_EDX_SYSCALL;
  }
  state.set(RAX, values[0]!, 0);
  state.set(RBX, ebx, 0);
  state.set(RCX, ecx, 0);
  state.set(RDX, edx, 0);
  return complete(core, vcpu, exit, leaf | 0);
}
