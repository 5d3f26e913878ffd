/** MOV to CR0 and CR4 that touches what the module owns. Source: TDX Module 1.5 Base Architecture, "CR0 and CR4 Handling". */
import { type CompletionCode, VeCategory } from '../../abi/index.ts';
import { invariant } from '../../bits/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, injectVe, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { isIllegalControlWrite } from '../virt/control-register-rows.ts';
import { STAY } from './outcome.ts';

const RIGHTS_L = 1 << 13;
const CS_RIGHTS = S.segmentRights + 4;
const MOV_TO_CR = 0;

/** The processor exits only for changes of bits the module owns, and none of those changes is allowed. */
export function handleCrAccess(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  { cpuid }: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const register = exit.qualificationLow & 15;
  const type = (exit.qualificationLow >>> 4) & 3;
  invariant(
    type === MOV_TO_CR && (register === 0 || register === 4),
    'only MOV to CR0 and CR4 can touch the bits the module owns',
  );
  const source = S.gpr + ((exit.qualificationLow >>> 8) & 15) * 8;
  const high = (state.low(CS_RIGHTS) & RIGHTS_L) !== 0 ? state.high(source) : 0;
  const illegal = isIllegalControlWrite(register === 0 ? 'CR0' : 'CR4', state.low(source), high, cpuid.supportedCr4);
  if (illegal) injectException(core, vcpu, Vector.GP, 0, exit.reason);
  else
    injectVe(
      core,
      vcpu,
      exit,
      exit.reason,
      exit.qualificationLow,
      0,
      exit.qualificationLow,
      VeCategory.UNSUPPORTED_FEATURE,
    );
  return STAY;
}
