/** What the loader must know of the guest shim: where its ROM lies and where its parameters go. The code itself is `machine/shim`. */
import { DIGEST_BYTES } from '../abi/index.ts';
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
  /** number of digests that vCPU 0 extends RTMRs with */
  extensionCount: 32,
  /** pairs of first address and address after the last */
  ranges: 64,
  /** digests of 48 bytes, each with the number of its register behind it; 64 bytes apart, as TDG.MR.RTMR.EXTEND wants them */
  extensions: 0xc00,
  end: 0x1000,
} as const;
export const SHIM_EXTENSION_BYTES = 64;
const SHIM_RANGE_BYTES = 16;
const RANGE_CAPACITY = (ShimParameter.extensions - ShimParameter.ranges) / SHIM_RANGE_BYTES;
const EXTENSION_CAPACITY = (ShimParameter.end - ShimParameter.extensions) / SHIM_EXTENSION_BYTES;

/** The assembled shim, parameters still zero. */
export interface ShimRom {
  /** SHIM_ROM_BYTES long */
  readonly bytes: Uint8Array;
  /** of a page that the parameters have for themselves */
  readonly parametersOffset: number;
  /** where processors that are switched off go: the reset vector of the Multiprocessor Wakeup structure */
  readonly switchedOffGpa: number;
}

/** What vCPU 0 extends a run-time measurement register with. */
export interface RtmrExtension {
  readonly rtmr: number;
  /** SHA-384 */
  readonly digest: Uint8Array;
}

export interface ShimParameters {
  readonly entryGpa: number;
  readonly bootParamsGpa: number;
  readonly mailboxGpa: number;
  /** pending memory, page-aligned */
  readonly accept: readonly Range[];
  readonly extend?: readonly RtmrExtension[];
}

/** A copy of the ROM with its parameters filled in. */
export function fillShimRom(shim: ShimRom, parameters: ShimParameters): Uint8Array {
  invariant(shim.bytes.length === SHIM_ROM_BYTES, `the shim ROM has ${shim.bytes.length} bytes`);
  const { accept, extend = [] } = parameters;
  invariant(
    accept.length <= RANGE_CAPACITY,
    `${accept.length} ranges to accept, the shim's table holds ${RANGE_CAPACITY}`,
  );
  invariant(
    extend.length <= EXTENSION_CAPACITY,
    `${extend.length} digests to extend, the shim's table holds ${EXTENSION_CAPACITY}`,
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
  put(ShimParameter.rangeCount, accept.length);
  put(ShimParameter.extensionCount, extend.length);
  accept.forEach((range, index) => {
    put(ShimParameter.ranges + SHIM_RANGE_BYTES * index, range.startGpa);
    put(ShimParameter.ranges + SHIM_RANGE_BYTES * index + 8, range.endGpa);
  });
  extend.forEach(({ rtmr, digest }, index) => {
    const offset = ShimParameter.extensions + SHIM_EXTENSION_BYTES * index;
    rom.set(digest, shim.parametersOffset + offset);
    put(offset + DIGEST_BYTES, rtmr);
  });
  return rom;
}
