/** What TDG.MEM.PAGE.ATTR.RD and WR have in common. A page of a TD without partitioning has no attributes of its own: RDX is 0. */
import { CompletionCode as Code, type CompletionCode, levelBytes } from '../../abi/index.ts';
import type { SecureEpt } from '../sept/secure-ept.ts';
import { SEPT_STATES } from '../sept/states.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { RCX, RDX } from './guest-registers.ts';

const PENDING_HIGH = 1 << 30;
const TWO_32 = 0x1_0000_0000;

/** The leaf entry the last walk ended at has attributes: it is mapped, or pending and not blocked. Source: TDX module 1.5 source, sept_state_lookup.c. */
export function hasAttributes(sept: SecureEpt): boolean {
  const { accessible, pending, blocked } = SEPT_STATES[sept.state]!;
  return accessible || (pending && !blocked);
}

/** RCX = address, level 2:0, pending 62; RDX = attributes of each virtual machine, none. */
export function tellPage({ cpu: { state } }: Vcpu, sept: SecureEpt, gpa: number): CompletionCode {
  const start = gpa - (gpa % levelBytes(sept.level));
  const pending = SEPT_STATES[sept.state]!.pending ? PENDING_HIGH : 0;
  state.set(RCX, start | sept.level, Math.floor(start / TWO_32) | pending);
  state.set(RDX, 0, 0);
  return Code.SUCCESS;
}

/** RCX and RDX as an error leaves them. */
export function tellNothing({ cpu: { state } }: Vcpu): void {
  state.set(RCX, 0, 0);
  state.set(RDX, 0, 0);
}
