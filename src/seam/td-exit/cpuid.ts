/** CPUID. Source: TDX Module 1.5 ABI Definition, "CPUID Virtualization"; Base Architecture, "CPUID Virtualization"; module 1.5.01 and 2.0 source, td_cpuid.c. */
import { type CompletionCode, Gpr, isModule20, VeCategory } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import { cpuidFeature } from '../../isa/index.ts';
import type { SeamCore } from '../core.ts';
import { injectVe } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import type { CpuidVe } from '../virt/cpuid-rows.ts';
import { HYPERVISOR_BASE, HYPERVISOR_END } from '../virt/cpuid-table.ts';
import { CPUID_REGISTERS } from '../virt/cpuid-values.ts';
import { PARAVIRT_FEATURES, type ParavirtFeatureName } from '../virt/td-controls.ts';
import { compactedSize, standardSize } from '../virt/xsave-area.ts';
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
const RIGHTS_L = 1 << 13;
const CS_RIGHTS = S.segmentRights + 4;
const Leaf = { CACHES: 4, TOPOLOGY: 0xb, EXTENDED_STATE: 0xd, TOPOLOGY_V2: 0x1f, EXTENDED: 0x8000_0001 } as const;
/** sub-leaves of leaf 4 that REDUCE_VE shows as the processor has them */
const NATIVE_CACHES = 4;
/** bits of leaf 4's EAX that are the host's also then: who shares the cache, and how many cores there are */
const CACHE_SHARING = 0xffff_c000 | 0;
const APIC_ID_BITS = 0xff;
/** CPUID_CONTROL */
const CONTROL_SUPERVISOR = 1;
const CONTROL_USER = 2;

/** CPUID bits that follow from what a 2.0 TD chose: leaf, sub-leaf, place in the values, bit. */
const CHOSEN_BITS = Object.entries(PARAVIRT_FEATURES).flatMap(([name, { cpuid }]) =>
  cpuid.map((feature) => {
    const { leaf, subleaf, register, bit } = cpuidFeature(feature);
    return {
      name: name as ParavirtFeatureName,
      leaf,
      subleaf,
      place: CPUID_REGISTERS.indexOf(register),
      mask: 1 << bit,
    };
  }),
);

export function handleCpuid(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const { controls } = vcpu.td;
  const leaf = state.low(RAX) >>> 0;
  const subleaf = state.low(RCX) >>> 0;
  const answer = configuration.cpuid.find(leaf, subleaf);
  const supervisor = state.low(S.cpl) === 0;
  const leafControl = vcpu.cpuidControl[answer?.row.index ?? -1] ?? 0;
  const asked = supervisor
    ? vcpu.cpuidVeSupervisor | (leafControl & CONTROL_SUPERVISOR)
    : vcpu.cpuidVeUser | (leafControl & CONTROL_USER);
  const hypervisor = leaf >= HYPERVISOR_BASE && leaf < HYPERVISOR_END;
  const refused = hypervisor || (answer === undefined ? !controls.reduceVe : isVe(vcpu, configuration, answer.row.ve));
  if (refused || asked !== 0) {
    const category = hypervisor ? VeCategory.NON_CONFIG_PARAVIRT : VeCategory.CONFIG_PARAVIRT;
    injectVe(core, vcpu, exit, exit.reason, 0, 0, leaf | 0, category);
    return STAY;
  }
  const values = answer === undefined ? new Int32Array(4) : answer.values.slice();
  if (answer !== undefined) atRunTime(core, vcpu, configuration, answer.row.leaf, subleaf, values);
  else if (leaf === Leaf.TOPOLOGY || leaf === Leaf.TOPOLOGY_V2) {
    values[2] = subleaf & APIC_ID_BITS;
    values[3] = vcpu.x2ApicId;
  }
  state.set(RAX, values[0]!, 0);
  state.set(RBX, values[1]!, 0);
  state.set(RCX, values[2]!, 0);
  state.set(RDX, values[3]!, 0);
  return complete(core, vcpu, exit, leaf | 0);
}

function isVe({ td }: Vcpu, { cpuid }: TdConfiguration, ve: CpuidVe | undefined): boolean {
  const { controls } = td;
  switch (ve) {
    case undefined:
      return false;
    case 'always':
      return true;
    case 'unless REDUCE_VE':
      return !controls.reduceVe;
    case 'unless VIRT_CPUID2':
      return !controls.virtCpuid2;
    case 'unless ENUM_TOPOLOGY':
      return !controls.enumTopology;
    default:
      return !controls.reduceVe || controls.has(cpuid, ve);
  }
}

/** What no table can hold. */
function atRunTime(
  core: SeamCore,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  leaf: number,
  subleaf: number,
  values: Int32Array,
): void {
  const { state } = vcpu.cpu;
  const { controls } = vcpu.td;
  const { cpuid } = configuration;
  if (isModule20(core.version)) {
    for (const { name, place, mask, ...where } of CHOSEN_BITS)
      if (where.leaf === leaf && (leaf === 1 || where.subleaf === subleaf))
        values[place] = controls.has(cpuid, name) ? values[place]! | mask : values[place]! & ~mask;
  }
  switch (leaf) {
    case 1:
      values[1] = values[1]! | (((controls.enumTopology ? vcpu.x2ApicId : vcpu.index) & APIC_ID_BITS) << 24);
      if ((state.low(S.cr4) & CR4_OSXSAVE) !== 0) values[2] = values[2]! | CPUID_1_ECX_OSXSAVE;
      break;
    case Leaf.CACHES:
      if (controls.reduceVe && subleaf < NATIVE_CACHES) {
        const { eax, ebx, ecx, edx } = cpuid.native(leaf, subleaf);
        values.set([(eax & ~CACHE_SHARING) | (values[0]! & CACHE_SHARING), ebx, ecx, edx]);
      }
      break;
    case 7:
      if (subleaf === 0 && (state.low(S.cr4) & CR4_PKE) !== 0) values[2] = values[2]! | CPUID_7_ECX_OSPKE;
      break;
    case Leaf.EXTENDED_STATE:
      if (subleaf <= 1 && cpuid.shows('XSAVE')) {
        const user = state.big(S.xcr0);
        const read = (component: number) => cpuid.native(Leaf.EXTENDED_STATE, component);
        values[1] = subleaf === 0 ? standardSize(user, read) : compactedSize(user | state.big(S.xss), read);
      }
      break;
    case Leaf.TOPOLOGY:
    case Leaf.TOPOLOGY_V2:
      values[3] = vcpu.x2ApicId;
      break;
    case Leaf.EXTENDED:
      if ((state.low(CS_RIGHTS) & RIGHTS_L) !== 0) values[3] = values[3]! | CPUID_80000001_EDX_SYSCALL;
      break;
    default:
  }
}
