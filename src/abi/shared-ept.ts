/**
 * The shared half of a TD's second-level translation. Its tables are the host's own memory on hardware: the VMM edits them at will
 * and the module only installs their pointer. Here they are a table of pages whose changes the module takes over at TDH.VP.ENTER.
 */
import type { StateVisitor } from '../bits/index.ts';

/** What a shared guest page is. `absent`: suppress-#VE is set, an access is a TD exit; `mmio`: suppress-#VE is clear, an access is #VE. */
export type SharedPage = number | 'mmio' | 'absent';

/** Pages that are no RAM, as a snapshot has them. */
const KIND = { mmio: -1, absent: -2 } as const;

export class SharedEpt {
  /** what a page is that nobody has set */
  readonly unset: 'mmio' | 'absent';
  readonly #pages = new Map<number, SharedPage>();
  #changed: number[] = [];

  /** @param unset `mmio` (as KVM leaves it after the first access): an unknown shared page is #VE; `absent`: a TD exit that the VMM serves */
  constructor(unset: 'mmio' | 'absent' = 'mmio') {
    this.unset = unset;
  }

  /** Maps one 4 KiB page, read and write. `gpa` has no shared bit. */
  map(gpa: number, hpa: number): void {
    this.#set(gpa, hpa);
  }

  /** Forgets a page: it is `unset` again. */
  unmap(gpa: number): void {
    if (this.#pages.delete(gpa)) this.#changed.push(gpa);
  }

  /** An access is #VE: the guest asks for it with #VE.RequestMMIO. */
  setMmio(gpa: number): void {
    this.#set(gpa, 'mmio');
  }

  /** An access is a TD exit. */
  setAbsent(gpa: number): void {
    this.#set(gpa, 'absent');
  }

  /** What the 4 KiB page at `gpa` (aligned, no shared bit) is. */
  lookup(gpa: number): SharedPage {
    return this.#pages.get(gpa) ?? this.unset;
  }

  visitState(state: StateVisitor): void {
    const pages = [...this.#pages].flatMap(([gpa, page]) => [gpa, typeof page === 'number' ? page : KIND[page]]);
    const saved = state.numbers('pages', pages);
    this.#changed = state.numbers('changed', this.#changed);
    if (!state.restoring) return;
    this.#pages.clear();
    for (let i = 0; i < saved.length; i += 2) {
      const page = saved[i + 1]!;
      this.#pages.set(saved[i]!, page === KIND.mmio ? 'mmio' : page === KIND.absent ? 'absent' : page);
    }
  }

  /** Guest pages changed since the last call; for the module. */
  takeChanges(): readonly number[] {
    const changes = this.#changed;
    if (changes.length > 0) this.#changed = [];
    return changes;
  }

  #set(gpa: number, page: SharedPage): void {
    if (gpa % 4096 !== 0 || (typeof page === 'number' && page % 4096 !== 0))
      throw new RangeError(`shared EPT: ${gpa.toString(16)} to ${String(page)}: not 4 KiB aligned`);
    this.#pages.set(gpa, page);
    this.#changed.push(gpa);
  }
}
