/** Key ownership table: which TD a key id belongs to. Source: TDX Module 1.5 Base Architecture, "Key Ownership Table". */
import type { StateVisitor } from '../bits/index.ts';

/** Key ids below this are the host's; those from it to MAX_KEY_ID may be given to TDs. */
export const FIRST_PRIVATE_KEY_ID = 1;
export const MAX_KEY_ID = 63;
/** A key id takes the upper bits of a physical address, from this one. */
export const KEY_ID_SHIFT = 46;

/** RESERVED: the module's own. */
export const KeyState = { FREE: 0, ASSIGNED: 1, FLUSHED: 2, WRITTEN_BACK: 3, RESERVED: 4 } as const;
export type KeyState = (typeof KeyState)[keyof typeof KeyState];

export class KeyOwnership {
  readonly #states = new Uint8Array(MAX_KEY_ID + 1);

  visitState(state: StateVisitor): void {
    state.array('states', this.#states);
  }

  isPrivate(keyId: number): boolean {
    return keyId >= FIRST_PRIVATE_KEY_ID && keyId <= MAX_KEY_ID;
  }

  stateOf(keyId: number): KeyState {
    return this.#states[keyId] as KeyState;
  }

  set(keyId: number, state: KeyState): void {
    this.#states[keyId] = state;
  }

  freeAll(): void {
    this.#states.fill(KeyState.FREE);
  }

  /** All flushed keys' cache lines are in memory. Returns how many keys that were. */
  writeBackCaches(): number {
    let count = 0;
    for (let keyId = 0; keyId <= MAX_KEY_ID; keyId++) {
      if (this.#states[keyId] !== KeyState.FLUSHED) continue;
      this.#states[keyId] = KeyState.WRITTEN_BACK;
      count++;
    }
    return count;
  }
}
