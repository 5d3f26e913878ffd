/** The host's side of SEAMCALL: operands in, status out, one register file for all of it. */
import {
  asCompletionStatus,
  type CompletionStatus,
  describeCompletionStatus,
  Gpr,
  RegisterFile,
  type TdhLeaf,
  tdhLeafName,
} from '../abi/index.ts';
import { hex } from '../bits/index.ts';
import type { HostDoor } from '../seam/host-door.ts';

/** Operands in the order the ABI's tables use them; numbers below 2^53 or bigint. */
export interface SeamcallOperands {
  readonly rcx?: number | bigint;
  readonly rdx?: number | bigint;
  readonly r8?: number | bigint;
  readonly r9?: number | bigint;
  /** of the leaf; default 0 */
  readonly version?: number;
}

/** A SEAMCALL that the host had every reason to expect to succeed did not. */
export class SeamcallError extends Error {
  override readonly name = 'SeamcallError';
  readonly leaf: TdhLeaf;
  readonly status: CompletionStatus;

  constructor(leaf: TdhLeaf, operands: SeamcallOperands, status: CompletionStatus) {
    const given = Object.entries(operands).map(([register, value]) => `${register}=${hex(value as number | bigint)}`);
    super(`${tdhLeafName(leaf)} (${given.join(', ')}): ${describeCompletionStatus(status)}`);
    this.leaf = leaf;
    this.status = status;
  }
}

/** The version is RAX 23:16. */
const VERSION_UNIT = 0x1_0000;

export class Seamcalls {
  readonly door: HostDoor;
  /** results of the last call */
  readonly registers = new RegisterFile();

  constructor(door: HostDoor) {
    this.door = door;
  }

  /** Calls, and returns the completion status for the caller to judge. */
  try(leaf: TdhLeaf, operands: SeamcallOperands): CompletionStatus {
    this.#call(leaf, operands);
    return asCompletionStatus(this.registers.u64[Gpr.RAX]!);
  }

  /** Calls, and throws SeamcallError unless the status is complete success. */
  call(leaf: TdhLeaf, operands: SeamcallOperands): RegisterFile {
    this.#call(leaf, operands);
    const { registers } = this;
    if (registers.low(Gpr.RAX) !== 0 || registers.high(Gpr.RAX) !== 0)
      throw new SeamcallError(leaf, operands, asCompletionStatus(registers.u64[Gpr.RAX]!));
    return registers;
  }

  /** As `call`, of version 0, with two addresses and the other registers as they are: for what a build does by the hundred thousand. */
  callWith(leaf: TdhLeaf, rcx: number, rdx: number): void {
    const { registers } = this;
    registers.setCall(leaf, rcx, rdx);
    this.door.seamcall(registers);
    const { u32 } = registers;
    if ((u32[Gpr.RAX * 2]! | u32[Gpr.RAX * 2 + 1]!) !== 0)
      throw new SeamcallError(
        leaf,
        { rcx, rdx, r8: registers.number(Gpr.R8), r9: registers.number(Gpr.R9) },
        asCompletionStatus(registers.u64[Gpr.RAX]!),
      );
  }

  #call(leaf: TdhLeaf, operands: SeamcallOperands): void {
    const registers = this.registers;
    registers.clear();
    registers.setNumber(Gpr.RAX, leaf + (operands.version ?? 0) * VERSION_UNIT);
    set(registers, Gpr.RCX, operands.rcx);
    set(registers, Gpr.RDX, operands.rdx);
    set(registers, Gpr.R8, operands.r8);
    set(registers, Gpr.R9, operands.r9);
    this.door.seamcall(registers);
  }
}

function set(registers: RegisterFile, register: Gpr, value: number | bigint | undefined): void {
  if (typeof value === 'bigint') registers.u64[register] = value;
  else if (value !== undefined) registers.setNumber(register, value);
}
