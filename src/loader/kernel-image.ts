/** What a Linux kernel is in memory, whichever of its two shapes the file has: pieces with physical addresses, an entry, a setup header. */
import type { Bytes } from '../bits/index.ts';
import type { Piece } from './pages.ts';

export interface KernelImage {
  readonly format: 'bzImage' | 'vmlinux';
  /** what is loaded, page-aligned, ascending */
  readonly pieces: readonly Piece<Bytes>[];
  /** [windowStart, windowEnd) must be free RAM until the kernel manages its own memory */
  readonly windowStart: number;
  readonly windowEnd: number;
  /** 64-bit entry point, with RSI = boot_params (Linux Documentation, "64-bit boot protocol") */
  readonly entryGpa: number;
  /** the setup header as boot_params wants it at 0x1F1 */
  readonly setupHeader: Uint8Array;
  /** longest command line without its terminating zero */
  readonly commandLineMaximum: number;
  /** highest address the initial ramdisk may occupy */
  readonly initrdMaximum: number;
  /** false when nothing in the file says that it was built with CONFIG_INTEL_TDX_GUEST */
  readonly knowsTdx: boolean;
}
