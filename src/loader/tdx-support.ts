import { type Bytes, readBytes } from '../bits/index.ts';

/**
 * Whether a kernel was built with CONFIG_INTEL_TDX_GUEST. Distributions rarely embed their configuration, but such a kernel
 * compares CPUID 0x21 with this text, in its decompressor as well as in itself (Intel TDX Module ABI, "CPUID Leaf 0x21").
 */
const SIGNATURE = new TextEncoder().encode('IntelTDX    ');

/** How far back the signature can begin at the latest, by the byte that stands where its first one would. */
const SHIFTS = new Uint8Array(256).fill(SIGNATURE.length);
for (let index = SIGNATURE.length - 1; index > 0; index--) SHIFTS[SIGNATURE[index]!] = index;

/** What is not in memory is read in pieces of so many bytes. */
const READ_BYTES = 1 << 18;

/** Looks through all of it. */
export function mentionsTdx(bytes: Bytes): boolean {
  if (bytes instanceof Uint8Array) return isIn(bytes);
  for (let start = 0; start < bytes.length; start += READ_BYTES)
    if (isIn(readBytes(bytes, start, start + READ_BYTES + SIGNATURE.length - 1))) return true;
  return false;
}

/** Kernels are long: most bytes are never looked at (Horspool's search), and a decompressor stands behind what it unpacks. */
function isIn(bytes: Uint8Array): boolean {
  for (let at = bytes.length - SIGNATURE.length; at >= 0; at -= SHIFTS[bytes[at]!]!) {
    let alike = 0;
    while (alike < SIGNATURE.length && bytes[at + alike] === SIGNATURE[alike]) alike++;
    if (alike === SIGNATURE.length) return true;
  }
  return false;
}
