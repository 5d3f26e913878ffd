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
  const serve = () => serveUnhooked(call);
  const hook = call.td.hooks.tdvmcall;
  call.registers.u64[Gpr.R10] = hook === undefined ? serve() : hook(call, serve);
}

function serveUnhooked(call: Tdvmcall): TdvmcallStatus {
  if (call.registers.u64[Gpr.R10] !== 0n) return KVM_ENOSYS; // a vendor's own calling convention
  return rowOfLeaf.get(call.leaf)?.serve(call) ?? TdvmcallStatus.INVALID_OPERAND;
}
