/** System-scope metadata: what the module is. */
import {
  configFlagsKnown,
  isModule20,
  MetadataField,
  type ModuleVersion,
  TD_ATTRIBUTES_SETTABLE,
  XFAM_ALLOWED,
  XFAM_REQUIRED,
} from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import type { SeamCore } from '../core.ts';
import { SERVICE_TD_ATTRIBUTES, SERVICE_TD_SLOTS } from '../structures/service-td.ts';
import { TDCS_PAGES, TDVPS_PAGES } from '../structures/td.ts';
import { configurableCpuid } from '../virt/cpuid-rows.ts';
import { type FieldRow, fieldRows, HOST_AND_GUEST_READ, HOST_READS } from './field-row.ts';
import { FieldTable } from './field-table.ts';

const row = fieldRows<SeamCore>(
  'TDX Module 1.5 ABI Definition, "Global System Metadata"; TDX module 1.5.01 source, global_sys_fields_lookup.c, metadata_sys.c',
);

export const VENDOR_ID = 0x8086;
/** of what one module leaves for the next; the only one there is */
export const HANDOFF_VERSION = 0;

/**
 * TDX_FEATURES0: 1 TDs outlive the module, 2 service TDs, 3 TDG.VP.RD and WR, 5 CPUID #VE by leaf, 8 local attestation, 9 flags of
 * TDH.VP.ENTER, 10 host-priority locks, 11 configurable IA32_ARCH_CAPABILITIES, 16 PENDING_EPT_VIOLATION_V2, 18 NO_RBP_MOD; in 2.0 also 20 virtual topology, 27 a narrower physical address, 29 CPUID leaf 2,
 * 30 fewer #VE. Migration and partitioning are not announced because they are not there.
 */
const TDX_FEATURES0 =
  (1n << 1n) |
  (1n << 2n) |
  (1n << 3n) |
  (1n << 5n) |
  (1n << 8n) |
  (1n << 9n) |
  (1n << 10n) |
  (1n << 11n) |
  (1n << 16n) |
  (1n << 18n);
const TDX_FEATURES0_2_0 = (1n << 20n) | (1n << 27n) | (1n << 29n) | (1n << 30n);
const TDX_FEATURE_WORDS = 1;
/** Attributes of an alias in an L2 virtual machine that a guest may set: bits 6:0 and VALID. */
const L2_ATTRIBUTE_MASK = 0x807f;
const CPUID_CONFIG_FIELDS = 32;
const ARCH_CAPABILITIES_CONFIGURABLE = (1n << 4n) | (1n << 19n) | (1n << 20n) | (1n << 24n);

const zero = () => 0;

/** Leaf in 31:0, sub-leaf (all ones: none) in 63:32; all ones where there is nothing to configure. */
function configurableLeaf(version: ModuleVersion, number: number): bigint {
  const { leaf, subleaf } = configurableCpuid(version)[number] ?? { leaf: -1, subleaf: -1 };
  return (BigInt(subleaf >>> 0) << 32n) | BigInt(leaf >>> 0);
}

