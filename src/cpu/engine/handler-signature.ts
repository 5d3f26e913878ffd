/** What every generated function takes and gives, and what its module imports. */
import type { ModuleImport, Signature } from '../../wasm/index.ts';

/** state, record, instructions left, data TLB; gives a `Leave` */
const HANDLER: Signature = { parameters: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] };
/** Parameters of every handler, as locals. */
export const P = { state: 0, record: 1, left: 2, tlb: 3 } as const;
export const HANDLER_PARAMETERS = 4;

/** Functions that handlers import, by index. */
export const Import = { load: 0, store: 1, modify: 2, modifyEnd: 3, dispatch: 4 } as const;
/** Those of compiled regions. */
export const RegionImport = { dispatch: 0, goTo: 1 } as const;

/** state, linear address in halves, bytes */
export const ACCESS: Signature = { parameters: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] };
/** state, linear address, instructions left, data TLB; gives a `Leave` */
const GO_TO: Signature = { parameters: ['i32', 'i64', 'i32', 'i32'], results: ['i32'] };
const OUTCOME: Signature = { parameters: [], results: ['i32'] };
/** Names of the modules, by which a profiler tells what time is spent on. */
export const ModuleName = { Interpreter: 'interpreter', Regions: 'regions', Walks: 'walks' } as const;

export const HANDLER_TYPES = [HANDLER, ACCESS, OUTCOME, GO_TO];
export const GO_TO_TYPE = 3;
export const FIRST_IMPORTS: readonly ModuleImport[] = ['load', 'store', 'modify']
  .map((name) => ({ module: 'env', name, type: 1 }))
  .concat([{ module: 'env', name: 'modifyEnd', type: 2 }]);
/** Only the first module holds the function table; the others go through its `dispatch`. */
export const LATER_IMPORTS = FIRST_IMPORTS.concat([{ module: 'env', name: 'dispatch', type: 0 }]);
/** Compiled regions call nothing, they only go on. */
export const REGION_IMPORTS: readonly ModuleImport[] = [
  { module: 'env', name: 'dispatch', type: 0 },
  { module: 'env', name: 'goTo', type: GO_TO_TYPE },
];
