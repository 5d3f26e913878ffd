/** What is asked of a run of one function, and what can be told of it afterwards. */
import type { CompletionCode, ModuleVersion, TdvmcallStatus } from '../../abi/index.ts';
import type { LinkedObject, NamedFile } from '../../loader/index.ts';
import type { CrossingObserver } from '../../probe/index.ts';
import type { CpuProfile } from '../../seam/index.ts';
import type { HostProfile, TdEnd, VmmHooks } from '../../vmm/index.ts';

/** A structure that the function gets a pointer to. */
export interface StructureArgument {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An integer goes by value, in two's complement; a structure is put in memory and goes by address. */
export type FunctionArgument = bigint | StructureArgument;

export interface FunctionCall {
  /** an ELF relocatable or a static executable, or code that already has its addresses */
  readonly object: NamedFile | LinkedObject;
  readonly symbol: string;
  readonly args: readonly FunctionArgument[];
  /** a script in the host's place */
  readonly hostHooks?: VmmHooks;
  /** posted some time after each Instruction.HLT, so that it ends; default 0x20, null: never */
  readonly wakeVector?: number | null;
  /** default: MODULE_1_5 */
  readonly moduleVersion?: ModuleVersion;
  /** whose answers the host gives; default: QEMU's */
  readonly hostProfile?: HostProfile;
  /** sees every crossing, those of the shim and the launcher too */
  readonly observer?: CrossingObserver;
  /** default: MINIMAL_PROFILE */
  readonly cpu?: CpuProfile;
  /** default 10 million */
  readonly maxInstructions?: number;
}

/** How the call ended. Everything but `returned` is an end that the caller of the function would not see. */
export type FunctionOutcome =
  | { readonly how: 'returned'; readonly rax: bigint; readonly rflags: bigint }
  /** a function that the object calls when it gives up; `callerGpa` is the return address */
  | { readonly how: 'panicked'; readonly symbol: string; readonly callerGpa: number }
  | {
      readonly how: 'exception';
      readonly vector: number;
      readonly errorCode: bigint;
      readonly rip: bigint;
      readonly cr2: bigint;
    }
  /** the TD stopped, or the limit was reached */
  | { readonly how: 'ended'; readonly end: TdEnd };

/** Contents of registers that crossed, by name. */
export type RegisterValues = Readonly<Record<string, bigint>>;

export type FunctionCrossing =
  | {
      readonly answeredBy: 'module';
      readonly leaf: number;
      readonly name: string;
      readonly rcx: number;
      readonly status: CompletionCode;
      readonly statusName: string;
    }
  | {
      readonly answeredBy: 'vmm';
      readonly leaf: number;
      readonly name: string;
      /** RCX: the registers the guest let cross */
      readonly mask: number;
      readonly given: RegisterValues;
      readonly received: RegisterValues;
      readonly status: TdvmcallStatus;
    };

export interface FunctionResult {
  readonly outcome: FunctionOutcome;
  readonly crossings: readonly FunctionCrossing[];
  /** each structure before and after, in the order of the arguments */
  readonly structures: readonly { readonly name: string; readonly before: Uint8Array; readonly after: Uint8Array }[];
  /** all sixteen as the function left them; empty unless it returned */
  readonly registers: RegisterValues;
  /** callee-saved registers that the function did not restore */
  readonly clobbered: readonly string[];
  /** vectors of the interrupts it took, one entry for each */
  readonly interrupts: readonly number[];
}
