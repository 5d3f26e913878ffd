/** RFLAGS between its two forms: the lazily kept arithmetic flags of `state.ts` and the register as software sees it. */
import { type CpuState, S } from './state.ts';

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
export const ARITHMETIC_FLAGS = CF | PF | AF | ZF | SF | OF;

/** Whole RFLAGS. */
export function packRflags(state: CpuState): number {
  const low = state.low(S.flagsResult);
  const high = state.high(S.flagsResult);
  const aux = state.low(S.flagsAux);
  let flags = state.low(S.rflags) | 2;
  if (aux < 0) flags |= CF;
  if ((aux ^ (aux << 1)) < 0) flags |= OF;
  if ((aux & 8) !== 0) flags |= AF;
  if ((low | high) === 0) flags |= ZF;
  if (((high >>> 31) ^ (aux & 1)) !== 0) flags |= SF;
  let parity = (low ^ (aux >>> 8)) & 0xff;
  parity ^= parity >> 4;
  if (((0x6996 >> (parity & 15)) & 1) === 0) flags |= PF;
  return flags;
}

/** Takes RFLAGS apart again. */
export function unpackRflags(state: CpuState, flags: number): void {
  state.setLow(S.rflags, (flags & ~ARITHMETIC_FLAGS) | 2);
  const zf = (flags & ZF) !== 0 ? 1 : 0;
  const pf = (flags & PF) !== 0 ? 1 : 0;
  const carry = flags & CF;
  const overflow = (flags & OF) !== 0 ? 1 : 0;
  state.set(S.flagsResult, zf ^ 1, 0);
  state.setLow(
    S.flagsAux,
    (carry << 31) | ((carry ^ overflow) << 30) | ((flags & AF) >> 1) | ((flags & SF) !== 0 ? 1 : 0) | ((pf ^ zf) << 8),
  );
}
