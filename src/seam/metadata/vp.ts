/** vCPU-scope metadata: TDVPS and the TD VMCS. A TD without partitioning has none of the L2 VMCSs and MSR bitmaps. */
import { CompletionCode as Code, Gpr, MetadataField } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { GPR_NAMES, S } from '../../cpu/index.ts';
import { hasDeliverableInterrupt } from '../posted-interrupts.ts';
import { LastExit, type Vcpu, VcpuState } from '../structures/vcpu.ts';
import {
  type Access,
  DEBUGGER_READS,
  DEBUGGER_WRITES,
  type FieldRow,
  fieldRows,
  HOST_AND_GUEST_READ,
  HOST_READS,
  NOBODY,
  NONE,
  READ,
  READ_WRITE,
  writable,
} from './field-row.ts';
import { FieldTable } from './field-table.ts';
import { register, writeRegister } from './processor-field.ts';
import { VMCS_FIELDS } from './vmcs.ts';
import { readXbuff, XBUFF_WORDS } from './xbuff.ts';

const row = fieldRows<Vcpu>(
  'TDX Module 1.5 ABI Definition, "VCPU-Scope Metadata"; TDX module 1.5.01 source, tdvps_fields_lookup.c',
);

const zero = () => 0;
const flag = (value: boolean): number => (value ? 1 : 0);

/** Source: TDX module 1.5 source, tdx_tdvps.h. */
const STATE_VALUES = { [VcpuState.UNINITIALIZED]: 0, [VcpuState.READY]: 2, [VcpuState.DISABLED]: 8 } as const;
const LAST_EXIT_VALUES = {
  [LastExit.ASYNCHRONOUS]: 0,
  [LastExit.ASYNCHRONOUS_TRAP]: 1,
  [LastExit.TDVMCALL]: 2,
} as const;

const GUEST_WRITES: Access = [READ, READ, READ_WRITE, NONE];
const DEBUGGER_AND_GUEST_WRITE_L2: Access = [NONE, writable(7n), writable(7n), NONE];
const L2_VMS = 4;
const GPR_CLASS = 0x1020_0003_0000_0000n;
const NO_PROCESSOR = 0xffff_ffff;

/** RSP is in the VMCS; its place here holds nothing. */
const generalRegisters = GPR_NAMES.map((name, number) =>
  number === Gpr.RSP
    ? row(GPR_CLASS + BigInt(number), 'RSP_PLACEHOLDER', NOBODY)
    : row(GPR_CLASS + BigInt(number), name, DEBUGGER_WRITES, register(S.gpr + number * 8), {
        write: writeRegister(S.gpr + number * 8),
      }),
);

