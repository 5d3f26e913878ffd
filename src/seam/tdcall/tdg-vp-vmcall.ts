import { CompletionCode as Code, type CompletionCode, Gpr, OperandId, TdgLeaf } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { leaveForVmcall } from '../td-exit/leave.ts';
import { RCX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

const NEVER_EXPOSED = (1 << Gpr.RAX) | (1 << Gpr.RCX) | (1 << Gpr.RSP);
const RBP = 1 << Gpr.RBP;
const R10 = S.gpr + Gpr.R10 * 8;
const R11 = S.gpr + Gpr.R11 * 8;
const R12 = S.gpr + Gpr.R12 * 8;
const R14 = S.gpr + Gpr.R14 * 8;
const VENDOR_CALL = 0x8000_0000 | 0;

/** Leaves for the VMM. RIP is moved before the exit: the guest goes on after its TDCALL when the VMM enters it again. */
export const tdgVpVmcall: TdcallRow = {
  leaf: TdgLeaf.VP_VMCALL,
  name: 'TDG.VP.VMCALL',
  maxVersion: 0,
  operands:
    'in: RCX = registers that cross (GPRs 15:0, XMMs 31:16), those registers; out: those registers, RCX unchanged',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.VMCALL Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const { cpu } = vcpu;
    const { state } = cpu;
    const mask = state.low(RCX);
    if (state.high(RCX) !== 0 || (mask & (configuration.noRbpMod ? NEVER_EXPOSED | RBP : NEVER_EXPOSED)) !== 0)
      return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    const vendor = state.low(R10) !== 0 || state.high(R10) !== 0;
    const code = vendor ? VENDOR_CALL | state.low(R10) : state.low(R11);
    core.observer.crossing(
      CrossingKind.VmmCall,
      vcpu.index,
      code,
      state.low(R12),
      state.low(R14),
      state.low(S.rip),
      state.high(S.rip),
      state.gprs,
    );
    cpu.skipInstruction(cpu.exit.instructionLength);
    core.leaving = true;
    return leaveForVmcall(core, vcpu, mask);
  },
};
