/** What the platform reports of itself. No Intel signature is imitated: MRSIGNERSEAM is zero, as a production module's is. */
import { sha384 } from '@noble/hashes/sha2.js';
import { MODULE_VERSION } from '../metadata/sys.ts';

const SECURITY_VERSION = 1;

export const MODULE_MEASUREMENTS = {
  cpuSvn: new Uint8Array(16).fill(1),
  /** byte 0: module SVN, byte 1: major version, byte 2: seamldr SVN */
  teeTcbSvn: Uint8Array.from({ length: 16 }, (_, i) => [SECURITY_VERSION, MODULE_VERSION.major][i] ?? 0),
  mrSeam: sha384(new TextEncoder().encode(`seamulator TDX module ${MODULE_VERSION.major}.${MODULE_VERSION.minor}`)),
} as const;
