import {
  CompletionCode,
  ConfigFlag,
  configFlagsKnown,
  EPTP_CONTROLS_4_LEVELS,
  EPTP_CONTROLS_5_LEVELS,
  Gpr,
  OperandId,
  parseTdParams,
  type RegisterFile,
  TD_ATTRIBUTES_SETTABLE,
  TD_PARAMS_BYTES,
  TD_PARAMS_RESERVED,
  TdAttribute,
  TdhLeaf,
  type TdParams,
} from '../../abi/index.ts';
import { SecondLevel } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { Mrtd } from '../measurement/mrtd.ts';
import { SecureEpt } from '../sept/secure-ept.ts';
import { gpaGeometry, OpState, type Td, type TdConfiguration } from '../structures/td.ts';
import { buildCpuidTable, type CpuidRefusal, CpuidTable } from '../virt/cpuid-table.ts';
import { MsrTable } from '../virt/msr-table.ts';
import { isLegalXfam } from '../virt/xfam.ts';
import { type BuildRow, leafSource } from './row.ts';

const ARCH_CAPABILITIES_CONFIG_VALID = 1;
/** The TSC of this processor; nothing scales it. */
const SUPPORTED_TSC_FREQUENCY_25MHZ = 40;

/** The operand id of the first illegal field, or -1. Order as in the module. */
function illegalParameter({ version, native }: SeamCore, params: TdParams, bytes: Uint8Array): number {
  const { attributes, configFlags, eptpControls } = params;
  if ((attributes & ~TD_ATTRIBUTES_SETTABLE) !== 0n) return OperandId.ATTRIBUTES;
  if ((attributes & TdAttribute.MIGRATABLE) !== 0n && (attributes & (TdAttribute.DEBUG | TdAttribute.PERFMON)) !== 0n)
    return OperandId.ATTRIBUTES;
  if (!isLegalXfam(params.xfam, native.xfam)) return OperandId.XFAM;
  if (params.maxVcpus === 0) return OperandId.MAX_VCPUS;
  if (params.numL2Vms !== 0) return OperandId.NUM_L2_VMS;
  if ((configFlags & ~configFlagsKnown(version)) !== 0n) return OperandId.EXEC_CONTROLS;
  const wide = (configFlags & ConfigFlag.GPAW) !== 0n;
  if (eptpControls !== EPTP_CONTROLS_5_LEVELS && (wide || eptpControls !== EPTP_CONTROLS_4_LEVELS))
    return OperandId.EPTP_CONTROLS;
  if (params.tscFrequency25Mhz !== SUPPORTED_TSC_FREQUENCY_25MHZ) return OperandId.TSC_FREQUENCY;
  for (const [start, end] of TD_PARAMS_RESERVED)
    if (bytes.subarray(start, end).some((byte) => byte !== 0)) return OperandId.RDX;
  if ((params.msrConfigCtls & ~ARCH_CAPABILITIES_CONFIG_VALID) !== 0) return OperandId.RDX;
  return -1;
}

/** Initialises a TD from TD_PARAMS. */
export const tdhMngInit: BuildRow = {
  scope: 'build',
  leaf: TdhLeaf.MNG_INIT,
  name: 'TDH.MNG.INIT',
  operands: 'in: RCX = TDR HPA, RDX = TD_PARAMS HPA; out: RCX = CPUID leaf 31:0 and sub-leaf 63:32 that is wrong',
  source: leafSource('TDH.MNG.INIT'),
  outputs: [Gpr.RCX],
  tdr: Gpr.RCX,
  run: (core: SeamCore, registers: RegisterFile, td: Td) => {
    registers.set(Gpr.RCX, 0, 0);
    if (td.opState !== OpState.UNINITIALIZED) return core.fail(CompletionCode.OP_STATE_INCORRECT);
    const hpa = core.sharedOperand(registers, Gpr.RDX, TD_PARAMS_BYTES, TD_PARAMS_BYTES);
    if (hpa < 0) return core.code;
    const bytes = core.memory.u8.slice(hpa, hpa + TD_PARAMS_BYTES);
    const params = parseTdParams(bytes);
    const illegal = illegalParameter(core, params, bytes);
    if (illegal >= 0) return core.fail(CompletionCode.OPERAND_INVALID, illegal);
    const configuration = configurationFor(core, params);
    if ('refusedLeaf' in configuration) {
      registers.set(Gpr.RCX, configuration.refusedLeaf, configuration.refusedSubleaf);
      return core.fail(CompletionCode.OPERAND_INVALID, OperandId.CPUID_CONFIG);
    }
    td.initialize(configuration, core.clock.nowTicks);
    return CompletionCode.SUCCESS;
  },
};

/** Everything that follows from TD_PARAMS whose other fields are legal, or the first CPUID leaf that is not. */
export function configurationFor(core: SeamCore, params: TdParams): TdConfiguration | CpuidRefusal {
  const cpuid = buildCpuidTable(core.version, core.native, params);
  if (!(cpuid instanceof CpuidTable)) return cpuid;
  const { gpaw, sharedBit } = gpaGeometry((params.configFlags & ConfigFlag.GPAW) !== 0n);
  const secondLevel = new SecondLevel();
  const levels = params.eptpControls === EPTP_CONTROLS_5_LEVELS ? 5 : 4;
  return {
    params,
    gpaw,
    sharedBit,
    noRbpMod: (params.configFlags & ConfigFlag.NO_RBP_MOD) !== 0n,
    secondLevel,
    secureEpt: new SecureEpt(levels, secondLevel, core),
    cpuid,
    msrs: new MsrTable(core.version, cpuid, params),
    mrtd: new Mrtd(core.memory.u8),
    archCapabilities:
      (params.msrConfigCtls & ARCH_CAPABILITIES_CONFIG_VALID) !== 0
        ? core.archCapabilities & params.ia32ArchCapabilitiesConfig
        : core.archCapabilities,
  };
}
