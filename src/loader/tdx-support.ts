/**
 * Whether a kernel was built with CONFIG_INTEL_TDX_GUEST. Distributions rarely embed their configuration, but such a kernel
 * compares CPUID 0x21 with this text, in its decompressor as well as in itself (Intel TDX Module ABI, "CPUID Leaf 0x21").
 */
const SIGNATURE = new TextEncoder().encode('IntelTDX    ');

/** How far on the signature can stand at the earliest, by the byte that stands where its last one would. */
const SHIFTS = new Uint8Array(256).fill(SIGNATURE.length);
SIGNATURE.slice(0, -1).forEach((byte, index) => {
  SHIFTS[byte] = SIGNATURE.length - 1 - index;
});

/** Kernels are long: most bytes are never looked at (Horspool's search). */
export function mentionsTdx(bytes: Uint8Array): boolean {
  const last = SIGNATURE.length - 1;
  const lastByte = SIGNATURE[last]!;
  for (let at = last; at < bytes.length; at += SHIFTS[bytes[at]!]!)
    if (bytes[at] === lastByte && SIGNATURE.every((byte, index) => bytes[at - last + index] === byte)) return true;
  return false;
}
