import { CompletionCode as Code, type CompletionCode, TdgLeaf } from '../../abi/index.ts';
import { R8, R9, R10, RCX, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

const TWO_32 = 0x1_0000_0000;

/** Gives the guest what the last #VE was about; a further #VE, or an NMI, may come after it. */
export const tdgVpVeinfoGet: TdcallRow = {
  leaf: TdgLeaf.VP_VEINFO_GET,
  name: 'TDG.VP.VEINFO.GET',
  maxVersion: 0,
  maxVersion20: 1,
  operands:
    'out: RCX = exit reason 31:0, version 1 also category 39:32, RDX = exit qualification, R8 = GLA, R9 = GPA, R10 = instruction length 31:0, information 63:32',
  source:
    'TDX Module 1.5 ABI Definition, "TDG.VP.VEINFO.GET Leaf"; TDX Module 2.0 ABI Definition, "TDG.VP.VEINFO.GET Leaf"',
  run(core, vcpu, _configuration, version): CompletionCode {
    const { state, virtualizationException: info } = vcpu.cpu;
    if (!info.valid) {
      state.set(RCX, 0, 0);
      state.set(RDX, 0, 0);
      state.set(R8, 0, 0);
      state.set(R9, 0, 0);
      state.set(R10, 0, 0);
      return core.fail(Code.NO_VALID_VE_INFO);
    }
    state.set(RCX, info.exitReason, version > 0 ? vcpu.veCategory : 0);
    state.set(RDX, info.qualificationLow, info.qualificationHigh);
    state.set(R8, info.guestLinearLow, info.guestLinearHigh);
    state.set(R9, info.guestPhysical, Math.floor(info.guestPhysical / TWO_32));
    state.set(R10, vcpu.veInstructionLength, vcpu.veInstructionInformation);
    info.valid = false;
    return Code.SUCCESS;
  },
};
