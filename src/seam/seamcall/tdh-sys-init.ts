import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Brings the module up. The steps after it on hardware (SYS.LP.INIT, SYS.CONFIG, key and TDMR set-up) have nothing to do here. */
export const tdhSysInit: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_INIT,
  name: 'TDH.SYS.INIT',
  operands: 'in: RCX = 0',
  source: leafSource('TDH.SYS.INIT'),
  beforeReady: true,
  run(core, registers) {
    if (core.sysState !== SysState.INIT_PENDING) return core.fail(CompletionCode.SYS_INIT_NOT_PENDING);
    if (registers.number(Gpr.RCX) !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    core.sysState = SysState.READY;
    return CompletionCode.SUCCESS;
  },
};
