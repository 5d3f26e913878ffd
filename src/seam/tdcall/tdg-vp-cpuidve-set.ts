import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { RCX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

const SUPERVISOR = 1;
const USER = 2;

/** Turns #VE for every CPUID on or off, by privilege. */
export const tdgVpCpuidveSet: TdcallRow = {
  leaf: TdgLeaf.VP_CPUIDVE_SET,
  name: 'TDG.VP.CPUIDVE.SET',
  maxVersion: 0,
  operands: 'in: RCX bit 0 = at CPL 0, bit 1 = at CPL above 0',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.CPUIDVE.SET Leaf"',
  run(core, vcpu): CompletionCode {
    const { state } = vcpu.cpu;
    const low = state.low(RCX);
    if (state.high(RCX) !== 0 || (low & ~(SUPERVISOR | USER)) !== 0)
      return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    vcpu.cpuidVeSupervisor = low & SUPERVISOR;
    vcpu.cpuidVeUser = (low & USER) >> 1;
    return Code.SUCCESS;
  },
};
