/** RDMSR and WRMSR. Source: TDX Module 1.5 ABI Definition, "MSR Virtualization"; module 1.5.01 and 2.0 source, td_msr_access.c. */
import { type CompletionCode, Gpr, isModule20, VeCategory } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, injectVe, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { MsrOutcome, MsrTable } from '../virt/msr-table.ts';
import { complete } from './complete.ts';
import { STAY } from './outcome.ts';

const RAX = S.gpr;
const RCX = S.gpr + Gpr.RCX * 8;
const RDX = S.gpr + Gpr.RDX * 8;

const Msr = {
  SMI_COUNT: 0x34,
  FEATURE_CONTROL: 0x3a,
  PPIN_CTL: 0x4e,
  BIOS_UPDT_TRIG: 0x79,
  BIOS_SIGN_ID: 0x8b,
  XAPIC_DISABLE_STATUS: 0xbd,
  PLATFORM_INFO: 0xce,
  ARCH_CAPABILITIES: 0x10a,
  FEATURE_ENABLES: 0x140,
  MISC_ENABLE: 0x1a0,
  DEBUGCTL: 0x1d9,
  X2APIC_APICID: 0x802,
  XSS: 0xda0,
  EFER: 0xc000_0080,
} as const;
const EFER_SCE = 1;
const EFER_LMA = 1 << 10;
/** bits 5:3 and 31:16 */
const DEBUGCTL_RESERVED = 0xffff_0038 | 0;
const DEBUGCTL_TR_BTS = 0xc0;
const DEBUGCTL_TR = 0x40;
const DEBUGCTL_UNCORE_PMI = 1 << 13;
/** freeze while in SMM, advanced debugging of RTM: 2.0 refuses what the TD has not */
const DEBUGCTL_ABSENT_2_0 = 3 << 14;
/** IA32_MISC_ENABLE: what must be 0, what a write leaves as it is, and the bits that need a feature */
const MISC_ENABLE_MUST_BE_ZERO = 0xff3a_e776 | 0;
const MISC_ENABLE_READ_ONLY = (1 << 7) | (1 << 11) | (1 << 12);
const MISC_ENABLE_EST = 1 << 16;
const MISC_ENABLE_MONITOR = 1 << 18;
const MISC_ENABLE_LIMIT_CPUID = 1 << 22;
const MISC_ENABLE_XTPR = 1 << 23;

/** What a handler of one register says. The others are categories of #VE. */
const DONE = -1;
const GIVE_GP = -2;
type Answer = typeof DONE | typeof GIVE_GP | VeCategory;

export function handleRdmsr(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const msr = state.low(RCX) >>> 0;
  const outcome = configuration.msrs.readOutcome(msr, vcpu.td.controls);
  const answer = outcome === MsrOutcome.Module ? read(vcpu, configuration, msr) : plain(outcome, msr);
  return finish(core, vcpu, exit, msr, answer);
}

export function handleWrmsr(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const msr = state.low(RCX) >>> 0;
  const outcome = configuration.msrs.writeOutcome(msr, vcpu.td.controls);
  const answer =
    outcome === MsrOutcome.Module
      ? write(core, vcpu, configuration, msr, state.low(RAX), state.low(RDX))
      : plain(outcome, msr);
  return finish(core, vcpu, exit, msr, answer);
}

function plain(outcome: MsrOutcome, msr: number): Answer {
  if (outcome === MsrOutcome.Gp) return GIVE_GP;
  return MsrTable.isInBitmap(msr) ? VeCategory.CONFIG_PARAVIRT : VeCategory.NON_CONFIG_PARAVIRT;
}

function finish(core: SeamCore, vcpu: Vcpu, exit: ExitRecord, msr: number, answer: Answer): CompletionCode {
  if (answer === DONE) return complete(core, vcpu, exit, msr | 0);
  if (answer === GIVE_GP) injectException(core, vcpu, Vector.GP, 0, exit.reason);
  else injectVe(core, vcpu, exit, exit.reason, 0, 0, msr | 0, answer);
  return STAY;
}

