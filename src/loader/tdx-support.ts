import { type Bytes, readBytes } from '../bits/index.ts';

/**
 * Whether a kernel was built with CONFIG_INTEL_TDX_GUEST. Distributions rarely embed their configuration, but such a kernel
 * compares CPUID 0x21 with this text, in its decompressor as well as in itself (Intel TDX Module ABI, "CPUID Leaf 0x21").
 */
const SIGNATURE = new TextEncoder().encode('IntelTDX    ');

/** The letter by which it is looked for, since kernels have it rarely, and where it stands in the signature. */
const LETTER_AT = 7;
const LETTER = SIGNATURE[LETTER_AT]!;

/** What is not in memory is read in pieces of so many bytes. */
const READ_BYTES = 1 << 18;

/** Looks through all of it, from the end: texts stand behind tables, and a decompressor behind what it unpacks. */
export function mentionsTdx(bytes: Bytes): boolean {
  if (bytes instanceof Uint8Array) return isIn(bytes);
  for (let end = bytes.length; end > 0; end -= READ_BYTES)
    if (isIn(readBytes(bytes, Math.max(0, end - READ_BYTES - (SIGNATURE.length - 1)), end))) return true;
  return false;
}

function isIn(bytes: Uint8Array): boolean {
  for (let letter = bytes.indexOf(LETTER); letter >= 0; letter = bytes.indexOf(LETTER, letter + 1)) {
    const start = letter - LETTER_AT;
    let alike = 0;
    while (alike < SIGNATURE.length && bytes[start + alike] === SIGNATURE[alike]) alike++;
    if (alike === SIGNATURE.length) return true;
  }
  return false;
}
