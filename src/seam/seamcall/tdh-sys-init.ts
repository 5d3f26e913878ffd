import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { leafSource, type SystemRow } from './row.ts';

/** The first step of bringing the module up; TDH.SYS.LP.INIT, SYS.CONFIG, SYS.KEY.CONFIG and SYS.TDMR.INIT follow. */
export const tdhSysInit: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_INIT,
  name: 'TDH.SYS.INIT',
  operands: 'in: RCX = 0',
  source: leafSource('TDH.SYS.INIT'),
  beforeReady: true,
  run(core, registers) {
    const attributes = registers.number(Gpr.RCX);
    registers.zero([Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10]);
    if (attributes !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    if (core.sysState !== SysState.INIT_PENDING) return core.fail(CompletionCode.SYS_INIT_NOT_PENDING);
    core.sysState = SysState.INIT_DONE;
    return CompletionCode.SUCCESS;
  },
};