export const VP_FIELDS: readonly FieldRow<Vcpu>[] = [
  ...VMCS_FIELDS,
  row(0x0120_0003_0000_0000n, 'VAPIC', DEBUGGER_READS, undefined, { fields: 128 }),
  row(0x0220_0002_0000_0000n, 'EXIT_REASON', DEBUGGER_READS, ({ cpu }) => cpu.virtualizationException.exitReason),
  row(0x0220_0002_0000_0001n, 'VALID', DEBUGGER_READS, ({ cpu }) =>
    cpu.virtualizationException.valid ? 0xffff_ffff : 0,
  ),
  row(0x0220_0003_0000_0002n, 'EXIT_QUALIFICATION', DEBUGGER_READS, ({ cpu: { virtualizationException: info } }) =>
    join64(info.qualificationLow, info.qualificationHigh),
  ),
  row(0x0220_0003_0000_0003n, 'GLA', DEBUGGER_READS, ({ cpu: { virtualizationException: info } }) =>
    join64(info.guestLinearLow, info.guestLinearHigh),
  ),
  row(0x0220_0003_0000_0004n, 'GPA', DEBUGGER_READS, ({ cpu }) => cpu.virtualizationException.guestPhysical),
  row(0x0220_0001_0000_0005n, 'EPTP_INDEX', DEBUGGER_READS, ({ cpu }) => cpu.virtualizationException.eptpIndex),
  row(0x8220_0002_0000_0010n, 'INSTRUCTION_LENGTH', DEBUGGER_READS, (vcpu) => vcpu.veInstructionLength),
  row(0x8220_0002_0000_0011n, 'INSTRUCTION_INFORMATION', DEBUGGER_READS, (vcpu) => vcpu.veInstructionInformation >>> 0),
  ...generalRegisters,
  ...[0, 1, 2, 3].map((n) =>
    row(0x1120_0003_0000_0000n + BigInt(n), `DR${n}`, DEBUGGER_WRITES, register(S.dr + n * 8), {
      write: writeRegister(S.dr + n * 8),
    }),
  ),
  row(0x1120_0003_0000_0006n, 'DR6', [NONE, writable(0xffff_ffffn), NONE, NONE], register(S.dr6), {
    write: writeRegister(S.dr6),
  }),
  row(0x1120_0003_0000_0020n, 'XCR0', DEBUGGER_READS, register(S.xcr0)),
  row(0x1120_0003_0000_0028n, 'CR2', DEBUGGER_WRITES, register(S.cr2), { write: writeRegister(S.cr2) }),
  row(MetadataField.VCPU_STATE_DETAILS, 'VCPU_STATE_DETAILS', HOST_READS, (vcpu) =>
    flag(hasDeliverableInterrupt(vcpu)),
  ),
  row(0x1220_0003_0000_0000n, 'XBUFF', DEBUGGER_WRITES, readXbuff, { fields: XBUFF_WORDS }),
  row(0x1320_0003_0000_0048n, 'IA32_SPEC_CTRL', DEBUGGER_WRITES, register(S.specCtrl), {
    write: writeRegister(S.specCtrl),
  }),
  row(0x1320_0003_0000_00e1n, 'IA32_UMWAIT_CONTROL', DEBUGGER_WRITES),
  row(0x1320_0003_0000_0122n, 'IA32_TSX_CTRL', DEBUGGER_WRITES),
  row(0x1320_0003_0000_0186n, 'IA32_PERFEVTSELx', DEBUGGER_WRITES, undefined, { fields: 8 }),
  row(0x1320_0003_0000_01a6n, 'MSR_OFFCORE_RSPx', DEBUGGER_WRITES, undefined, { fields: 2 }),
  row(0x1320_0003_0000_01c4n, 'IA32_XFD', DEBUGGER_READS),
  row(0x1320_0003_0000_01c5n, 'IA32_XFD_ERR', DEBUGGER_READS),
  row(0x1320_0003_0000_0309n, 'IA32_FIXED_CTRx', DEBUGGER_WRITES, undefined, { fields: 7 }),
  row(0x1320_0003_0000_0329n, 'IA32_PERF_METRICS', DEBUGGER_WRITES),
  row(0x1320_0003_0000_038dn, 'IA32_FIXED_CTR_CTRL', DEBUGGER_WRITES),
  row(0x1320_0003_0000_038en, 'IA32_PERF_GLOBAL_STATUS', DEBUGGER_READS),
  row(0x1320_0003_0000_03f1n, 'IA32_PEBS_ENABLE', DEBUGGER_WRITES),
  row(0x1320_0003_0000_03f2n, 'MSR_PEBS_DATA_CFG', DEBUGGER_WRITES),
  row(0x1320_0003_0000_03f6n, 'MSR_PEBS_LD_LAT', DEBUGGER_WRITES),
  row(0x1320_0003_0000_03f7n, 'MSR_PEBS_FRONTEND', DEBUGGER_WRITES),
  row(0x1320_0003_0000_04c1n, 'IA32_A_PMCx', DEBUGGER_WRITES, undefined, { fields: 8 }),
  row(0x1320_0003_0000_0600n, 'IA32_DS_AREA', DEBUGGER_WRITES, register(S.dsArea), { write: writeRegister(S.dsArea) }),
  row(0x1320_0003_0000_0da0n, 'IA32_XSS', DEBUGGER_READS, register(S.xss)),
  row(0x1320_0003_0000_14cfn, 'IA32_LBR_DEPTH', DEBUGGER_WRITES),
  row(0x1320_0003_0000_1b01n, 'IA32_UARCH_MISC_CTL', DEBUGGER_WRITES),
  row(0x1320_0003_0000_2081n, 'IA32_STAR', DEBUGGER_READS, register(S.star)),
  row(0x1320_0003_0000_2082n, 'IA32_LSTAR', DEBUGGER_READS, register(S.lstar)),
  row(0x1320_0003_0000_2084n, 'IA32_FMASK', DEBUGGER_READS, register(S.fmask)),
  row(0x1320_0003_0000_2102n, 'IA32_KERNEL_GS_BASE', DEBUGGER_READS, register(S.kernelGsBase)),
  row(0x1320_0003_0000_2103n, 'IA32_TSC_AUX', DEBUGGER_WRITES, register(S.tscAux), { write: writeRegister(S.tscAux) }),
  row(0xa020_0000_0000_0000n, 'VCPU_STATE', DEBUGGER_READS, (vcpu) => STATE_VALUES[vcpu.state]),
  row(MetadataField.VCPU_INDEX, 'VCPU_INDEX', HOST_AND_GUEST_READ, (vcpu) => vcpu.index),
  row(0xa020_0000_0000_0003n, 'NUM_TDVPS_PAGES', HOST_READS, (vcpu) => vcpu.tdvpsPages),
  row(0xa020_0002_0000_0004n, 'ASSOC_LPID', HOST_READS, (vcpu) => (vcpu.associated ? vcpu.index : NO_PROCESSOR)),
  row(0xa020_0003_0000_0006n, 'VCPU_EPOCH', HOST_READS, (vcpu) => vcpu.epoch),
  row(MetadataField.CPUID_SUPERVISOR_VE, 'CPUID_SUPERVISOR_VE', GUEST_WRITES, (vcpu) => vcpu.cpuidVeSupervisor, {
    write(vcpu, _, value) {
      vcpu.cpuidVeSupervisor = Number(value);
      return Code.SUCCESS;
    },
  }),
  row(MetadataField.CPUID_USER_VE, 'CPUID_USER_VE', GUEST_WRITES, (vcpu) => vcpu.cpuidVeUser, {
    write(vcpu, _, value) {
      vcpu.cpuidVeUser = Number(value);
      return Code.SUCCESS;
    },
  }),
  row(0xa020_0003_0000_000an, 'LAST_EXIT_TSC', DEBUGGER_READS),
  row(MetadataField.PEND_NMI, 'PEND_NMI', [READ_WRITE, READ_WRITE, NONE, NONE], (vcpu) => flag(vcpu.pendingNmi), {
    write(vcpu, _, value) {
      vcpu.pendingNmi = (value & 1n) !== 0n;
      return Code.SUCCESS;
    },
  }),
  row(0x2020_0003_0000_000cn, 'XFAM', [READ, READ_WRITE, NONE, NONE], ({ td }) => td.configuration!.params.xfam),
  row(0xa020_0000_0000_000dn, 'LAST_EPF_GPA_LIST_IDX', DEBUGGER_READS),
  row(0xa020_0000_0000_000en, 'POSSIBLY_EPF_STEPPING', DEBUGGER_READS),
  row(0xa020_0000_0000_000fn, 'LAST_TD_EXIT', DEBUGGER_READS, (vcpu) => LAST_EXIT_VALUES[vcpu.lastExit]),
  row(0xa020_0003_0000_0010n, 'TDVPS_PAGE_PA', HOST_READS, undefined, { fields: 15 }),
  row(0xa020_0003_0000_0030n, 'HP_LOCK_BUSY_START', DEBUGGER_READS, (vcpu) =>
    Math.max(0, vcpu.hostPriorityBusySinceTicks),
  ),
  row(0xa020_0000_0000_0031n, 'HP_LOCK_BUSY', DEBUGGER_READS, (vcpu) => flag(vcpu.hostPriorityBusySinceTicks >= 0)),
  row(0xa020_0003_0000_0032n, 'LAST_SEAMDB_INDEX', DEBUGGER_READS),
  row(0xa020_0000_0000_0040n, 'NMI_UNBLOCKING_DUE_TO_IRET', DEBUGGER_READS),
  row(0xa020_0001_0000_0041n, 'CURR_VM', DEBUGGER_READS, zero),
  row(0xa020_0000_0000_0042n, 'L2_EXIT_HOST_ROUTING', DEBUGGER_READS, zero),
  row(0xa020_0000_0000_0044n, 'VM_LAUNCHED', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0000_0000_0048n, 'LP_DEPENDENT_HPA_UPDATED', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0000_0000_004cn, 'MODULE_DEPENDENT_FIELDS_UPDATED', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0050n, 'L2_CTLS', DEBUGGER_AND_GUEST_WRITE_L2, (vcpu, vm) => vcpu.l2Controls[vm]!, {
    fields: L2_VMS,
    write(vcpu, vm, value) {
      vcpu.l2Controls[vm] = value;
      return Code.SUCCESS;
    },
  }),
  row(
    0xa020_0003_0000_0054n,
    'L2_DEBUG_CTLS',
    [NONE, writable(7n), NONE, NONE],
    (vcpu, vm) => vcpu.l2DebugControls[vm]!,
    {
      fields: L2_VMS,
      write(vcpu, vm, value) {
        vcpu.l2DebugControls[vm] = value;
        return Code.SUCCESS;
      },
    },
  ),
  row(0xa020_0003_0000_0058n, 'TSC_DEADLINE', [NONE, READ, READ_WRITE, NONE], (vcpu, vm) => vcpu.l2TscDeadlines[vm]!, {
    fields: L2_VMS,
    write(vcpu, vm, value) {
      vcpu.l2TscDeadlines[vm] = value;
      return Code.SUCCESS;
    },
  }),
  row(0xa020_0003_0000_005cn, 'SHADOW_TSC_DEADLINE', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0080n, 'BASE_L2_CR0_GUEST_HOST_MASK', [NONE, writable(0xffff_ffff_9fff_ffdfn), NONE, NONE]),
  row(0xa020_0003_0000_0081n, 'BASE_L2_CR0_READ_SHADOW', [NONE, writable(0xffff_ffff_9fff_ffdfn), NONE, NONE]),
  row(0xa020_0003_0000_0082n, 'BASE_L2_CR4_GUEST_HOST_MASK', [NONE, writable(0xffff_ffff_ffff_9fbfn), NONE, NONE]),
  row(0xa020_0003_0000_0083n, 'BASE_L2_CR4_READ_SHADOW', [NONE, writable(0xffff_ffff_9fff_ffdfn), NONE, NONE]),
  row(0xa020_0003_0000_0084n, 'SHADOW_CR0_GUEST_HOST_MASK', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0088n, 'SHADOW_CR0_READ_SHADOW', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_008cn, 'SHADOW_CR4_GUEST_HOST_MASK', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0090n, 'SHADOW_CR4_READ_SHADOW', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0002_0000_0094n, 'SHADOW_INSTRUCTION_TIMEOUT_CONTROL', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0098n, 'SHADOW_PID_HPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0002_0000_009cn, 'SHADOW_PINBASED_EXEC_CTLS', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0002_0000_00a4n, 'SHADOW_PLE_GAP', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0002_0000_00a8n, 'SHADOW_PLE_WINDOW', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0001_0000_00acn, 'SHADOW_POSTED_INT_NOTIFICATION_VECTOR', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0002_0000_00b0n, 'SHADOW_PROCBASED_EXEC_CTLS2', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_00b4n, 'SHADOW_SHARED_EPTP', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0100n, 'L2_ENTER_GUEST_STATE_GPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0104n, 'L2_ENTER_GUEST_STATE_HPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0108n, 'VE_INFO_GPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_010cn, 'VE_INFO_HPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0110n, 'L2_VAPIC_GPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(0xa020_0003_0000_0114n, 'L2_VAPIC_HPA', DEBUGGER_READS, undefined, { fields: L2_VMS }),
  row(
    0xa120_0000_0000_0000n,
    'CPUID_CONTROL',
    [NONE, READ, writable(3n), NONE],
    (vcpu, number) => vcpu.cpuidControl[number]!,
    {
      fields: 128,
      write(vcpu, number, value) {
        vcpu.cpuidControl[number] = Number(value);
        return Code.SUCCESS;
      },
    },
  ),
  row(0xa220_0003_0000_0200n, 'LAST_EPF_GPA_LIST', DEBUGGER_READS, undefined, { fields: 32 }),
];

export const VP_TABLE = new FieldTable(VP_FIELDS);
