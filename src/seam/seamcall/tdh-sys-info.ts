import {
  CompletionCode,
  Gpr,
  OperandId,
  TD_ATTRIBUTES_SETTABLE,
  TdhLeaf,
  XFAM_ALLOWED,
  XFAM_REQUIRED,
} from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { VENDOR_ID } from '../metadata/sys.ts';
import { TDCS_PAGES, TDVPS_PAGES } from '../structures/td.ts';
import { configurableCpuid } from '../virt/cpuid-rows.ts';
import { leafSource, type SystemRow } from './row.ts';

const TDSYSINFO_BYTES = 1024;
/** Source: TDX Module ABI Definition, "TDSYSINFO_STRUCT". */
const LAYOUT = {
  vendorId: 4,
  minorVersion: 14,
  majorVersion: 16,
  tdcsBaseSize: 48,
  tdvpsBaseSize: 52,
  attributesFixed0: 64,
  attributesFixed1: 72,
  xfamFixed0: 80,
  xfamFixed1: 88,
  numCpuidConfig: 128,
  cpuidConfig: 132,
} as const;
const CPUID_CONFIG_BYTES = 24;

/** Tells the host what the module is and what a TD may have. No convertible memory ranges are reported: all RAM is one. */
export const tdhSysInfo: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_INFO,
  name: 'TDH.SYS.INFO',
  operands:
    'in: RCX = TDSYSINFO_STRUCT HPA, RDX = its bytes, R8 = CMR_INFO HPA, R9 = its entries; out: RDX = bytes, R9 = entries written',
  source: leafSource('TDH.SYS.INFO'),
  beforeReady: true,
  run(core, registers) {
    const hpa = core.sharedOperand(registers, Gpr.RCX, 1024, TDSYSINFO_BYTES);
    if (hpa < 0) return core.code;
    if (registers.number(Gpr.RDX) < TDSYSINFO_BYTES) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RDX);
    const bytes = core.memory.u8.subarray(hpa, hpa + TDSYSINFO_BYTES);
    bytes.fill(0);
    const view = new DataView(bytes.buffer, hpa, TDSYSINFO_BYTES);
    view.setUint32(LAYOUT.vendorId, VENDOR_ID, true);
    view.setUint16(LAYOUT.minorVersion, core.version.minor, true);
    view.setUint16(LAYOUT.majorVersion, core.version.major, true);
    view.setUint16(LAYOUT.tdcsBaseSize, TDCS_PAGES * PAGE_SIZE_BYTES, true);
    view.setUint16(LAYOUT.tdvpsBaseSize, TDVPS_PAGES * PAGE_SIZE_BYTES, true);
    view.setBigUint64(LAYOUT.attributesFixed0, TD_ATTRIBUTES_SETTABLE, true);
    view.setBigUint64(LAYOUT.xfamFixed0, core.native.xfam & XFAM_ALLOWED, true);
    view.setBigUint64(LAYOUT.xfamFixed1, XFAM_REQUIRED, true);
    const configurable = configurableCpuid(core.version);
    view.setUint32(LAYOUT.numCpuidConfig, configurable.length, true);
    configurable.forEach(({ leaf, subleaf, bits }, index) => {
      const at = LAYOUT.cpuidConfig + index * CPUID_CONFIG_BYTES;
      [leaf, subleaf, bits.eax, bits.ebx, bits.ecx, bits.edx].forEach((value, word) => {
        view.setUint32(at + word * 4, value, true);
      });
    });
    core.pageReplaced(hpa - (hpa % PAGE_SIZE_BYTES));
    registers.setNumber(Gpr.RDX, TDSYSINFO_BYTES);
    registers.setNumber(Gpr.R9, 0);
    return CompletionCode.SUCCESS;
  },
};
