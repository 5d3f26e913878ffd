/**
 * Which accesses of a straight line lie near an earlier one: by the same value of a register, a few bytes apart. Such an access is mostly in the page that
 * the earlier one has found.
 */
import type { Val } from '../exec/sem.ts';

/** Bytes from one access to another one that is looked at as near. */
const NEAR_BYTES = 512;

/** What an address is: an unknown value, by number, and a distance from it. */
interface Address {
  readonly value: number;
  readonly offset: number;
}

/** An access that others are near to. */
export interface Leader {
  readonly tagOffset: number;
  readonly offset: number;
  /** some follow */
  isFollowed: boolean;
  /** i32 locals: host address of the access, and where it is in its page; both may move together, by as much, to another page that a follower found */
  host: number;
  inPage: number;
}

/** An access, and how far it lies behind its leader; without a distance, it is a leader itself. */
export interface Nearness {
  readonly leader: Leader;
  readonly distance: number | undefined;
}

/** What is known where the straight line has got to. */
interface Known {
  readonly registers: readonly Address[];
  readonly leaders: ReadonlyMap<number, readonly Leader[]>;
}

const REGISTERS = 16;
/** number of the value that the page of code is */
const CODE_PAGE = 0;

export class NearAccesses {
  readonly #addresses = new WeakMap<Val, Address>();
  #values = CODE_PAGE + 1;
  #registers: Address[] = [];
  #leaders = new Map<number, readonly Leader[]>();

  constructor() {
    this.begin();
  }

  /** Nothing is known: a straight line begins. */
  begin(): void {
    this.#registers = Array.from({ length: REGISTERS }, () => this.#unknown());
    this.#leaders = new Map();
  }

  #unknown(): Address {
    return { value: this.#values++, offset: 0 };
  }

  /** A value that has been read from a general register, all of it. */
  read(register: number, read: Val): void {
    this.#addresses.set(read, this.#registers[register]!);
  }

  /** A general register has been written; `written`: all of it. */
  write(register: number, written: Val | undefined): void {
    this.#registers[register] = (written && this.#addresses.get(written)) ?? this.#unknown();
  }

  /** The linear address of the page that the code is in. */
  codePage(page: Val): void {
    this.#addresses.set(page, { value: CODE_PAGE, offset: 0 });
  }

  /** `sum` is `value` and a constant. */
  add(sum: Val, value: Val, constant: number): void {
    const address = this.#addresses.get(value);
    if (address === undefined) return;
    const offset = address.offset + constant;
    // beyond, numbers are not exact any more
    if (Math.abs(offset) <= Number.MAX_SAFE_INTEGER / 2) this.#addresses.set(sum, { value: address.value, offset });
  }

  /** `linear` is an address and the base of a segment, by its number. */
  addSegmentBase(linear: Val, value: Val, segment: number): void {
    const address = this.#addresses.get(value);
    // another unknown value for each of both; those of values alone are whole numbers
    if (address !== undefined)
      this.#addresses.set(linear, { value: address.value + segment / 8, offset: address.offset });
  }

  /** Bases of segments change: what was found by them is not near any more. */
  forget(): void {
    this.begin();
  }

  /** An access by the tag at `tagOffset` of a TLB entry; undefined: nothing is known of its address. */
  access(linear: Val, tagOffset: number): Nearness | undefined {
    const address = this.#addresses.get(linear);
    if (address === undefined) return undefined;
    const leaders = this.#leaders.get(address.value) ?? [];
    for (const leader of leaders) {
      const distance = address.offset - leader.offset;
      // what may be written may be read
      if (leader.tagOffset < tagOffset || Math.abs(distance) > NEAR_BYTES) continue;
      leader.isFollowed = true;
      return { leader, distance };
    }
    const leader = { tagOffset, offset: address.offset, isFollowed: false, host: -1, inPage: -1 };
    this.#leaders.set(address.value, [leader, ...leaders.filter((each) => each.tagOffset > tagOffset)]);
    return { leader, distance: undefined };
  }

  /** What is known now, for `backTo` where control flow leaves the straight line for a while. */
  get known(): Known {
    return { registers: [...this.#registers], leaders: new Map(this.#leaders) };
  }

  /** The straight line goes on where it was left; registers that were written meanwhile hold one value or the other. */
  backTo({ registers, leaders }: Known): void {
    this.#registers = this.#registers.map((now, i) => (now === registers[i] ? now : this.#unknown()));
    this.#leaders = new Map(leaders);
  }
}
