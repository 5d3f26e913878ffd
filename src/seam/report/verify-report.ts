/** SEAMOPS(SEAMVERIFYREPORT): what the processor says of a REPORTMACSTRUCT. Source: Intel TDX Module Loader and CPU Architectural Extensions, "SEAMVERIFYREPORT". */
import { type ModuleVersion, REPORT_TYPE_TDX, TDREPORT_LAYOUT } from '../../abi/index.ts';
import { moduleMeasurements } from './module-measurements.ts';
import type { PlatformSecrets } from './platform-secrets.ts';

export const ReportVerdict = { GENUINE: 0, WRONG_CPUSVN: 1, NOT_OURS: 2 } as const;
export type ReportVerdict = (typeof ReportVerdict)[keyof typeof ReportVerdict];

const CPUSVN_BYTES = 16;

/** Looks at the type, then at the CPUSVN, which chooses the key, then at the MAC over everything. */
export function checkReport(struct: Uint8Array, version: ModuleVersion, secrets: PlatformSecrets): ReportVerdict {
  if (struct[TDREPORT_LAYOUT.type] !== REPORT_TYPE_TDX) return ReportVerdict.NOT_OURS;
  const { cpuSvn } = moduleMeasurements(version);
  const told = struct.subarray(TDREPORT_LAYOUT.cpuSvn, TDREPORT_LAYOUT.cpuSvn + CPUSVN_BYTES);
  if (told.some((byte, index) => byte !== cpuSvn[index])) return ReportVerdict.WRONG_CPUSVN;
  return secrets.isOwnReport(struct) ? ReportVerdict.GENUINE : ReportVerdict.NOT_OURS;
}
