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
import { MAX_RESERVED_AREAS, MAX_TDMRS, PAMT_ENTRY_BYTES } from '../tdmr.ts';
import { configurableCpuid } from '../virt/cpuid-rows.ts';
import { leafSource, type SystemRow } from './row.ts';

const TDSYSINFO_BYTES = 1024;
/** Source: TDX Module ABI Definition, "TDSYSINFO_STRUCT". */
const LAYOUT = {
  vendorId: 4,
  minorVersion: 14,
  majorVersion: 16,
  maxTdmrs: 32,
  maxReservedPerTdmr: 34,
  pamtEntrySize: 36,
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
const MAX_CMRS = 32;
/** base and size of each convertible memory range */
const CMR_INFO_BYTES = MAX_CMRS * 16;

/** Tells the host what the module is, what a TD may have, and which memory can be private: all RAM, in one range. */
export const tdhSysInfo: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_INFO,
  name: 'TDH.SYS.INFO',
  operands:
    'in: RCX = TDSYSINFO_STRUCT HPA, RDX = its bytes, R8 = CMR_INFO HPA, R9 = its entries; out: RDX = bytes, R9 = entries written',
  source: leafSource('TDH.SYS.INFO'),
  beforeReady: true,
  run(core, registers) {
    const [bufferBytes, entries] = [registers.number(Gpr.RDX), registers.number(Gpr.R9)];
    registers.zero([Gpr.RDX, Gpr.R9]);
    if (!core.processorInitialised) return core.fail(CompletionCode.SYS_LP_INIT_NOT_DONE);
    const hpa = core.sharedOperand(registers, Gpr.RCX, 1024, TDSYSINFO_BYTES);
    if (hpa < 0) return core.code;
    if (bufferBytes < TDSYSINFO_BYTES) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RDX);
    const ranges = core.sharedOperand(registers, Gpr.R8, CMR_INFO_BYTES, CMR_INFO_BYTES);
    if (ranges < 0) return core.code;
    if (entries < MAX_CMRS) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.R9);
    const bytes = core.memory.u8.subarray(hpa, hpa + TDSYSINFO_BYTES);
    bytes.fill(0);
    const view = new DataView(bytes.buffer, hpa, TDSYSINFO_BYTES);
    view.setUint32(LAYOUT.vendorId, VENDOR_ID, true);
    view.setUint16(LAYOUT.minorVersion, core.version.minor, true);
    view.setUint16(LAYOUT.majorVersion, core.version.major, true);
    view.setUint16(LAYOUT.maxTdmrs, MAX_TDMRS, true);
    view.setUint16(LAYOUT.maxReservedPerTdmr, MAX_RESERVED_AREAS, true);
    view.setUint16(LAYOUT.pamtEntrySize, PAMT_ENTRY_BYTES, true);
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
    core.memory.u8.fill(0, ranges, ranges + CMR_INFO_BYTES);
    core.memory.view.setBigUint64(ranges, BigInt(core.memory.ramBase), true);
    core.memory.view.setBigUint64(ranges + 8, BigInt(core.memory.ramBytes), true);
    core.pageReplaced(ranges - (ranges % PAGE_SIZE_BYTES));
    registers.setNumber(Gpr.R9, MAX_CMRS);
    return CompletionCode.SUCCESS;
  },
};
