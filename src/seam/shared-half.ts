/**
 * The shared half of a TD's translation: the host's shared EPT, reflected into what the processor walks. A page that belongs to a TD is
 * never reflected, whatever the host's tables say: on hardware the access would meet the wrong key.
 */
import type { StateVisitor } from '../bits/index.ts';
import { SecondLevel } from '../cpu/index.ts';
import { HOST_KEY_ID, type HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';
import { CrossingKind, type CrossingObserver, NO_REGISTERS } from '../probe/index.ts';
import type { Td } from './structures/td.ts';

const READ_WRITE = SecondLevel.Read | SecondLevel.Write;

export class SharedHalf {
  readonly #memory: HostMemory;
  /** holds the observer of the moment */
  readonly #seen: { readonly observer: CrossingObserver };
  /** how many shared mappings each host page has, in all TDs */
  readonly #mappings: Uint16Array;

  constructor(memory: HostMemory, seen: { readonly observer: CrossingObserver }) {
    this.#memory = memory;
    this.#seen = seen;
    this.#mappings = new Uint16Array(memory.keyIdOfPage.length);
  }

  visitState(state: StateVisitor): void {
    state.array('mappings', this.#mappings);
  }

  /** Takes over what the host changed since the last time. */
  takeChanges(td: Td): void {
    const changes = td.sharedEpt?.takeChanges();
    if (changes === undefined || changes.length === 0) return;
    for (const gpa of changes) this.#reflect(td, gpa);
  }

  /** A host page becomes private: nobody may reach it through a shared mapping any more. */
  evict(tds: ReadonlyMap<number, Td>, hpa: number): void {
    const page = hpa / PAGE_SIZE_BYTES;
    if (this.#mappings[page] === 0) return;
    for (const td of tds.values()) {
      this.takeChanges(td);
      for (const [gpa, mapped] of td.sharedPages) if (mapped === page) this.#unmap(td, gpa, page);
    }
  }

  #reflect(td: Td, gpa: number): void {
    const { sharedEpt, configuration, sharedPages } = td;
    const before = sharedPages.get(gpa);
    if (before !== undefined) this.#unmap(td, gpa, before);
    const hpa = sharedEpt!.lookup(gpa);
    if (typeof hpa !== 'number' || !this.#memory.isRam(hpa, PAGE_SIZE_BYTES)) return;
    const page = hpa / PAGE_SIZE_BYTES;
    if (this.#memory.keyIdOfPage[page] !== HOST_KEY_ID) return;
    this.#mappings[page] = this.#mappings[page]! + 1;
    this.#memory.writtenPage[page] = 1;
    sharedPages.set(gpa, page);
    configuration!.secondLevel.set(gpa + configuration!.sharedBit, SecondLevel.entry(hpa, READ_WRITE));
    this.#seen.observer.crossing(CrossingKind.SharedPage, -1, 1, 0, gpa, 0, 0, NO_REGISTERS);
  }

  #unmap(td: Td, gpa: number, page: number): void {
    this.#mappings[page] = this.#mappings[page]! - 1;
    td.sharedPages.delete(gpa);
    td.configuration!.secondLevel.set(gpa + td.configuration!.sharedBit, 0);
    td.sharedEpoch++;
    this.#seen.observer.crossing(CrossingKind.SharedPage, -1, 0, 0, gpa, 0, 0, NO_REGISTERS);
  }
}
