/** Code that we bring ourselves to run inside a TD. */
export { CASES, type CaseGuest } from './cases/index.ts';
export {
  CONTRACT_HELPERS,
  CONTRACT_TDS,
  type ContractHelper,
  type ContractTd,
  HELPER,
  helper,
} from './contracts/index.ts';
export { assembleHelloTd, type HelloTdBoard } from './hello-td/hello-td.ts';
export { FIFTH_REVISION, hypercallOfFifthRevision } from './history/hypercall-fifth-revision.ts';
export {
  loadAll,
  type RegisterName,
  type RegisterStructure,
  registerStructure,
  storeAll,
} from './lib/register-structure.ts';
export { Expose, HYPERCALL_EXPOSED, HypercallFlag, HypercallRegisters, ModuleOutput } from './lib/registers.ts';
export { MESSAGE_BYTES, reportFatalError } from './lib/report-fatal-error.ts';
export { HYPERCALL, HYPERCALL_FAILED, MODULE_CALL, twoCalls } from './lib/two-calls.ts';
