/** Run-time measurement registers. Source: TDX Module 1.5 ABI Definition, "TDG.MR.RTMR.EXTEND Leaf". */
import { sha384 } from '@noble/hashes/sha2.js';

/** register := SHA-384(register || value), 48 bytes each. */
export function extendRtmr(register: Uint8Array, value: Uint8Array): void {
  register.set(sha384.create().update(register).update(value).digest());
}
