/** The shared half of a TD's memory: ordinary host pages behind the shared EPT, which guest and host both see. */
import { type Gpaw, isSharedGpa, SharedEpt, stripSharedBit } from '../abi/index.ts';
import type { SharedView } from '../memory/shared-view.ts';
import { type HostPages, PAGE_4K_BYTES } from './host-pages.ts';

export class SharedMemory {
  /** installed by the module; the host learns of an unknown page when it is used, as KVM does */
  readonly ept = new SharedEpt('absent');
  readonly gpaw: Gpaw;
  readonly #view: SharedView;
  readonly #pages: HostPages;

  constructor(view: SharedView, pages: HostPages, gpaw: Gpaw) {
    this.#view = view;
    this.#pages = pages;
    this.gpaw = gpaw;
  }

  /** Is the page of `gpa` (no shared bit) shared RAM now? */
  isMapped(gpa: number): boolean {
    return typeof this.ept.lookup(gpa - (gpa % PAGE_4K_BYTES)) === 'number';
  }

  /** Gives the guest a zeroed shared page at `gpa` (4 KiB aligned, no shared bit), unless it has one. */
  map(gpa: number): void {
    if (this.isMapped(gpa)) return;
    const hpa = this.#pages.take4K();
    this.#view.fill(hpa, PAGE_4K_BYTES, 0);
    this.ept.map(gpa, hpa);
  }

  /** Takes the shared page away, if there is one; its content is lost. */
  unmap(gpa: number): void {
    const hpa = this.ept.lookup(gpa);
    if (typeof hpa !== 'number') return;
    this.ept.unmap(gpa);
    this.#pages.give4K(hpa);
  }

  /** Host address of a guest address with or without its shared bit; undefined where no shared page is. */
  hpaOf(gpa: number): number | undefined {
    const address = isSharedGpa(gpa, this.gpaw) ? stripSharedBit(gpa, this.gpaw) : gpa;
    const offset = address % PAGE_4K_BYTES;
    const page = this.ept.lookup(address - offset);
    return typeof page === 'number' ? page + offset : undefined;
  }

  /** A copy of guest bytes; undefined if any of their pages is not shared. */
  read(gpa: number, lengthBytes: number): Uint8Array | undefined {
    const bytes = new Uint8Array(lengthBytes);
    const complete = this.#eachPart(gpa, lengthBytes, (hpa, done, part) => {
      bytes.set(this.#view.read(hpa, part), done);
    });
    return complete ? bytes : undefined;
  }

  /** Writes guest bytes; returns false, with nothing written, if any of their pages is not shared. */
  write(gpa: number, bytes: Uint8Array): boolean {
    if (!this.#eachPart(gpa, bytes.length, () => {})) return false;
    return this.#eachPart(gpa, bytes.length, (hpa, done, part) => {
      this.#view.write(hpa, bytes.subarray(done, done + part));
    });
  }

  #eachPart(gpa: number, lengthBytes: number, visit: (hpa: number, done: number, part: number) => void): boolean {
    for (let done = 0; done < lengthBytes; ) {
      const hpa = this.hpaOf(gpa + done);
      if (hpa === undefined) return false;
      const part = Math.min(lengthBytes - done, PAGE_4K_BYTES - (hpa % PAGE_4K_BYTES));
      visit(hpa, done, part);
      done += part;
    }
    return true;
  }
}
