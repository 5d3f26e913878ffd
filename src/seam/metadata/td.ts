/** TD-scope metadata: TDR and TDCS. A TD without partitioning has no L2 Secure EPT roots. */
import {
  CompletionCode as Code,
  type CompletionCode,
  ConfigFlag,
  isModule20,
  MetadataField,
  MODULE_1_5,
  MODULE_2_0,
  parseTdParams,
  TD_PARAMS_BYTES,
  type TdParams,
} from '../../abi/index.ts';
import { BindingState } from '../structures/service-td.ts';
import { Lifecycle, type Td, type TdConfiguration } from '../structures/td.ts';
import { FEATURE_PARAVIRT_MASK, tdControlsMask } from '../virt/td-controls.ts';
import { CPUID_ORDER, CPUID_VALUE_CODES, canonicalCpuidCode, NO_SUBLEAF } from './cpuid-order.ts';
import {
  Accessor,
  ALL_READ,
  DEBUGGER_READS,
  type FieldRow,
  fieldRows,
  HOST_AND_GUEST_READ,
  HOST_AND_SERVICE_TD_READ,
  HOST_READS,
  NOBODY,
  NONE,
  READ,
  READ_WRITE,
  type Rights,
  writable,
} from './field-row.ts';
import { FieldTable } from './field-table.ts';
import { msrBitmapWord } from './msr-bitmap.ts';

const row = fieldRows<Td>(
  'TDX Module 1.5 ABI Definition, "TD-Scope Metadata"; TDX module 1.5.01 source, tdr_tdcs_fields_lookup.c',
);

/** Fields are readable from TDH.MNG.INIT on. */
const conf = (td: Td): TdConfiguration => td.configuration!;

/** A service TD may ask before, when all is zero. */
const NO_PARAMS = parseTdParams(new Uint8Array(TD_PARAMS_BYTES));
const params = (td: Td): TdParams => td.configuration?.params ?? NO_PARAMS;

/** The 64-bit word `element` of a byte string. */
function word(bytes: Uint8Array, element: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(element * 8, true);
}

/** Always 0 in a TD that is not migrated. */
const zero = () => 0;

const valid = (isValid: boolean): CompletionCode => (isValid ? Code.SUCCESS : Code.METADATA_FIELD_VALUE_NOT_VALID);

const DIGEST_WORDS = 6;
const KEY_WORDS = 4;
const CPUID_FIELDS = 80;
const NATIVE_TSC_MULTIPLIER = 1n << 48n;
const RESERVED_EPTP_BITS: Rights = { read: 0xfff0_0000_0000_0fffn, write: 0n };
const NOTIFY: Rights = { read: 1n, write: 1n };
const HOST_PRIORITY_TIMEOUT_MINIMUM_USEC = 10_000n;
const HOST_PRIORITY_TIMEOUT_MAXIMUM_USEC = 100_000_000n;

/** EAX and EBX, or ECX and EDX, of a leaf as the TD sees it; undefined where the leaf is #VE. */
function cpuidValue(td: Td, element: number): bigint | undefined {
  const [leaf, subleaf] = CPUID_ORDER[element >> 1]!;
  const values = td.configuration?.cpuid.lookup(leaf, subleaf === NO_SUBLEAF ? 0 : subleaf);
  if (values === undefined) return undefined;
  const half = (element & 1) * 2;
  return (BigInt(values[half + 1]! >>> 0) << 32n) | BigInt(values[half]! >>> 0);
}

/** A migration TD that begins to read the key makes a new one. */
function migrationEncryptionKey(td: Td, element: number, by: Accessor): bigint {
  const key = td.migrationEncryptionKey;
  if (element === 0 && by === Accessor.SERVICE_TD) new Uint8Array(key.buffer).set(td.secrets.freshKey());
  return key[element]!;
}

