/** The second level of address translation (EPT) as the processor sees it: guest physical page to host physical page. */
import type { StateVisitor } from '../bits/index.ts';

/** Rights of a second-level mapping and kinds of access, in EPT's own bit order. */
export const Access = { Read: 1, Write: 2, Execute: 4 } as const;

const REGION_ENTRIES = 512;

/**
 * Filled by whoever controls the processor (the TDX module); read by the page walker.
 * One entry per 4 KiB page: host page number << 4 | flags; 0 = not present.
 */
export class SecondLevel {
  static readonly Read = 1;
  static readonly Write = 2;
  static readonly Execute = 4;
  /** only in non-present entries: suppress #VE is clear, the processor may deliver #VE itself (SDM vol. 3, "Convertible EPT Violations") */
  static readonly Convertible = 8;

  /** 2 MiB regions, key = guest physical address >> 21 */
  readonly #regions = new Map<number, Int32Array>();

  visitState(state: StateVisitor): void {
    const keys = state.numbers('regions', [...this.#regions.keys()]);
    if (state.restoring) {
      this.#regions.clear();
      for (const key of keys) this.#regions.set(key, new Int32Array(REGION_ENTRIES));
    }
    state.list('entries', keys.length, (item, i) => item.array('region', this.#regions.get(keys[i]!)!));
  }

  /** Entry for a guest physical address (a number below 2^52); 0 when nothing is there. */
  lookup(gpa: number): number {
    const region = this.#regions.get(Math.floor(gpa / 0x20_0000));
    return region === undefined ? 0 : region[Math.floor(gpa / 4096) & 511]!;
  }

  /** Maps one 4 KiB page. The caller invalidates the TLBs of every processor that uses this table. */
  set(gpa: number, entry: number): void {
    const key = Math.floor(gpa / 0x20_0000);
    let region = this.#regions.get(key);
    if (region === undefined) {
      if (entry === 0) return;
      region = new Int32Array(REGION_ENTRIES);
      this.#regions.set(key, region);
    }
    region[Math.floor(gpa / 4096) & 511] = entry;
  }

  /** Makes an entry's value from a host physical address and rights. */
  static entry(hpa: number, rights: number): number {
    return ((hpa >>> 12) << 4) | rights;
  }

  static hpaOf(entry: number): number {
    return (entry >>> 4) * 4096;
  }
}
