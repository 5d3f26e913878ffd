/** XSETBV. Source: TDX Module 1.5 Base Architecture, "XSETBV"; SDM vol. 2, "XSETBV". */
import { type CompletionCode, Gpr } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { isLegalXcr0 } from '../virt/control-register-rows.ts';
import { complete } from './complete.ts';
import { STAY } from './outcome.ts';

export function handleXsetbv(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  { params }: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const low = state.low(S.gpr);
  const high = state.low(S.gpr + Gpr.RDX * 8);
  const isXcr0 = state.low(S.gpr + Gpr.RCX * 8) === 0;
  if (!isXcr0 || high !== 0 || !isLegalXcr0(low, params)) {
    injectException(core, vcpu, Vector.GP, 0, exit.reason);
    return STAY;
  }
  state.set(S.xcr0, low, high);
  vcpu.cpu.modeChanged();
  return complete(core, vcpu, exit, low);
}
