/** Names of a Linux kernel's functions, from the guest's own memory: a stripped kernel at a random place still knows them itself. */

import { type CodeSymbol, type SymbolLookup, symbolLookup } from '../symbols.ts';
import type { GuestView } from './guest-view.ts';
import { findKallsyms } from './kallsyms.ts';

/** Where kernel images are mapped. Source: Linux, Documentation/arch/x86/x86_64/mm.rst. */
const KERNEL_START = 0xffff_ffff_8000_0000n;
const KERNEL_END = 0xffff_ffff_c000_0000n;
const LARGE_PAGE_BYTES = 0x20_0000;
const PAGE_BYTES = 0x1000;
const LARGEST_IMAGE_BYTES = 256 << 20;
/** Before the kernel has unpacked itself there is nothing to find: another try after so much virtual time. */
const TICKS_BETWEEN_TRIES = 50_000_000;
const MOST_TRIES = 40;

/** The mapped parts of the kernel's range, each in one piece. */
function* mappedImages(guest: GuestView): Generator<Uint8Array> {
  let image: Uint8Array[] = [];
  let bytes = 0;
  const whole = (): Uint8Array => {
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const part of image) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  };
  for (let address = KERNEL_START; address < KERNEL_END; address += BigInt(LARGE_PAGE_BYTES)) {
    const part = regionAt(guest, address);
    if (part.length > 0) {
      image.push(part);
      bytes += part.length;
    }
    if (part.length === LARGE_PAGE_BYTES && bytes < LARGEST_IMAGE_BYTES) continue;
    if (bytes > 0) yield whole();
    image = [];
    bytes = 0;
  }
}

/** What is mapped from `address` on, within 2 MiB. */
function regionAt(guest: GuestView, address: bigint): Uint8Array {
  const { gpa, steps } = guest.walk(address);
  const last = steps.at(-1);
  // no step was taken: paging is off, and no kernel runs high up
  if (gpa === undefined || last === undefined) return new Uint8Array();
  const isLarge = last.level === 2;
  return isLarge ? guest.readPhysical(Number(gpa), LARGE_PAGE_BYTES) : guest.readLinear(address, LARGE_PAGE_BYTES);
}

/** Reads the symbol table now; undefined where there is none. */
export function readGuestSymbols(guest: GuestView): CodeSymbol[] | undefined {
  for (const image of mappedImages(guest)) {
    if (image.length < PAGE_BYTES) continue;
    const symbols = findKallsyms(image);
    if (symbols !== undefined) return symbols;
  }
  return undefined;
}

/** A lookup that reads the guest's table when it is first asked for a kernel address, and again later if there was none yet. */
export function guestSymbolLookup(guest: GuestView, nowTicks: () => number): SymbolLookup {
  let found: SymbolLookup | undefined;
  let tries = 0;
  let nextTry = 0;
  return (address) => {
    if (address < KERNEL_START) return undefined;
    if (found === undefined && tries < MOST_TRIES && nowTicks() >= nextTry) {
      tries++;
      nextTry = nowTicks() + TICKS_BETWEEN_TRIES;
      const symbols = readGuestSymbols(guest);
      if (symbols !== undefined) found = symbolLookup(symbols);
    }
    return found?.(address);
  };
}
