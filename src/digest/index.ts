/** Digests that must be fast; the others come from a library. */
export { SHA384_BLOCK_BYTES, sha384 } from './sha384.ts';
