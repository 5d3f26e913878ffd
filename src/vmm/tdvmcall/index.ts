/** The services of the host, by R11. To add one: a file beside this one, and a line here. */
import { Gpr, type TdvmcallLeaf, type TdvmcallStatus } from '../../abi/index.ts';
import type { HostProfile } from '../profiles/host-profile.ts';
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

/** Leaves lie in two short ranges: instructions, and what the GHCI adds from 0x10000 on. */
const FIRST_ADDED = 0x1_0000;
const RANGE = 0x100;

/** Place of a leaf in a table of services; below 0 or past its end for any other number. */
function placeOf(leaf: TdvmcallLeaf): number {
  return leaf < RANGE ? leaf : leaf - FIRST_ADDED + RANGE;
}

/** What one host serves, by the place of the leaf. */
export type Services = readonly (TdvmcallRow['serve'] | undefined)[];

/** Looked up once for a TD, not at each call. */
export function servicesOf({ refused }: HostProfile): Services {
  const services = new Array<TdvmcallRow['serve'] | undefined>(2 * RANGE).fill(undefined);
  for (const { leaf, serve } of TDVMCALL_ROWS) {
    const status = refused.get(leaf);
    services[placeOf(leaf)] = status === undefined ? serve : () => status;
  }
  return services;
}

/** Serves one call, through the script's hook if there is one, and puts its status in R10. */
export function serveTdvmcall(call: Tdvmcall): void {
  const hook = call.td.hooks.tdvmcall;
  call.registers.u64[Gpr.R10] = hook === undefined ? serveUnhooked(call) : hook(call, () => serveUnhooked(call));
}

function serveUnhooked(call: Tdvmcall): TdvmcallStatus {
  const { registers, td, leaf } = call;
  // a vendor's own calling convention
  if (registers.low(Gpr.R10) !== 0 || registers.high(Gpr.R10) !== 0) return td.profile.vendorCall(call);
  const place = placeOf(leaf);
  const serve = place >= 0 && place < 2 * RANGE ? td.services[place] : undefined;
  return serve === undefined ? td.profile.unknownSubFunction : serve(call);
}
