/** What the loader must know of the guest shim: where its ROM lies and where its parameters go. The code itself is `machine/shim`. */
import { hex, invariant } from '../bits/index.ts';
import type { Range } from './pages.ts';

/** The ROM ends at 4 GiB, so that the TD reset vector 0xFFFFFFF0 is its last sixteen bytes. */
export const SHIM_ROM_BYTES = 0x1_0000;
export const SHIM_ROM_GPA = 0x1_0000_0000 - SHIM_ROM_BYTES;

/** Byte offsets inside the parameter block; all fields have 64 bits. */
export const ShimParameter = {
  /** vCPU 0 jumps here in 64-bit mode */
  entry: 0,
  /** ... with this in RSI */
  bootParams: 8,
  /** the other vCPUs wait here: Multiprocessor Wakeup mailbox */
  mailbox: 16,
  /** number of ranges that vCPU 0 accepts before it jumps */
  rangeCount: 24,
  /** pairs of first address and address after the last */
  ranges: 32,
} as const;

/** The assembled shim, parameters still zero. */
export interface ShimRom {
  /** SHIM_ROM_BYTES long */
  readonly bytes: Uint8Array;
  readonly parametersOffset: number;
  /** how many ranges there is room for */
  readonly rangeCapacity: number;
}

export interface ShimParameters {
  readonly entryGpa: number;
  readonly bootParamsGpa: number;
  readonly mailboxGpa: number;
  /** pending memory, page-aligned */
  readonly accept: readonly Range[];
}

/** A copy of the ROM with its parameters filled in. */
export function fillShimRom(shim: ShimRom, parameters: ShimParameters): Uint8Array {
  invariant(shim.bytes.length === SHIM_ROM_BYTES, `the shim ROM has ${shim.bytes.length} bytes`);
  invariant(
    parameters.accept.length <= shim.rangeCapacity,
    `${parameters.accept.length} ranges to accept, the shim's table holds ${shim.rangeCapacity}`,
  );
  const rom = shim.bytes.slice();
  const view = new DataView(rom.buffer, shim.parametersOffset);
  const put = (offset: number, value: number) => {
    invariant(Number.isSafeInteger(value) && value >= 0, `shim parameter ${hex(offset)} is ${value}`);
    view.setBigUint64(offset, BigInt(value), true);
  };
  put(ShimParameter.entry, parameters.entryGpa);
  put(ShimParameter.bootParams, parameters.bootParamsGpa);
  put(ShimParameter.mailbox, parameters.mailboxGpa);
  put(ShimParameter.rangeCount, parameters.accept.length);
  parameters.accept.forEach((range, index) => {
    put(ShimParameter.ranges + 16 * index, range.startGpa);
    put(ShimParameter.ranges + 16 * index + 8, range.endGpa);
  });
  return rom;
}
