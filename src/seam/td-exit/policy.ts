/** What the module does about each exit of the processor: rows, one a reason. Source: TDX Module 1.5 Base Architecture, "VM Exits Handling". */
import {
  CompletionCode as Code,
  type CompletionCode,
  exitReasonName,
  isModule20,
  MODULE_1_5,
  MODULE_2_0,
  MODULE_VERSIONS,
  type ModuleVersion,
  VeCategory,
} from '../../abi/index.ts';
import { ExitReason, type ExitRecord } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, injectVe, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { handleTdcall } from '../tdcall/dispatch.ts';
import { handleCpuid } from './cpuid.ts';
import { handleCrAccess } from './cr-access.ts';
import { handleEptViolation } from './ept-violation.ts';
import { leaveForExit } from './leave.ts';
import { handleRdmsr, handleWrmsr } from './msr.ts';
import { STAY } from './outcome.ts';
import { handleXsetbv } from './xsetbv.ts';

/** Handles an exit. STAY: enter the guest again; else the TD exits with that completion code, the host's registers filled. */
export type ExitHandler = (
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
) => CompletionCode;

export interface ExitRow {
  readonly reason: number;
  readonly modules: readonly ModuleVersion[];
  /** what becomes of it */
  readonly policy: 'handled' | '#VE' | '#GP' | '#UD' | 'TD exit';
  readonly handle: ExitHandler;
  readonly source: string;
}

const POLICY_SOURCE = 'TDX Module 1.5 Base Architecture, "VM Exits Handling"';

const handled = (reason: number, handle: ExitHandler): ExitRow => ({
  reason,
  modules: MODULE_VERSIONS,
  policy: 'handled',
  handle,
  source: POLICY_SOURCE,
});

const ve = (reason: number): ExitRow => ({
  reason,
  modules: MODULE_VERSIONS,
  policy: '#VE',
  handle(core, vcpu, exit) {
    const qualification = reason === ExitReason.IoInstruction ? exit.qualificationLow : 0;
    injectVe(core, vcpu, exit, reason, qualification, 0, qualification, VeCategory.NON_CONFIG_PARAVIRT);
    return STAY;
  },
  source: POLICY_SOURCE,
});

const gp = (reason: number): ExitRow => ({
  reason,
  modules: MODULE_VERSIONS,
  policy: '#GP',
  handle(core, vcpu) {
    injectException(core, vcpu, Vector.GP, 0, reason);
    return STAY;
  },
  source: POLICY_SOURCE,
});

const ud = (reason: number): ExitRow => ({
  reason,
  modules: MODULE_VERSIONS,
  policy: '#UD',
  handle(core, vcpu) {
    injectException(core, vcpu, Vector.UD, undefined, reason);
    return STAY;
  },
  source: POLICY_SOURCE,
});

const tdExit = (reason: number, code: CompletionCode): ExitRow => ({
  reason,
  modules: MODULE_VERSIONS,
  policy: 'TD exit',
  handle: (core, vcpu, exit) => leaveForExit(core, vcpu, code, exit),
  source: POLICY_SOURCE,
});

/** The host may answer PCONFIG where CPUID shows it; else it does not exist. */
const handlePconfig: ExitHandler = (core, vcpu, exit, { cpuid }) => {
  if (vcpu.td.controls.has(cpuid, 'PCONFIG'))
    injectVe(core, vcpu, exit, exit.reason, 0, 0, 0, VeCategory.CONFIG_PARAVIRT);
  else injectException(core, vcpu, Vector.UD, undefined, exit.reason);
  return STAY;
};

/** Interruption information: vector 7:0, type 10:8. Source: SDM vol. 3C, "Information for VM Exits Due to Vectored Events". */
const VECTOR_AND_TYPE = 0x7ff;
const MACHINE_CHECK = (3 << 8) | 18;

