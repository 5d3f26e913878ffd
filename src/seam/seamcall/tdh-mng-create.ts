import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { KeyState } from '../key-ownership.ts';
import { PageType } from '../pamt.ts';
import { Td } from '../structures/td.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Creates a TD root page and gives the TD a key id. */
export const tdhMngCreate: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.MNG_CREATE,
  name: 'TDH.MNG.CREATE',
  operands: 'in: RCX = TDR page HPA, RDX = HKID',
  source: leafSource('TDH.MNG.CREATE'),
  run(core, registers) {
    const keyId = registers.number(Gpr.RDX);
    if (!core.keys.isPrivate(keyId)) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RDX);
    const tdrHpa = core.pageOperand(registers, Gpr.RCX, PageType.NDA);
    if (tdrHpa < 0) return core.code;
    if (core.keys.stateOf(keyId) !== KeyState.FREE) return core.fail(CompletionCode.HKID_NOT_FREE);
    core.keys.set(keyId, KeyState.ASSIGNED);
    const td = new Td(tdrHpa, keyId, core.secrets.uuid(tdrHpa), core.secrets);
    core.assign(tdrHpa, 0, PageType.TDR, td);
    core.pageReplaced(tdrHpa);
    core.tds.set(tdrHpa, td);
    return CompletionCode.SUCCESS;
  },
};
