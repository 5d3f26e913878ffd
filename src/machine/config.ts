/** What a run depends on besides the guest: everything that a real machine would take from the world. */

/** 2026-01-01 00:00:00 UTC: where the clock of a run stands unless somebody sets it. */
export const DEFAULT_START_UNIX_SECONDS = 1_767_225_600;

export const DEFAULT_SEED = 1;

const MIB = 1 << 20;
/** control structures, table pages, and what alignment wastes */
const HOST_OVERHEAD_BYTES = 16 * MIB;
/** one Secure EPT page for each 2 MiB, and as much again for room */
const HOST_OVERHEAD_SHARE = 256;

/** the module's metadata for each GiB begun: 16 bytes for each page of each size */
const PAMT_BYTES_EACH_GIB = 5 * MIB;

/** Host RAM that is enough for TDs of `guestBytes` in all. */
export function hostMemoryFor(guestBytes: number): number {
  const pamtBytes = Math.ceil((guestBytes * 1.01) / 2 ** 30 + 0.25) * PAMT_BYTES_EACH_GIB;
  const bytes = guestBytes + Math.ceil(guestBytes / HOST_OVERHEAD_SHARE) + HOST_OVERHEAD_BYTES + pamtBytes;
  return Math.ceil(bytes / (2 * MIB)) * 2 * MIB;
}
