/** V8's own serialiser of WebAssembly modules, which browsers use for their caches and Node does not name. */
import { HAS_KNOWN_SERIALIZER } from './v8-flags.ts';

export interface NativeSerializer {
  serialize(module: WebAssembly.Module): ArrayBuffer;
  /** undefined: V8 does not want it, being another version or having other flags */
  deserialize(native: ArrayBuffer, bytes: Uint8Array): WebAssembly.Module | undefined;
  /** only modules that have such a function can be serialised */
  isOptimised(exported: unknown): boolean;
}

/** undefined: this V8 has another one, or none. */
export function nativeSerializer(): NativeSerializer | undefined {
  if (!HAS_KNOWN_SERIALIZER) return undefined;
  try {
    return {
      serialize: new Function('module', 'return %SerializeWasmModule(module)') as NativeSerializer['serialize'],
      deserialize: new Function(
        'native',
        'bytes',
        'return %DeserializeWasmModule(native, bytes)',
      ) as NativeSerializer['deserialize'],
      isOptimised: new Function('exported', 'return %IsTurboFanFunction(exported)') as NativeSerializer['isOptimised'],
    };
  } catch {
    return undefined;
  }
}
