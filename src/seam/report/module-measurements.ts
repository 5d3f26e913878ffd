/** What the platform reports of itself. No Intel signature is imitated: MRSIGNERSEAM is zero, as a production module's is. */
import { sha384 } from '@noble/hashes/sha2.js';
import type { ModuleVersion } from '../../abi/index.ts';

const SECURITY_VERSION = 1;

export interface ModuleMeasurements {
  readonly cpuSvn: Uint8Array;
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
}

/** CPUSVN, TEE_TCB_SVN and MRSEAM of a module. */
export const moduleMeasurements = ({ major, minor }: ModuleVersion): ModuleMeasurements => ({
  cpuSvn: new Uint8Array(16).fill(1),
  /** byte 0: module SVN, byte 1: major version, byte 2: seamldr SVN */
  teeTcbSvn: Uint8Array.from({ length: 16 }, (_, i) => [SECURITY_VERSION, major][i] ?? 0),
  mrSeam: sha384(new TextEncoder().encode(`seamulator TDX module ${major}.${minor}`)),
});
