/** Words of a guest's stacks, for one look at a time: within it a page is looked up once. */
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { type LinearPages, signedAddress } from '../linear-pages.ts';
import type { ReadWord } from './unwind.ts';

const WORD_MASK = 7;

export class StackWords {
  readonly #guest: LinearPages;
  #page = Number.NaN;
  #host = -1;

  constructor(guest: LinearPages) {
    this.#guest = guest;
  }

  /** The guest has run since. */
  forget(): void {
    this.#page = Number.NaN;
  }

  readonly word: ReadWord = (address) => {
    const inside = address & (PAGE_SIZE_BYTES - 1);
    const page = address - inside;
    // NaN is no page, and not equal to itself
    if ((inside & WORD_MASK) !== 0 || Number.isNaN(page)) return Number.NaN;
    if (page !== this.#page) {
      this.#page = page;
      this.#host = this.#guest.hostOfLinear(page);
    }
    if (this.#host < 0) return Number.NaN;
    const { i32 } = this.#guest.memory;
    const at = (this.#host + inside) >>> 2;
    return signedAddress(i32[at]!, i32[at + 1]!);
  };
}
