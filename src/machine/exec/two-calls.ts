/**
 * The two calls as TypeScript functions: each runs our own guest code (`guests/lib`) in a bare TD. Their results are two types, as
 * their statuses are: what the module says and what the VMM says cannot be taken for each other.
 */
import {
  HYPERCALL,
  HypercallFlag,
  HypercallRegisters,
  MODULE_CALL,
  ModuleOutput,
  twoCalls,
} from '../../../guests/index.ts';
import { asCompletionStatus, asTdvmcallStatus, type CompletionStatus, type TdvmcallStatus } from '../../abi/index.ts';
import { Assembler } from '../../isa/index.ts';
import type { LinkedObject } from '../../loader/index.ts';
import type { VmmHooks } from '../../vmm/index.ts';
import type { FunctionResult } from './function-call.ts';
import { ExecLayout } from './launcher.ts';
import { runFunction } from './run-function.ts';

type ModuleRegister = (typeof ModuleOutput.names)[number];
type HypercallRegister = (typeof HypercallRegisters.names)[number];

/** Answered by the TDX module. */
export interface ModuleCallResult {
  readonly answeredBy: 'module';
  /** RAX: whether it worked, in the module's own codes */
  readonly status: CompletionStatus;
  readonly output: Readonly<Record<ModuleRegister, bigint>>;
  /** the run, as seen from outside */
  readonly run: FunctionResult;
}

/** Answered by the VMM; nothing in it is to be trusted. */
export interface HypercallResult {
  readonly answeredBy: 'vmm';
  /** R10: whether the service worked, if the host is honest */
  readonly status: TdvmcallStatus;
  readonly output: Readonly<Record<HypercallRegister, bigint>>;
  readonly run: FunctionResult;
}

/** The call ended without returning to its caller: the TD stopped. */
export class CallDidNotReturn extends Error {
  override readonly name = 'CallDidNotReturn';
  readonly run: FunctionResult;

  constructor(symbol: string, run: FunctionResult) {
    super(`${symbol} did not return: the run ${run.outcome.how}`);
    this.run = run;
  }
}

/**
 * `__tdx_module_call(leaf, rcx, rdx, r8, r9, &output)`.
 * @param leaf number and version as in RAX, 1 and up
 * @throws CallDidNotReturn
 */
export function moduleCall(
  leaf: number,
  operands: Partial<Record<'rcx' | 'rdx' | 'r8' | 'r9', bigint>> = {},
  hostHooks: VmmHooks = {},
): ModuleCallResult {
  const { rcx = 0n, rdx = 0n, r8 = 0n, r9 = 0n } = operands;
  const output = { name: 'module output', bytes: ModuleOutput.pack({}) };
  const run = runFunction({
    object: ourCode(),
    symbol: MODULE_CALL,
    args: [BigInt(leaf), rcx, rdx, r8, r9, output],
    hostHooks,
  });
  const { rax, after } = returned(MODULE_CALL, run);
  return { answeredBy: 'module', status: asCompletionStatus(rax), output: ModuleOutput.unpack(after), run };
}

/**
 * `__tdx_hypercall(&registers, HasOutput)`.
 * @param registers R10 to R15, those that are not given are zero
 * @throws CallDidNotReturn, when the mechanism failed or the host ended the TD
 */
export function hypercall(
  registers: Partial<Record<HypercallRegister, bigint>>,
  hostHooks: VmmHooks = {},
): HypercallResult {
  const structure = { name: 'hypercall registers', bytes: HypercallRegisters.pack(registers) };
  const args = [structure, BigInt(HypercallFlag.HasOutput)];
  const run = runFunction({ object: ourCode(), symbol: HYPERCALL, args, hostHooks });
  const { rax, after } = returned(HYPERCALL, run);
  return { answeredBy: 'vmm', status: asTdvmcallStatus(rax), output: HypercallRegisters.unpack(after), run };
}

function returned(symbol: string, run: FunctionResult): { rax: bigint; after: Uint8Array } {
  if (run.outcome.how !== 'returned') throw new CallDidNotReturn(symbol, run);
  return { rax: run.outcome.rax, after: run.structures[0]!.after };
}

/** `guests/lib`, assembled where objects go. */
export function ourCode(): LinkedObject {
  const a = new Assembler({ origin: ExecLayout.object });
  twoCalls(a);
  const { origin, bytes, symbols } = a.assemble();
  return { pieces: [{ startGpa: origin, content: bytes }], symbols, sections: new Map() };
}
