/**
 * XBUFF: the extended state of a vCPU that has left its TD, as the module saves it: x87, SSE and AVX in the compacted format of XSAVES. Here
 * the state stays in the processor, and the image is made word by word. Source: SDM vol. 1, "XSAVE-Managed State"; TDX module 1.5 source,
 * tdx_tdvps.h (guest_extension_state).
 */
import { Xfam } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { S } from '../../cpu/index.ts';
import type { Vcpu } from '../structures/vcpu.ts';

/** 8-byte words of the 12 KiB */
export const XBUFF_WORDS = 1536;
const WORD_BYTES = 8;
/** Offsets in the image. */
const At = {
  fip: 8,
  fdp: 16,
  mxcsr: 24,
  stack: 32,
  xmm: 160,
  afterXmm: 416,
  xstateBv: 512,
  xcompBv: 520,
  ymm: 576,
} as const;
const AFTER_YMM = At.ymm + 256;
const MXCSR_MASK = 0xffff;
const COMPACTED = 1n << 63n;
/** components that a processor here can have */
const KNOWN = Xfam.X87 | Xfam.SSE | Xfam.AVX;

/** The word at `element` * 8 bytes. */
export function readXbuff({ cpu, td }: Vcpu, element: number): bigint {
  const { state } = cpu;
  const offset = element * WORD_BYTES;
  const components = td.configuration!.params.xfam & KNOWN;
  const hasAvx = (components & Xfam.AVX) !== 0n;
  const half = offset & 8;
  const word = (row: number): bigint => join64(state.low(row), state.high(row));
  if (offset < At.stack) return legacyWord(offset, (row) => state.low(row), word);
  if (offset < At.xmm) {
    const top = (state.low(S.fpuStatus) >> 11) & 7;
    return word(S.fpuRegister + 16 * ((top + ((offset - At.stack) >> 4)) & 7) + half) & (half === 0 ? ALL : 0xffffn);
  }
  if (offset < At.afterXmm) return word(S.vector + 32 * ((offset - At.xmm) >> 4) + half);
  if (offset === At.xstateBv) return components;
  if (offset === At.xcompBv) return COMPACTED | components;
  if (hasAvx && offset >= At.ymm && offset < AFTER_YMM)
    return word(S.vector + 32 * ((offset - At.ymm) >> 4) + 16 + half);
  return 0n;
}

const ALL = 0xffff_ffff_ffff_ffffn;

/** The first four words: control, pointers, MXCSR. */
function legacyWord(offset: number, low: (row: number) => number, word: (row: number) => bigint): bigint {
  switch (offset) {
    case At.fip:
      return word(S.fpuIp);
    case At.fdp:
      return word(S.fpuDp);
    case At.mxcsr:
      return join64(low(S.mxcsr), MXCSR_MASK);
    default: // FCW, FSW, abridged FTW, FOP
      return join64(
        (low(S.fpuControl) & 0xffff) | (low(S.fpuStatus) << 16),
        (low(S.fpuTag) & 0xff) | (low(S.fpuOpcode) << 16),
      );
  }
}
