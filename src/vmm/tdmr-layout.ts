/** How this host lays memory out for TDs: one TDMR over all of it, its metadata at the top of RAM. TDX Module 1.5 ABI Definition, "TDMR_INFO". */
import type { SharedView } from '../memory/shared-view.ts';
import { PAGE_4K_BYTES } from './host-pages.ts';

const GIB = 2 ** 30;
const PAMT_ENTRY_BYTES = 16;
/** Bytes of metadata for pages of 1 GiB, 2 MiB and 4 KiB, in a TDMR of that size. */
const pamtBytes = (tdmrBytes: number) =>
  [GIB, 2 << 20, PAGE_4K_BYTES].map((pageBytes) => {
    const bytes = (tdmrBytes / pageBytes) * PAMT_ENTRY_BYTES;
    return Math.ceil(bytes / PAGE_4K_BYTES) * PAGE_4K_BYTES;
  });

export interface TdmrLayout {
  readonly lengthBytes: number;
  /** RAM from here on is the module's */
  readonly pamtBase: number;
  /** TDMR_INFO */
  readonly info: Uint8Array;
}

/** A TDMR from address 0 to the next GiB after RAM; below RAM and from the metadata on it is reserved. */
export function layOutTdmr({ ramBase, ramBytes }: Pick<SharedView, 'ramBase' | 'ramBytes'>): TdmrLayout {
  const ramEnd = ramBase + ramBytes;
  const lengthBytes = Math.ceil(ramEnd / GIB) * GIB;
  const sizes = pamtBytes(lengthBytes);
  const pamtBase = ramEnd - sizes.reduce((sum, size) => sum + size, 0);
  const info = new Uint8Array(512);
  const view = new DataView(info.buffer);
  const words = [0, lengthBytes];
  let base = pamtBase;
  for (const size of sizes) {
    words.push(base, size);
    base += size;
  }
  words.push(0, ramBase, pamtBase, lengthBytes - pamtBase);
  words.forEach((word, i) => {
    view.setBigUint64(i * 8, BigInt(word), true);
  });
  return { lengthBytes, pamtBase, info };
}