export const TD_FIELDS: readonly FieldRow<Td>[] = [
  row(0x8010_0000_0000_0001n, 'FATAL', HOST_READS, (td) => (td.fatal ? 1 : 0)),
  row(0x8010_0002_0000_0002n, 'NUM_TDCX', HOST_READS, (td) => td.tdcxPages),
  row(0x8010_0003_0000_0004n, 'CHLDCNT', HOST_READS, (td) => td.childCount),
  row(0x8010_0002_0000_0005n, 'LIFECYCLE_STATE', HOST_READS, (td) => td.lifecycle),
  row(0x8010_0003_0000_0010n, 'TDCX_PA', HOST_READS, undefined, { fields: 9 }),
  row(MetadataField.TD_UUID, 'TD_UUID', ALL_READ, (td, i) => word(td.uuid, i), { elementsPerField: 4 }),
  row(0x8110_0001_0000_0001n, 'HKID', HOST_READS, (td) => td.keyId),
  row(0x8110_0003_0000_0002n, 'PKG_CONFIG_BITMAP', HOST_READS, (td) =>
    td.lifecycle === Lifecycle.HKID_ASSIGNED ? 0 : 1,
  ),
  row(0x8210_0001_0000_0000n, 'HANDOFF_VERSION', HOST_READS),
  row(0x8210_0003_0000_0001n, 'SEAMDB_INDEX', HOST_READS),
  row(0x8210_0003_0000_0002n, 'SEAMDB_NONCE', NOBODY, undefined, { elementsPerField: 4 }),
  row(MetadataField.NUM_VCPUS, 'NUM_VCPUS', HOST_AND_GUEST_READ, (td) => td.vcpus.length),
  row(0x9010_0002_0000_0002n, 'NUM_ASSOC_VCPUS', HOST_READS, (td) => td.associatedVcpus),
  row(0x9010_0002_0000_0004n, 'OP_STATE', HOST_READS, (td) => td.opState),
  row(MetadataField.NUM_L2_VMS, 'NUM_L2_VMS', ALL_READ, (td) => params(td).numL2Vms),
  row(MetadataField.ATTRIBUTES, 'ATTRIBUTES', ALL_READ, (td) => params(td).attributes),
  row(MetadataField.XFAM, 'XFAM', ALL_READ, (td) => params(td).xfam),
  row(MetadataField.MAX_VCPUS, 'MAX_VCPUS', HOST_AND_GUEST_READ, (td) => params(td).maxVcpus),
  row(MetadataField.GPAW, 'GPAW', ALL_READ, (td) => ((params(td).configFlags & ConfigFlag.GPAW) === 0n ? 0 : 1)),
  // the address of the root, which a service TD does not see, is not kept
  row(0x1110_0003_0000_0004n, 'EPTP', [READ, READ, NONE, RESERVED_EPTP_BITS], (td, _, by) =>
    by === Accessor.SERVICE_TD ? params(td).eptpControls : undefined,
  ),
  row(0x1110_0003_0000_000an, 'TSC_OFFSET', HOST_READS, (td) => BigInt.asUintN(64, -BigInt(td.tscOriginTicks))),
  row(0x1110_0003_0000_000bn, 'TSC_MULTIPLIER', HOST_READS, () => NATIVE_TSC_MULTIPLIER),
  row(MetadataField.TSC_FREQUENCY, 'TSC_FREQUENCY', HOST_AND_GUEST_READ, (td) => conf(td).params.tscFrequency25Mhz),
  row(0x1110_0003_0000_000dn, 'VIRTUAL_TSC', NOBODY),
  row(0x9110_0001_0000_000en, 'NUM_CPUID_VALUES', HOST_READS, () => CPUID_ORDER.length),
  row(0x9110_0002_0000_000fn, 'XBUFF_SIZE', HOST_READS),
  row(MetadataField.NOTIFY_ENABLES, 'NOTIFY_ENABLES', [NONE, writable(1n), NOTIFY, NONE], (td) => td.notifyEnables, {
    write(td, _, value) {
      td.notifyEnables = value;
      return Code.SUCCESS;
    },
  }),
  row(
    0x9110_0003_0000_0011n,
    'HP_LOCK_TIMEOUT',
    [READ_WRITE, READ_WRITE, NONE, NONE],
    (td) => td.hostPriorityTimeoutUsec,
    {
      write(td, _, value) {
        if (value < HOST_PRIORITY_TIMEOUT_MINIMUM_USEC || value > HOST_PRIORITY_TIMEOUT_MAXIMUM_USEC)
          return Code.METADATA_FIELD_VALUE_NOT_VALID;
        td.hostPriorityTimeoutUsec = Number(value);
        return Code.SUCCESS;
      },
      wholeWrites: true,
    },
  ),
  row(0x9110_0003_0000_0012n, 'VM_CTLS', [writable(1n), writable(1n), NONE, NONE], (td, vm) => td.vmControls[vm]!, {
    fields: 4,
    write(td, vm, value) {
      td.vmControls[vm] = Number(value);
      return Code.SUCCESS;
    },
  }),
  row(MetadataField.CONFIG_FLAGS, 'CONFIG_FLAGS', ALL_READ, (td) => params(td).configFlags),
  ...([MODULE_1_5, MODULE_2_0] as const).map((version) =>
    row(
      MetadataField.TD_CTLS,
      'TD_CTLS',
      [NONE, READ, writable(tdControlsMask(version)), NONE],
      (td) => td.controls.value,
      {
        ...(isModule20(version) ? { only20: true } : { only15: true }),
        write: (td, _, value) => valid(td.controls.write(conf(td).params, value)),
      },
    ),
  ),
  row(0x9110_0000_0000_0019n, 'TOPOLOGY_ENUM_CONFIGURED', ALL_READ, (td) => Number(td.controls.topologyConfigured), {
    only20: true,
  }),
  row(0x9110_0000_0000_001an, 'VE_REDUCTION_VALID', ALL_READ, (td) => Number(td.controls.topologyConfigured), {
    only20: true,
  }),
  row(
    0x9110_0003_0000_0022n,
    'FEATURE_PARAVIRT_CTLS',
    [NONE, READ, writable(FEATURE_PARAVIRT_MASK), NONE],
    (td) => td.controls.featureParavirt,
    { only20: true, write: (td, _, value) => valid(td.controls.writeFeatureParavirt(value)) },
  ),
  row(
    0x9110_0000_0000_0080n,
    'CPUID_VALID',
    DEBUGGER_READS,
    (td, number) => (number < CPUID_ORDER.length && cpuidValue(td, number * 2) !== undefined ? 1 : 0),
    { fields: CPUID_FIELDS },
  ),
  row(0x9110_0002_0000_0800n, 'XBUFF_OFFSETS', HOST_READS, undefined, { fields: 19 }),
  row(0x9210_0003_0000_0000n, 'TD_EPOCH', HOST_READS, (td) => td.epoch),
  row(0x9210_0001_0000_0001n, 'REFCOUNT', HOST_READS, undefined, { fields: 2 }),
  row(MetadataField.MRTD, 'MRTD', HOST_AND_GUEST_READ, (td, i) => word(conf(td).mrtd.digest, i), {
    elementsPerField: DIGEST_WORDS,
  }),
  row(MetadataField.MRCONFIGID, 'MRCONFIGID', HOST_AND_GUEST_READ, (td, i) => word(conf(td).params.mrConfigId, i), {
    elementsPerField: DIGEST_WORDS,
  }),
  row(MetadataField.MROWNER, 'MROWNER', HOST_AND_GUEST_READ, (td, i) => word(conf(td).params.mrOwner, i), {
    elementsPerField: DIGEST_WORDS,
  }),
  row(
    MetadataField.MROWNERCONFIG,
    'MROWNERCONFIG',
    HOST_AND_GUEST_READ,
    (td, i) => word(conf(td).params.mrOwnerConfig, i),
    { elementsPerField: DIGEST_WORDS },
  ),
  row(
    MetadataField.RTMR,
    'RTMR',
    [NONE, READ, READ, NONE],
    (td, i) => word(td.rtmrs[Math.floor(i / DIGEST_WORDS)]!, i % DIGEST_WORDS),
    { fields: 4, elementsPerField: DIGEST_WORDS },
  ),
  row(MetadataField.CPUID_VALUES, 'CPUID_VALUES', HOST_AND_SERVICE_TD_READ, cpuidValue, {
    fields: CPUID_ORDER.length,
    elementsPerField: 2,
    codes: CPUID_VALUE_CODES,
    canonicalCode: canonicalCpuidCode,
  }),
  row(0x9610_0003_0000_010an, 'VIRTUAL_IA32_ARCH_CAPABILITIES', DEBUGGER_READS, (td) => conf(td).archCapabilities),
  row(0x9610_0003_0000_0480n, 'VIRTUAL_IA32_VMX_BASIC', DEBUGGER_READS),
  row(0x9610_0003_0000_0485n, 'VIRTUAL_IA32_VMX_MISC', DEBUGGER_READS),
  row(0x9610_0003_0000_0486n, 'VIRTUAL_IA32_VMX_CR0_FIXED0', DEBUGGER_READS),
  row(0x9610_0003_0000_0487n, 'VIRTUAL_IA32_VMX_CR0_FIXED1', DEBUGGER_READS),
  row(0x9610_0003_0000_0488n, 'VIRTUAL_IA32_VMX_CR4_FIXED0', DEBUGGER_READS),
  row(0x9610_0003_0000_0489n, 'VIRTUAL_IA32_VMX_CR4_FIXED1', DEBUGGER_READS),
  row(0x9610_0003_0000_048bn, 'VIRTUAL_IA32_VMX_PROCBASED_CTLS2', DEBUGGER_READS),
  row(0x9610_0003_0000_048cn, 'VIRTUAL_IA32_VMX_EPT_VPID_CAP', DEBUGGER_READS),
  row(0x9610_0003_0000_048dn, 'VIRTUAL_IA32_VMX_TRUE_PINBASED_CTLS', DEBUGGER_READS),
  row(0x9610_0003_0000_048en, 'VIRTUAL_IA32_VMX_TRUE_PROCBASED_CTLS', DEBUGGER_READS),
  row(0x9610_0003_0000_048fn, 'VIRTUAL_IA32_VMX_TRUE_EXIT_CTLS', DEBUGGER_READS),
  row(0x9610_0003_0000_0490n, 'VIRTUAL_IA32_VMX_TRUE_ENTRY_CTLS', DEBUGGER_READS),
  row(0x9610_0003_0000_0491n, 'VIRTUAL_IA32_VMX_VMFUNC', DEBUGGER_READS),
  row(0x9610_0003_0000_0492n, 'VIRTUAL_IA32_VMX_PROCBASED_CTLS3', DEBUGGER_READS),
  row(0x9610_0003_0000_0493n, 'VIRTUAL_IA32_VMX_EXIT_CTLS2', DEBUGGER_READS),
  row(0x9810_0000_0000_0001n, 'MIG_DEC_KEY_SET', HOST_READS, (td) => Number(td.migrationDecryptionKeySet)),
  row(0x9810_0002_0000_0002n, 'EXPORT_COUNT', HOST_AND_SERVICE_TD_READ, zero),
  row(0x9810_0002_0000_0003n, 'IMPORT_COUNT', HOST_AND_SERVICE_TD_READ, zero),
  row(0x9810_0002_0000_0004n, 'MIG_EPOCH', HOST_READS, zero),
  row(0x9810_0003_0000_0005n, 'BW_EPOCH', HOST_READS, zero),
  row(0x9810_0003_0000_0006n, 'TOTAL_MB_COUNT', HOST_READS, zero),
  row(0x9810_0003_0000_0010n, 'MIG_DEC_KEY', [NONE, READ, NONE, READ_WRITE], (td, i) => td.migrationDecryptionKey[i]!, {
    elementsPerField: KEY_WORDS,
    write(td, i, value) {
      td.migrationDecryptionKey[i] = value;
      td.migrationDecryptionKeySet = true;
      return Code.SUCCESS;
    },
  }),
  row(0x9810_0003_0000_0014n, 'MIG_DEC_WORKING_KEY', [NONE, READ, NONE, READ], zero, { elementsPerField: KEY_WORDS }),
  row(0x9810_0003_0000_0018n, 'MIG_ENC_KEY', [NONE, READ, NONE, READ], migrationEncryptionKey, {
    elementsPerField: KEY_WORDS,
  }),
  row(0x9810_0003_0000_001cn, 'MIG_ENC_WORKING_KEY', [NONE, READ, NONE, READ], zero, { elementsPerField: KEY_WORDS }),
  row(0x9810_0001_0000_0020n, 'MIG_VERSION', [READ, READ, NONE, READ_WRITE], zero, {
    // 0 is the only version that there is
    write: (_td, _i, value) => valid(value === 0n),
  }),
  row(0x9810_0001_0000_0021n, 'MIG_WORKING_VERSION', HOST_AND_SERVICE_TD_READ, zero),
  row(0x9810_0003_0000_0030n, 'DIRTY_COUNT', HOST_READS, zero),
  row(0x9810_0003_0000_0031n, 'MIG_COUNT', HOST_READS, zero),
  row(0x9810_0001_0000_0032n, 'NUM_MIGS', HOST_READS, zero),
  row(0x9810_0002_0000_0034n, 'NUM_MIGRATED_VCPUS', HOST_READS, zero),
  row(0x9810_0003_0000_0040n, 'PRE_IMPORT_UUID', ALL_READ, zero, { elementsPerField: KEY_WORDS }),
  row(0x9910_0003_0000_0000n, 'SERVTD_HASH', ALL_READ, (td, i) => word(td.serviceTdHash, i), {
    elementsPerField: DIGEST_WORDS,
  }),
  row(0x9910_0001_0000_0006n, 'SERVTD_NUM', ALL_READ, (td) => (td.serviceTd.state === BindingState.NOT_BOUND ? 0 : 1)),
  row(0x9910_0003_0000_0080n, 'SERVTD_BINDINGS_TABLE', HOST_AND_GUEST_READ, (td, i) => word(td.serviceTd.bytes(), i), {
    elementsPerField: 16,
  }),
  row(0x9a10_0003_0000_0000n, 'MIGSC_LINKS', HOST_READS, undefined, { fields: 512 }),
  row(0x2010_0003_0000_0000n, 'MSR_BITMAPS', DEBUGGER_READS, (td, i) => msrBitmapWord(conf(td).msrs, i), {
    fields: 512,
  }),
  row(0x2110_0003_0000_0000n, 'SEPT_ROOT', DEBUGGER_READS, undefined, { fields: 512 }),
];

export const TD_TABLE = new FieldTable(TD_FIELDS);
