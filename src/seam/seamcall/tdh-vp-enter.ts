import { CompletionCode as Code, type CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { mergePosted } from '../posted-interrupts.ts';
import { OpState } from '../structures/td.ts';
import { LastExit, type Vcpu, VcpuState } from '../structures/vcpu.ts';
import { takeVmcallAnswer } from '../td-exit/leave.ts';
import { STAY } from '../td-exit/outcome.ts';
import { handleExit } from '../td-exit/policy.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** bits 52 and 53 of RCX */
const HOST_RECOVERABILITY_HINT_HIGH = 1 << 20;
const RESUME_L1_HIGH = 2 << 20;
const FLAGS_HIGH = HOST_RECOVERABILITY_HINT_HIGH | RESUME_L1_HIGH;
/** bit 60 of the status that a guest gets for its TDCALL */
const STATUS_HINT_HIGH = 1 << 28;
const RAX = S.gpr;
const NMI_VECTOR = 2;
const NMI_TYPE = 2;

/** Runs the vCPU until the TD exits. */
export const tdhVpEnter: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_ENTER,
  name: 'TDH.VP.ENTER',
  operands:
    'in: RCX = TDVPR HPA | HOST_RECOVERABILITY_HINT | RESUME_L1, after TDG.VP.VMCALL the registers of its mask; out: as the TD exit says',
  source: leafSource('TDH.VP.ENTER'),
  tdvpr: Gpr.RCX,
  handleFlags: { low: 0, high: FLAGS_HIGH },
  states: [OpState.RUNNABLE],
  run(core, registers, vcpu, configuration): CompletionCode {
    if (vcpu.state !== VcpuState.READY) return core.fail(Code.VCPU_STATE_INCORRECT);
    vcpu.associate();
    const flags = registers.high(Gpr.RCX) & FLAGS_HIGH;
    // there is no L2 virtual machine to leave, and only after a trap is there something that the host might recover from
    if (flags !== 0 && (flags !== HOST_RECOVERABILITY_HINT_HIGH || vcpu.lastExit !== LastExit.ASYNCHRONOUS_TRAP))
      return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (flags !== 0) vcpu.cpu.state.set(RAX, vcpu.cpu.state.low(RAX), vcpu.cpu.state.high(RAX) | STATUS_HINT_HIGH);
    core.sharedHalf.takeChanges(vcpu.td);
    forgetStaleTranslations(vcpu);
    if (vcpu.lastExit === LastExit.TDVMCALL) takeVmcallAnswer(core, vcpu, registers);
    mergePosted(vcpu);
    injectPendingNmi(vcpu);
    if (core.hostRegisters !== registers) core.hostRegisters = registers;
    for (;;) {
      const exit = vcpu.cpu.run();
      vcpu.eventQueued = false;
      const code = handleExit(core, vcpu, exit, configuration);
      if (code !== STAY) return code;
    }
  },
};

/** Source: TDX Module 1.5 Base Architecture, "TLB Tracking". */
function forgetStaleTranslations(vcpu: Vcpu): void {
  const { td } = vcpu;
  if (vcpu.epoch === td.epoch && vcpu.sharedEpoch === td.sharedEpoch) return;
  vcpu.epoch = td.epoch;
  vcpu.sharedEpoch = td.sharedEpoch;
  vcpu.cpu.invalidateSecondLevel();
}

/** Not while the guest has a #VE to ask about, nor before an event that is already on its way. */
function injectPendingNmi(vcpu: Vcpu): void {
  if (!vcpu.pendingNmi || vcpu.eventQueued || vcpu.cpu.virtualizationException.valid) return;
  vcpu.pendingNmi = false;
  vcpu.cpu.inject(NMI_VECTOR, NMI_TYPE);
}
