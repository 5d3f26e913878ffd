/** The platform in typed calls: build one, build a TD on it, run it, read its crossings. */

export { MODULE_1_5, MODULE_2_0, MODULE_VERSIONS, type ModuleVersion } from '../abi/index.ts';
export { CPU_PROFILES, type CpuProfile, MINIMAL_PROFILE, SPR_PROFILE } from '../seam/index.ts';
export type { RunLimits, TdEnd, TdHost, Tdvmcall, Vcpu, VmmHooks } from '../vmm/index.ts';
export {
  type CollateralOptions,
  DEFAULT_HOST_PROFILE,
  HOST_PROFILES,
  type HostProfile,
  TestPki,
} from '../vmm/index.ts';
export { type BareEnd, BareMachine, type BareMachineOptions } from './bare-machine.ts';
export { BOARD } from './board.ts';
export { DEFAULT_SEED, DEFAULT_START_UNIX_SECONDS } from './config.ts';
export type {
  FunctionArgument,
  FunctionCall,
  FunctionCrossing,
  FunctionOutcome,
  FunctionResult,
  RegisterValues,
  StructureArgument,
} from './exec/function-call.ts';
export { linkForExec, type PreparedFunction, prepareFunction, runFunction } from './exec/run-function.ts';
export {
  CallDidNotReturn,
  type HypercallResult,
  hypercall,
  type ModuleCallResult,
  moduleCall,
  ourCode,
} from './exec/two-calls.ts';
export { mixedEngine } from './mixed-engine.ts';
export type { ContentionRates } from './seeded-contention.ts';
export { buildShimRom } from './shim/shim-rom.ts';
export { clearPages, MemorySnapshot, type PageRun, pagesInUse } from './snapshot.ts';
export {
  decodeSnapshotHead,
  encodeSnapshotHead,
  type SnapshotAbout,
  type SnapshotHead,
  type SnapshotInput,
  snapshotHeadBytes,
} from './snapshot-file.ts';
export { type RunEnd, Td } from './td.ts';
export { type EngineChoice, type PlatformOptions, type TdOptions, TdxPlatform } from './tdx-platform.ts';
