/** The end of an instruction that the module executed for the guest. */
import type { CompletionCode } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import type { SeamCore } from '../core.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { STAY } from './outcome.ts';

export function complete(core: SeamCore, vcpu: Vcpu, exit: ExitRecord, operand: number): CompletionCode {
  const { cpu } = vcpu;
  core.observer.crossing(
    CrossingKind.Handled,
    vcpu.index,
    exit.reason,
    operand,
    0,
    cpu.state.low(S.rip),
    cpu.state.high(S.rip),
    cpu.state.gprs,
  );
  cpu.skipInstruction(exit.instructionLength);
  return STAY;
}
