import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { HANDOFF_VERSION } from '../metadata/sys.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Ends the module and leaves its TDs for the next one. */
export const tdhSysShutdown: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_SHUTDOWN,
  name: 'TDH.SYS.SHUTDOWN',
  operands: 'in: RCX = version of the handoff data',
  source: leafSource('TDH.SYS.SHUTDOWN'),
  run(core, registers) {
    if (registers.number(Gpr.RCX) !== HANDOFF_VERSION) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    core.sysState = SysState.SHUTDOWN;
    core.handoffValid = true;
    return CompletionCode.SUCCESS;
  },
};
