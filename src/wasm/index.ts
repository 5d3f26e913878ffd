export { Code, type MemoryOp } from './code.ts';
export { encodeModule, type ModuleImport, type Signature } from './module.ts';
export { type WasmOp, type WasmType, wasmOp } from './opcodes.ts';
