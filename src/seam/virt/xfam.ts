/** XFAM: the extended features a TD may use. Source: TDX Module 1.5 ABI Definition, "XFAM". */
import { XFAM_ALLOWED, XFAM_REQUIRED, Xfam } from '../../abi/index.ts';

/** What this processor has of XFAM_ALLOWED. */
export const SUPPORTED_XFAM = Xfam.X87 | Xfam.SSE;

/** Are all bits known, supported, and legal together? */
export function isLegalXfam(xfam: bigint): boolean {
  if ((xfam & ~(XFAM_ALLOWED & SUPPORTED_XFAM)) !== 0n || (xfam & XFAM_REQUIRED) !== XFAM_REQUIRED) return false;
  const all = (bits: bigint) => (xfam & bits) === bits || (xfam & bits) === 0n;
  const avx512 = (xfam & Xfam.AVX512) !== 0n;
  return all(Xfam.AVX512) && all(Xfam.CET) && all(Xfam.AMX) && (!avx512 || (xfam & Xfam.AVX) !== 0n);
}
