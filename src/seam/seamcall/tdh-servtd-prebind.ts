import { CompletionCode, DIGEST_BYTES, Gpr, TdhLeaf } from '../../abi/index.ts';
import { BindingState } from '../structures/service-td.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';
import { namesServiceTd } from './service-td-operands.ts';

const HASH_ALIGNMENT = 64;

/** Fixes what a service TD that is to be bound later must be: the hash of its TDINFO_STRUCT counts in SERVTD_HASH. */
export const tdhServtdPrebind: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.SERVTD_PREBIND,
  name: 'TDH.SERVTD.PREBIND',
  operands: 'in: RCX = TDR HPA, RDX = HPA of 48 bytes, R8 = slot, R9 = type, R10 = SERVTD_ATTR',
  source: leafSource('TDH.SERVTD.PREBIND'),
  tdr: Gpr.RCX,
  states: [OpState.UNINITIALIZED, OpState.INITIALIZED],
  run(core, registers, { serviceTd }) {
    const hashHpa = core.sharedOperand(registers, Gpr.RDX, HASH_ALIGNMENT, DIGEST_BYTES);
    if (hashHpa < 0 || !namesServiceTd(core, registers)) return core.code;
    if (serviceTd.state === BindingState.BOUND) return core.fail(CompletionCode.SERVTD_BOUND);
    const hash = core.memory.u8.subarray(hashHpa, hashHpa + DIGEST_BYTES);
    serviceTd.name(registers.number(Gpr.R9), registers.u64[Gpr.R10]!, hash);
    serviceTd.state = BindingState.PRE_BOUND;
    return CompletionCode.SUCCESS;
  },
};