/** Configurable bits of EAX and EBX (element 0), ECX and EDX (1). */
function configurableBits(version: ModuleVersion, element: number): bigint {
  const bits = configurableCpuid(version)[element >> 1]?.bits;
  if (bits === undefined) return 0n;
  const [low, high] = element % 2 === 0 ? [bits.eax, bits.ebx] : [bits.ecx, bits.edx];
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export const SYSTEM_FIELDS: readonly FieldRow<SeamCore>[] = [
  row(0x0000_0002_0000_0000n, 'NUM_PKGS', HOST_READS, () => 1),
  row(0x0000_0002_0000_0001n, 'PKG_FMS', HOST_READS, undefined, { fields: 8 }),
  row(MetadataField.VENDOR_ID, 'VENDOR_ID', HOST_AND_GUEST_READ, () => VENDOR_ID),
  row(0x8800_0002_0000_0001n, 'BUILD_DATE', HOST_READS),
  row(0x8800_0001_0000_0002n, 'BUILD_NUM', HOST_READS),
  row(MetadataField.MINOR_VERSION, 'MINOR_VERSION', HOST_AND_GUEST_READ, ({ version }) => version.minor),
  row(MetadataField.MAJOR_VERSION, 'MAJOR_VERSION', HOST_AND_GUEST_READ, ({ version }) => version.major),
  row(0x0800_0001_0000_0005n, 'UPDATE_VERSION', HOST_READS, zero),
  row(0x0800_0001_0000_0006n, 'INTERNAL_VERSION', HOST_READS, zero),
  row(0x8900_0001_0000_0000n, 'MODULE_HV', HOST_READS, () => HANDOFF_VERSION),
  row(0x8900_0001_0000_0001n, 'MIN_UPDATE_HV', HOST_READS, () => HANDOFF_VERSION),
  row(0x8900_0000_0000_0002n, 'NO_DOWNGRADE', HOST_READS, zero),
  row(0x8900_0001_0000_0003n, 'NUM_HANDOFF_PAGES', HOST_READS),
  row(0x8900_0000_0000_0004n, 'HANDOFF_DATA_VALID', HOST_READS, ({ handoffValid }) => Number(handoffValid)),
  row(0x8900_0001_0000_0005n, 'HANDOFF_DATA_HV', HOST_READS, () => HANDOFF_VERSION),
  row(0x8900_0002_0000_0006n, 'HANDOFF_DATA_SIZE', HOST_READS, zero),
  row(0x0a00_0002_0000_0000n, 'SYS_ATTRIBUTES', HOST_AND_GUEST_READ, zero),
  row(0x0a00_0000_0000_0001n, 'NUM_TDX_FEATURES', HOST_AND_GUEST_READ, () => TDX_FEATURE_WORDS),
  row(MetadataField.TDX_FEATURES0, 'TDX_FEATURES0', HOST_AND_GUEST_READ, ({ version }) =>
    isModule20(version) ? TDX_FEATURES0 | TDX_FEATURES0_2_0 : TDX_FEATURES0,
  ),
  row(0x9000_0001_0000_0000n, 'NUM_CMRS', HOST_READS),
  row(0x9000_0003_0000_0080n, 'CMR_BASE', HOST_READS, undefined, { fields: 32 }),
  row(0x9000_0003_0000_0100n, 'CMR_SIZE', HOST_READS, undefined, { fields: 32 }),
  row(0x9100_0001_0000_0008n, 'MAX_TDMRS', HOST_READS),
  row(0x9100_0001_0000_0009n, 'MAX_RESERVED_PER_TDMR', HOST_READS),
  row(0x9100_0001_0000_0010n, 'PAMT_4K_ENTRY_SIZE', HOST_READS),
  row(0x9100_0001_0000_0011n, 'PAMT_2M_ENTRY_SIZE', HOST_READS),
  row(0x9100_0001_0000_0012n, 'PAMT_1G_ENTRY_SIZE', HOST_READS),
  row(0x9800_0001_0000_0000n, 'TDR_BASE_SIZE', HOST_READS, () => PAGE_SIZE_BYTES),
  row(MetadataField.TDCS_BASE_SIZE, 'TDCS_BASE_SIZE', HOST_READS, () => TDCS_PAGES * PAGE_SIZE_BYTES),
  row(0x9800_0001_0000_0101n, 'TDCS_SIZE_PER_L2_VM', HOST_READS, zero),
  row(MetadataField.TDVPS_BASE_SIZE, 'TDVPS_BASE_SIZE', HOST_READS, () => TDVPS_PAGES * PAGE_SIZE_BYTES),
  row(0x9800_0001_0000_0201n, 'TDVPS_SIZE_PER_L2_VM', HOST_READS, zero),
  row(0x1900_0003_0000_0000n, 'ATTRIBUTES_FIXED0', HOST_READS, () => TD_ATTRIBUTES_SETTABLE),
  row(0x1900_0003_0000_0001n, 'ATTRIBUTES_FIXED1', HOST_READS, zero),
  row(0x1900_0003_0000_0002n, 'XFAM_FIXED0', HOST_READS, ({ native }) => native.xfam & XFAM_ALLOWED),
  row(0x1900_0003_0000_0003n, 'XFAM_FIXED1', HOST_READS, () => XFAM_REQUIRED),
  row(0x9900_0001_0000_0004n, 'NUM_CPUID_CONFIG', HOST_READS, ({ version }) => configurableCpuid(version).length),
  row(0x9900_0003_0000_0006n, 'CONFIG_FLAGS_FIXED0', HOST_READS, ({ version }) => configFlagsKnown(version)),
  row(0x9900_0003_0000_0007n, 'CONFIG_FLAGS_FIXED1', HOST_READS, zero),
  row(
    0x9900_0003_0000_0400n,
    'CPUID_CONFIG_LEAVES',
    HOST_READS,
    ({ version }, number) => configurableLeaf(version, number),
    {
      fields: CPUID_CONFIG_FIELDS,
    },
  ),
  row(
    0x9900_0003_0000_0500n,
    'CPUID_CONFIG_VALUES',
    HOST_READS,
    ({ version }, element) => configurableBits(version, element),
    {
      fields: CPUID_CONFIG_FIELDS,
      elementsPerField: 2,
    },
  ),
  row(0x9900_0003_0000_0600n, 'IA32_ARCH_CAPABILITIES_CONFIG_MASK', HOST_READS, () => ARCH_CAPABILITIES_CONFIGURABLE),
  row(0x9900_0001_0000_0800n, 'NUM_ALLOWED_FMS', HOST_READS),
  row(0x9900_0001_0000_0801n, 'NUM_DISALLOWED_FMS', HOST_READS, zero),
  row(0x9900_0003_0000_0810n, 'ALLOWED_FMS', HOST_READS, undefined, { fields: 64 }),
  row(0x9900_0003_0000_0850n, 'DISALLOWED_FMS', HOST_READS, zero, { fields: 64 }),
  row(0xa000_0003_0000_0000n, 'MIG_ATTRIBUTES', HOST_AND_GUEST_READ, zero),
  row(0x2000_0001_0000_0001n, 'MIN_EXPORT_VERSION', HOST_AND_GUEST_READ, zero),
  row(0x2000_0001_0000_0002n, 'MAX_EXPORT_VERSION', HOST_AND_GUEST_READ, zero),
  row(0x2000_0001_0000_0003n, 'MIN_IMPORT_VERSION', HOST_AND_GUEST_READ, zero),
  row(0x2000_0001_0000_0004n, 'MAX_IMPORT_VERSION', HOST_AND_GUEST_READ, zero),
  row(0xa000_0001_0000_0010n, 'MAX_MIGS', HOST_READS, zero),
  row(0xa000_0000_0000_0020n, 'NUM_IMMUTABLE_STATE_PAGES', HOST_READS, zero),
  row(0xa000_0000_0000_0021n, 'NUM_TD_STATE_PAGES', HOST_READS, zero),
  row(0xa000_0000_0000_0022n, 'NUM_VP_STATE_PAGES', HOST_READS, zero),
  row(0xa100_0001_0000_0000n, 'MAX_SERV_TDS', HOST_READS, () => SERVICE_TD_SLOTS),
  row(0xa100_0003_0000_0001n, 'SERVTD_ATTR_FIXED0', HOST_READS, () => SERVICE_TD_ATTRIBUTES),
  row(0xa100_0003_0000_0002n, 'SERVTD_ATTR_FIXED1', HOST_READS, zero),
  row(0xa200_0001_0000_0000n, 'GUEST_L2_GPA_ATTR_MASK', HOST_AND_GUEST_READ, () => L2_ATTRIBUTE_MASK),
  row(0xa200_0003_0000_0001n, 'VM_CTLS_FIXED0', HOST_READS, () => 1),
  row(0xa200_0003_0000_0002n, 'VM_CTLS_FIXED1', HOST_READS, zero),
  row(0xa200_0003_0000_0003n, 'VCPU_L2_CTLS_FIXED0', HOST_READS, () => 3),
  row(0xa200_0003_0000_0004n, 'VCPU_L2_CTLS_FIXED1', HOST_READS, zero),
  row(0xa200_0003_0000_0005n, 'VCPU_L2_DEBUG_CTLS_FIXED0', HOST_READS, () => 7),
  row(0xa200_0003_0000_0006n, 'VCPU_L2_DEBUG_CTLS_FIXED1', HOST_READS, zero),
];

export const SYSTEM_TABLE = new FieldTable(SYSTEM_FIELDS);
