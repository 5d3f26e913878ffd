/**
 * Whether a kernel was built with CONFIG_INTEL_TDX_GUEST. Distributions rarely embed their configuration, but such a kernel
 * compares CPUID 0x21 with this text, in its decompressor as well as in itself (Intel TDX Module ABI, "CPUID Leaf 0x21").
 */
const SIGNATURE = new TextEncoder().encode('IntelTDX    ');

export function mentionsTdx(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(SIGNATURE[0]!); at >= 0; at = bytes.indexOf(SIGNATURE[0]!, at + 1))
    if (SIGNATURE.every((byte, index) => bytes[at + index] === byte)) return true;
  return false;
}
