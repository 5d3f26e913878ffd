/** XSETBV. Source: TDX Module 1.5 Base Architecture, "XSETBV"; SDM vol. 2, "XSETBV". */
import { type CompletionCode, Gpr } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { complete } from './complete.ts';
import { STAY } from './outcome.ts';

const X87 = 1;
const SSE = 1 << 1;
const AVX = 1 << 2;
const AVX512 = 7 << 5;
const AMX = 3 << 17;
/** XFAM bits that are XCR0 bits */
const USER_BITS = 0x6_02e7n;

export function handleXsetbv(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { state } = vcpu.cpu;
  const low = state.low(S.gpr);
  const high = state.low(S.gpr + Gpr.RDX * 8);
  const allowed = Number(configuration.params.xfam & USER_BITS);
  const all = (bits: number) => (low & bits) === 0 || (low & bits) === bits;
  const legal =
    state.low(S.gpr + Gpr.RCX * 8) === 0 &&
    high === 0 &&
    (low & ~allowed) === 0 &&
    (low & X87) !== 0 &&
    ((low & AVX) === 0 || (low & SSE) !== 0) &&
    all(AVX512) &&
    ((low & AVX512) === 0 || (low & AVX) !== 0) &&
    all(AMX);
  if (!legal) {
    injectException(core, vcpu, Vector.GP, 0, exit.reason);
    return STAY;
  }
  state.set(S.xcr0, low, high);
  return complete(core, vcpu, exit, low);
}
