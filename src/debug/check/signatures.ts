/** Arguments for helpers that nobody gave any: the signatures that such functions have had, each with the arguments of a harmless call. */

import { TdgLeaf, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { LinkedObject } from '../../loader/index.ts';
import { type FunctionArgument, runFunction } from '../../machine/index.ts';

const structure = (name: string, ...words: number[]): FunctionArgument => ({
  name,
  bytes: new Uint8Array(new BigUint64Array(words.map(BigInt)).buffer),
});
const numbers = (...values: number[]): FunctionArgument[] => values.map(BigInt);
const OUTPUT = structure('out', 0, 0, 0, 0, 0, 0);

export interface Signature {
  /** as a C programmer writes it */
  readonly text: string;
  readonly args: readonly FunctionArgument[];
}

export const SIGNATURES: readonly Signature[] = [
  {
    text: '__tdx_hypercall(struct { r10, r11, r12, r13, r14, r15 } *args, flags)',
    args: [structure('args', 0, TdvmcallLeaf.GET_TD_VM_CALL_INFO, 0, 0, 0, 0), 1n],
  },
  {
    text: '__tdx_hypercall(r11, r12, r13, r14, r15, struct { r11, r12, r13, r14, r15 } *out)',
    args: [...numbers(TdvmcallLeaf.GET_TD_VM_CALL_INFO, 0, 0, 0, 0), OUTPUT],
  },
  {
    text: '__tdx_module_call(leaf, rcx, rdx, r8, r9, struct { rcx, rdx, r8, r9, r10, r11 } *out)',
    args: [...numbers(TdgLeaf.VP_INFO, 0, 0, 0, 0), OUTPUT],
  },
  {
    text: '__tdcall(leaf, struct { rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15, rbx, rdi, rsi } *args)',
    args: [BigInt(TdgLeaf.VP_INFO), structure('args', ...new Array<number>(13).fill(0))],
  },
];

/** The first signature by which a call of the function succeeds; undefined: none does. */
export function signatureOf(object: LinkedObject, symbol: string): Signature | undefined {
  return SIGNATURES.find(({ args }) => {
    const { outcome, crossings } = runFunction({ object, symbol, args });
    const last = crossings.at(-1);
    if (outcome.how !== 'returned' || last === undefined) return false;
    return last.answeredBy === 'module' ? last.status === 0 : last.status === TdvmcallStatus.SUCCESS;
  });
}
