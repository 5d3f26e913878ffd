/** Switches of V8 that the engine profits from. They must be set before the first WebAssembly module is compiled. */

import { setFlagsFromString } from 'node:v8';

/** Generated code carries branch hints, which Node 20 and 24 read only behind a switch (docs/performance.md says what they bring). A V8 that does not know a switch ignores it. */
export function setEngineFlags(): void {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  // compiled where the module is made, which is another thread, and not where a function is first called
  setFlagsFromString('--no-wasm-lazy-compilation');
}
