/** Switches of V8 that the engine profits from. They must be set before the first script or WebAssembly module is compiled. */

import { setFlagsFromString } from 'node:v8';

/**
 * The V8 of Node 20, whose serialiser of WebAssembly modules the code store uses. It ends the process when it is asked what it does not
 * expect, so no other one is asked.
 */
export const HAS_KNOWN_SERIALIZER = /^11\.3\./.test(process.versions.v8);

/** Generated code carries branch hints, which Node 20 and 24 read only behind a switch (docs/performance.md says what they bring). A V8 that does not know a switch ignores it. */
export function setEngineFlags(): void {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  // compiled where the module is made, which is another thread, and not where a function is first called
  setFlagsFromString('--no-wasm-lazy-compilation');
  // names that serialiser
  if (HAS_KNOWN_SERIALIZER) setFlagsFromString('--allow-natives-syntax');
}
