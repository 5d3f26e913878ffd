/** The services of the host, by R11. To add one: a file beside this one, and a line here. */
import { Gpr, type TdvmcallLeaf, type TdvmcallStatus } from '../../abi/index.ts';
import { getQuote } from './get-quote.ts';
import { getTdVmCallInfo } from './get-td-vm-call-info.ts';
import { instructionCpuid } from './instruction-cpuid.ts';
import { instructionHlt } from './instruction-hlt.ts';
import { instructionIo } from './instruction-io.ts';
import { instructionPconfig } from './instruction-pconfig.ts';
import { instructionRdmsr } from './instruction-rdmsr.ts';
import { instructionWbinvd } from './instruction-wbinvd.ts';
import { instructionWrmsr } from './instruction-wrmsr.ts';
import { mapGpa } from './map-gpa.ts';
import { migTd } from './mig-td.ts';
import { reportFatalError } from './report-fatal-error.ts';
import { requestMmio } from './request-mmio.ts';
import { service } from './service.ts';
import { setupEventNotifyInterrupt } from './setup-event-notify-interrupt.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const TDVMCALL_ROWS: readonly TdvmcallRow[] = [
  instructionCpuid,
  instructionHlt,
  instructionIo,
  instructionRdmsr,
  instructionWrmsr,
  requestMmio,
  instructionWbinvd,
  instructionPconfig,
  getTdVmCallInfo,
  mapGpa,
  getQuote,
  reportFatalError,
  setupEventNotifyInterrupt,
  service,
  migTd,
];

const rowOfLeaf: ReadonlyMap<TdvmcallLeaf, TdvmcallRow> = new Map(TDVMCALL_ROWS.map((row) => [row.leaf, row]));

/** Serves one call, through the script's hook if there is one, and puts its status in R10. */
export function serveTdvmcall(call: Tdvmcall): void {
  const hook = call.td.hooks.tdvmcall;
  call.registers.u64[Gpr.R10] = hook === undefined ? serveUnhooked(call) : hook(call, () => serveUnhooked(call));
}

function serveUnhooked(call: Tdvmcall): TdvmcallStatus {
  const { registers } = call;
  const { profile } = call.td;
  // a vendor's own calling convention
  if (registers.low(Gpr.R10) !== 0 || registers.high(Gpr.R10) !== 0) return profile.vendorCall(call);
  const row = rowOfLeaf.get(call.leaf);
  if (row === undefined) return profile.unknownSubFunction;
  return profile.refused.get(call.leaf) ?? row.serve(call);
}