/** A machine check means that the TD's memory is no longer what it wrote: the TD is lost, and nothing of it is looked at again. */
const handleExceptionOrNmi: ExitHandler = (core, vcpu, exit) => {
  const isMachineCheck = (exit.interruptionInformation & VECTOR_AND_TYPE) === MACHINE_CHECK;
  if (isMachineCheck) vcpu.td.fatal = true;
  return leaveForExit(core, vcpu, isMachineCheck ? Code.NON_RECOVERABLE_TD_NON_ACCESSIBLE : Code.SUCCESS, exit);
};

const VMX_FIRST = 19;
const VMX_LAST = 27;
const INVEPT = 50;
const INVVPID = 53;
const ENCLV = 70;
const ENQCMD = 72;
const ENQCMDS = 73;
const UMWAIT = 67;
const TPAUSE = 68;
const BUS_LOCK = 74;

export const EXIT_ROWS: readonly ExitRow[] = [
  { ...tdExit(ExitReason.ExceptionOrNmi, Code.SUCCESS), handle: handleExceptionOrNmi },
  tdExit(ExitReason.ExternalInterrupt, Code.SUCCESS),
  {
    ...tdExit(ExitReason.TripleFault, Code.NON_RECOVERABLE_VCPU),
    handle(core, vcpu, exit) {
      vcpu.disable();
      return leaveForExit(core, vcpu, Code.NON_RECOVERABLE_VCPU, exit);
    },
  },
  handled(ExitReason.NmiWindow, () => STAY),
  handled(ExitReason.InterruptWindow, () => STAY),
  tdExit(ExitReason.TaskSwitch, Code.SUCCESS),
  handled(ExitReason.Cpuid, handleCpuid),
  ud(ExitReason.Getsec),
  ve(ExitReason.Hlt),
  ve(ExitReason.Invd),
  gp(ExitReason.Rdpmc),
  ud(ExitReason.Rsm),
  ve(ExitReason.Vmcall),
  ...Array.from({ length: VMX_LAST - VMX_FIRST + 1 }, (_, i) => ud(VMX_FIRST + i)),
  handled(ExitReason.CrAccess, handleCrAccess),
  ve(ExitReason.IoInstruction),
  handled(ExitReason.Rdmsr, handleRdmsr),
  handled(ExitReason.Wrmsr, handleWrmsr),
  { ...ve(ExitReason.Mwait), modules: [MODULE_1_5] },
  { ...ve(ExitReason.Monitor), modules: [MODULE_1_5] },
  { ...ud(ExitReason.Mwait), modules: [MODULE_2_0] },
  { ...ud(ExitReason.Monitor), modules: [MODULE_2_0] },
  handled(ExitReason.EptViolation, handleEptViolation),
  tdExit(ExitReason.EptMisconfiguration, Code.SUCCESS),
  ud(INVEPT),
  ud(INVVPID),
  ve(ExitReason.Wbinvd),
  handled(ExitReason.Xsetbv, handleXsetbv),
  ve(ExitReason.ApicWrite),
  ud(ExitReason.Vmfunc),
  ud(ExitReason.Encls),
  handled(ExitReason.Pconfig, handlePconfig),
  ud(UMWAIT),
  ud(TPAUSE),
  ud(ENCLV),
  gp(ENQCMD),
  ud(ENQCMDS),
  tdExit(BUS_LOCK, Code.SUCCESS),
  ud(ExitReason.Seamcall),
  handled(ExitReason.Tdcall, handleTdcall),
];

/** Indexed by reason; holes are reasons that this processor's controls cannot produce. */
function byReason(version: ModuleVersion): readonly (ExitHandler | undefined)[] {
  const handlers: (ExitHandler | undefined)[] = [];
  for (const { reason, modules, handle } of EXIT_ROWS) if (modules.includes(version)) handlers[reason] = handle;
  return handlers;
}
const BY_REASON_1_5 = byReason(MODULE_1_5);
const BY_REASON_2_0 = byReason(MODULE_2_0);

export function handleExit(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const handle = (isModule20(core.version) ? BY_REASON_2_0 : BY_REASON_1_5)[exit.reason];
  if (handle === undefined)
    throw new Error(
      `broken invariant: the processor left with exit ${exitReasonName(exit.reason)}, which no control asks for`,
    );
  return handle(core, vcpu, exit, configuration);
}
