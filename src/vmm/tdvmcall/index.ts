/** The services of the host, by R11. To add one: a file beside this one, and a line here. */
import { asTdvmcallStatus, Gpr, type TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { getQuote } from './get-quote.ts';
import { getTdVmCallInfo } from './get-td-vm-call-info.ts';
import { instructionCpuid } from './instruction-cpuid.ts';
import { instructionHlt } from './instruction-hlt.ts';
import { instructionIo } from './instruction-io.ts';
import { instructionRdmsr } from './instruction-rdmsr.ts';
import { instructionWrmsr } from './instruction-wrmsr.ts';
import { mapGpa } from './map-gpa.ts';
import { reportFatalError } from './report-fatal-error.ts';
import { requestMmio } from './request-mmio.ts';
import { setupEventNotifyInterrupt } from './setup-event-notify-interrupt.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const TDVMCALL_ROWS: readonly TdvmcallRow[] = [
  instructionCpuid,
  instructionHlt,
  instructionIo,
  instructionRdmsr,
  instructionWrmsr,
  requestMmio,
  getTdVmCallInfo,
  mapGpa,
  getQuote,
  reportFatalError,
  setupEventNotifyInterrupt,
];

const rowOfLeaf: ReadonlyMap<TdvmcallLeaf, TdvmcallRow> = new Map(TDVMCALL_ROWS.map((row) => [row.leaf, row]));

/** What KVM answers to a hypercall number it does not know. */
const KVM_ENOSYS = asTdvmcallStatus(BigInt.asUintN(64, -1000n));

/** Serves one call, through the script's hook if there is one, and puts its status in R10. */
export function serveTdvmcall(call: Tdvmcall): void {
  const hook = call.td.hooks.tdvmcall;
  call.registers.u64[Gpr.R10] = hook === undefined ? serveUnhooked(call) : hook(call, () => serveUnhooked(call));
}

function serveUnhooked(call: Tdvmcall): TdvmcallStatus {
  const { registers } = call;
  // a vendor's own calling convention
  if (registers.low(Gpr.R10) !== 0 || registers.high(Gpr.R10) !== 0) return KVM_ENOSYS;
  const row = rowOfLeaf.get(call.leaf);
  return row === undefined ? TdvmcallStatus.INVALID_OPERAND : row.serve(call);
}
