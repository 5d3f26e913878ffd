/** Switches of V8 that the engine profits from. They must be set before the first WebAssembly module is compiled. */

import { setFlagsFromString } from 'node:v8';

/** Branch hints keep rare paths out of the way of hot ones. A V8 that does not know a switch ignores it. */
export function setEngineFlags(): void {
  setFlagsFromString('--experimental-wasm-branch-hinting');
}
