import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { SysState } from '../core.ts';
import { KeyState } from '../key-ownership.ts';
import { MAX_TDMRS, TDMR_INFO_BYTES, Tdmr, tdmrFault } from '../tdmr.ts';
import { leafSource, type SystemRow } from './row.ts';

const ALIGNMENT = 512;

/** Takes the host's division of memory into TDMRs and the key id for the module's own pages. */
export const tdhSysConfig: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_CONFIG,
  name: 'TDH.SYS.CONFIG',
  operands: 'in: RCX = HPA of an array of TDMR_INFO HPAs, RDX = its entries, R8 = HKID of the module',
  source: leafSource('TDH.SYS.CONFIG'),
  beforeReady: true,
  run(core, registers) {
    if (core.sysState !== SysState.INIT_DONE || !core.processorInitialised)
      return core.fail(CompletionCode.SYS_CONFIG_NOT_PENDING);
    const array = core.sharedOperand(registers, Gpr.RCX, ALIGNMENT, ALIGNMENT);
    if (array < 0) return core.code;
    const count = registers.number(Gpr.RDX);
    if (count < 1 || count > MAX_TDMRS) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RDX);
    const keyId = registers.number(Gpr.R8);
    if (!core.keys.isPrivate(keyId)) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.R8);

    const { memory } = core;
    const ram = { base: memory.ramBase, size: memory.ramBytes };
    const tdmrs: Tdmr[] = [];
    for (let i = 0; i < count; i++) {
      const hpa = Number(memory.view.getBigUint64(array + i * 8, true));
      if (!core.isShared(hpa, ALIGNMENT, TDMR_INFO_BYTES))
        return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
      tdmrs.push(Tdmr.read(new DataView(memory.u8.buffer, hpa, TDMR_INFO_BYTES)));
      const fault = tdmrFault(tdmrs, ram);
      if (fault !== undefined) return core.fail(fault.code, fault.details);
    }
    if (core.handoffValid) core.forgetTds();
    core.keys.set(keyId, KeyState.RESERVED);
    core.tdmrs = tdmrs;
    for (const { pamts } of tdmrs)
      for (const { base, size } of pamts)
        memory.keyIdOfPage.fill(keyId, base / PAGE_SIZE_BYTES, (base + size) / PAGE_SIZE_BYTES);
    core.sysState = SysState.CONFIG_DONE;
    return CompletionCode.SUCCESS;
  },
};