/** Puts the value into EDX:EAX. */
function read(vcpu: Vcpu, configuration: TdConfiguration, msr: number): Answer {
  const { state } = vcpu.cpu;
  const { controls } = vcpu.td;
  let low = 0;
  let high = 0;
  switch (msr) {
    case Msr.SMI_COUNT:
    case Msr.FEATURE_CONTROL:
    case Msr.PPIN_CTL:
    case Msr.BIOS_SIGN_ID:
    case Msr.PLATFORM_INFO:
    case Msr.FEATURE_ENABLES:
      if (!controls.reduceVe) return VeCategory.CONFIG_PARAVIRT;
      if (msr === Msr.SMI_COUNT) {
        low = vcpu.smiCount[0]!;
        high = vcpu.smiCount[1]!;
      } else if (msr === Msr.BIOS_SIGN_ID) low = -1;
      else if (msr !== Msr.PLATFORM_INFO && msr !== Msr.FEATURE_ENABLES) low = 1; // locked
      break;
    case Msr.X2APIC_APICID:
      if (!controls.enumTopology) return VeCategory.CONFIG_PARAVIRT;
      low = vcpu.x2ApicId;
      break;
    case Msr.ARCH_CAPABILITIES:
      low = Number(configuration.archCapabilities & 0xffff_ffffn);
      high = Number(configuration.archCapabilities >> 32n);
      break;
    case Msr.XAPIC_DISABLE_STATUS:
      low = 1;
      break;
    case Msr.MISC_ENABLE:
      low = vcpu.miscEnable;
      break;
    case Msr.DEBUGCTL:
      low = vcpu.debugControl;
      break;
    default:
    // capabilities of VMX and of performance monitoring, which are not there: 0
  }
  state.set(RAX, low, 0);
  state.set(RDX, high, 0);
  return DONE;
}

function write(
  core: SeamCore,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  msr: number,
  low: number,
  high: number,
): Answer {
  switch (msr) {
    case Msr.EFER:
      return writeEfer(vcpu, low, high);
    case Msr.XSS:
      return writeXss(vcpu, configuration, low, high);
    case Msr.DEBUGCTL:
      return writeDebugctl(core, vcpu, low, high);
    default:
  }
  if (!vcpu.td.controls.reduceVe) return VeCategory.CONFIG_PARAVIRT;
  if (msr === Msr.MISC_ENABLE) return writeMiscEnable(vcpu, configuration, low, high);
  if (msr === Msr.SMI_COUNT) vcpu.smiCount.set([low, high]);
  // microcode: a write is ignored
  return msr === Msr.FEATURE_ENABLES && (low !== 0 || high !== 0) ? GIVE_GP : DONE;
}

/** Only SCE may change. */
function writeEfer(vcpu: Vcpu, low: number, high: number): Answer {
  const { cpu } = vcpu;
  const old = cpu.state.low(S.efer);
  if (high !== 0 || ((low ^ old) & ~(EFER_SCE | EFER_LMA)) !== 0) return VeCategory.UNSUPPORTED_FEATURE;
  cpu.state.setLow(S.efer, (old & ~EFER_SCE) | (low & EFER_SCE));
  cpu.modeChanged();
  return DONE;
}

function writeXss(vcpu: Vcpu, { params }: TdConfiguration, low: number, high: number): Answer {
  const supervisor = Number(params.xfam & XFAM_SUPERVISOR);
  if (high !== 0 || (low & ~supervisor) !== 0) return GIVE_GP;
  vcpu.cpu.state.set(S.xss, low, high);
  return DONE;
}
/** XFAM bits that are bits of IA32_XSS: PT, CET, user interrupts, LBR. */
const XFAM_SUPERVISOR = 0xd900n;

function writeDebugctl(core: SeamCore, vcpu: Vcpu, low: number, high: number): Answer {
  if (high !== 0 || (low & DEBUGCTL_RESERVED) !== 0) return GIVE_GP;
  if ((low & DEBUGCTL_TR_BTS) === DEBUGCTL_TR) return VeCategory.UNSUPPORTED_FEATURE;
  if (isModule20(core.version) && (low & DEBUGCTL_ABSENT_2_0) !== 0) return GIVE_GP;
  vcpu.debugControl = low & ~DEBUGCTL_UNCORE_PMI;
  return DONE;
}

function writeMiscEnable(vcpu: Vcpu, { cpuid }: TdConfiguration, low: number, high: number): Answer {
  if (high !== 0 || (low & MISC_ENABLE_MUST_BE_ZERO) !== 0) return GIVE_GP;
  if ((low & MISC_ENABLE_EST) !== 0 && !vcpu.td.controls.has(cpuid, 'EST')) return GIVE_GP;
  if (((low ^ vcpu.miscEnable) & MISC_ENABLE_MONITOR) !== 0 || (low & MISC_ENABLE_LIMIT_CPUID) !== 0)
    return VeCategory.UNSUPPORTED_FEATURE;
  if ((low & MISC_ENABLE_XTPR) !== 0 && !cpuid.shows('XTPR')) return GIVE_GP;
  vcpu.miscEnable = (low & ~MISC_ENABLE_READ_ONLY) | (vcpu.miscEnable & MISC_ENABLE_READ_ONLY);
  return DONE;
}
