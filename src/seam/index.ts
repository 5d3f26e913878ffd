/** The TDX module. Its host comes in by `host-door.ts` alone. */
export type { Contention } from './contention.ts';
export type { HostDoor } from './host-door.ts';
export { EXTEND_CHUNK_BYTES, Mrtd } from './measurement/mrtd.ts';
export { extendRtmr } from './measurement/rtmr.ts';
export { METADATA_FIELDS, type MetadataFieldFacts } from './metadata/index.ts';
export { type SecureEptStep, TdxModule, type TdxModuleOptions } from './module.ts';
export { SEAMCALL_ROWS } from './seamcall/index.ts';
export { SEPT_STATES, SeptState } from './sept/states.ts';
export { EXIT_ROWS } from './td-exit/policy.ts';
export { TDCALL_ROWS } from './tdcall/index.ts';
export { CONTROL_BIT_ROWS, XCR0_ROWS } from './virt/control-register-rows.ts';
export type { CpuProfile } from './virt/cpu-profile.ts';
export { CPUID_ROWS } from './virt/cpuid-rows.ts';
export { MSR_ROWS } from './virt/msr-rows.ts';
export { CPU_PROFILES, MINIMAL_PROFILE, SPR_PROFILE } from './virt/profiles/index.ts';
