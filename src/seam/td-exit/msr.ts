/** RDMSR and WRMSR. Source: TDX Module 1.5 ABI Definition, "MSR Virtualization". */
import { type CompletionCode, Gpr } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, injectVe, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { MsrAnswer } from '../virt/msr-rows.ts';
import { complete } from './complete.ts';
import { STAY } from './outcome.ts';

const RAX = S.gpr;
const RCX = S.gpr + Gpr.RCX * 8;
const RDX = S.gpr + Gpr.RDX * 8;

const Msr = {
  XAPIC_DISABLE_STATUS: 0xbd,
  ARCH_CAPABILITIES: 0x10a,
  MISC_ENABLE: 0x1a0,
  DEBUGCTL: 0x1d9,
  XSS: 0xda0,
  EFER: 0xc000_0080,
} as const;
/** fast strings; branch trace and precise event sampling are not there */
const MISC_ENABLE = 0x1801;
const EFER_SCE = 1;
const EFER_LMA = 1 << 10;
/** bits 5:2 and 31:16 */
const DEBUGCTL_RESERVED = 0xffff_003c | 0;
const DEBUGCTL_TR_BTS = 0xc0;
const DEBUGCTL_TR = 0x40;
const DEBUGCTL_UNCORE_PMI = 1 << 13;

const GIVE_GP = 1;
const GIVE_VE = 2;
const DONE = 0;

export function handleRdmsr(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const msr = state.low(RCX) >>> 0;
  const answer = configuration.msrs.readAnswer(msr);
  if (answer === MsrAnswer.Module) {
    let low = 0;
    let high = 0;
    if (msr === Msr.ARCH_CAPABILITIES) {
      low = Number(configuration.archCapabilities & 0xffff_ffffn);
      high = Number(configuration.archCapabilities >> 32n);
    } else if (msr === Msr.XAPIC_DISABLE_STATUS) low = 1;
    else if (msr === Msr.MISC_ENABLE) low = MISC_ENABLE;
    else if (msr === Msr.DEBUGCTL) low = vcpu.debugControl;
    // the others, capabilities of VMX and of performance monitoring, are features that are not there: 0
    state.set(RAX, low, 0);
    state.set(RDX, high, 0);
    return complete(core, vcpu, exit, msr | 0);
  }
  return refuse(core, vcpu, exit, msr, answer === MsrAnswer.Ve ? GIVE_VE : GIVE_GP);
}

export function handleWrmsr(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const msr = state.low(RCX) >>> 0;
  const answer = configuration.msrs.writeAnswer(msr);
  if (answer !== MsrAnswer.Module) return refuse(core, vcpu, exit, msr, answer === MsrAnswer.Ve ? GIVE_VE : GIVE_GP);
  const low = state.low(RAX);
  const high = state.low(RDX);
  const result =
    msr === Msr.EFER
      ? writeEfer(vcpu, low, high)
      : msr === Msr.XSS
        ? writeXss(vcpu, configuration, low, high)
        : writeDebugctl(vcpu, low, high);
  return result === DONE ? complete(core, vcpu, exit, msr | 0) : refuse(core, vcpu, exit, msr, result);
}

function refuse(core: SeamCore, vcpu: Vcpu, exit: ExitRecord, msr: number, how: number): CompletionCode {
  if (how === GIVE_VE) injectVe(core, vcpu, exit, exit.reason, 0, 0, msr | 0);
  else injectException(core, vcpu, Vector.GP, 0, exit.reason);
  return STAY;
}

/** Only SCE may change. */
function writeEfer(vcpu: Vcpu, low: number, high: number): number {
  const { cpu } = vcpu;
  const old = cpu.state.low(S.efer);
  if (high !== 0 || ((low ^ old) & ~(EFER_SCE | EFER_LMA)) !== 0) return GIVE_VE;
  cpu.state.setLow(S.efer, (old & ~EFER_SCE) | (low & EFER_SCE));
  cpu.modeChanged();
  return DONE;
}

function writeXss(vcpu: Vcpu, configuration: TdConfiguration, low: number, high: number): number {
  const supervisor = Number(configuration.params.xfam & ~0xffn & 0xffff_ffffn);
  if (high !== 0 || (low & ~supervisor) !== 0) return GIVE_GP;
  vcpu.cpu.state.set(S.xss, low, high);
  return DONE;
}

function writeDebugctl(vcpu: Vcpu, low: number, high: number): number {
  if (high !== 0 || (low & DEBUGCTL_RESERVED) !== 0) return GIVE_GP;
  if ((low & DEBUGCTL_TR_BTS) === DEBUGCTL_TR) return GIVE_VE;
  vcpu.debugControl = low & ~DEBUGCTL_UNCORE_PMI;
  return DONE;
}
