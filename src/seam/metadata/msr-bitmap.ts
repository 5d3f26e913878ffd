/** The MSR bitmaps of a TD as the processor would see them. Source: SDM vol. 3, "MSR-Bitmap Address". */
import type { MsrTable } from '../virt/msr-table.ts';

const WORDS_PER_BITMAP = 128;
const HIGH_MSRS = 0xc000_0000;

/** 64-bit word `index` of 512: reads of low MSRs, reads of high ones, writes of low, writes of high. A set bit exits. */
export function msrBitmapWord(msrs: MsrTable, index: number): bigint {
  const bitmap = Math.floor(index / WORDS_PER_BITMAP);
  const first = (bitmap % 2 === 0 ? 0 : HIGH_MSRS) + (index % WORDS_PER_BITMAP) * 64;
  const native = bitmap < 2 ? msrs.nativeReads : msrs.nativeWrites;
  let word = 0n;
  for (let bit = 0; bit < 64; bit++) if (!native.has(first + bit)) word |= 1n << BigInt(bit);
  return word;
}
