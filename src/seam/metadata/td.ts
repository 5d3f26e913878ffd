/** TD-scope metadata. Source: TDX Module 1.5 ABI Definition, "TD-Scope Metadata". */
import { ConfigFlag, MetadataField, TdControl } from '../../abi/index.ts';
import type { Td, TdConfiguration } from '../structures/td.ts';
import { ALL_ONES, fieldKey } from './field-id.ts';

export interface TdFieldRow {
  readonly id: bigint;
  readonly name: string;
  readonly elements: number;
  /** may the host read it although the TD is not debuggable */
  readonly hostReadable: boolean;
  readonly read: (td: Td, configuration: TdConfiguration, element: number) => bigint;
  /** bits the guest may write; 0: none */
  readonly guestWriteMask: bigint;
  /** Returns false if the value is not valid. */
  readonly write?: (td: Td, configuration: TdConfiguration, value: bigint) => boolean;
}

/** The 64-bit word `element` of a byte string. */
function word(bytes: Uint8Array, element: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(element * 8, true);
}

const readOnly = { guestWriteMask: 0n } as const;
const DIGEST_WORDS = 6;

export const TD_FIELDS: readonly TdFieldRow[] = [
  {
    id: MetadataField.TD_UUID,
    name: 'TD_UUID',
    elements: 4,
    hostReadable: true,
    read: (td, _, i) => word(td.uuid, i),
    ...readOnly,
  },
  {
    id: MetadataField.NUM_VCPUS,
    name: 'NUM_VCPUS',
    elements: 1,
    hostReadable: true,
    read: (td) => BigInt(td.vcpus.length),
    ...readOnly,
  },
  {
    id: MetadataField.NUM_L2_VMS,
    name: 'NUM_L2_VMS',
    elements: 1,
    hostReadable: true,
    read: (_, c) => BigInt(c.params.numL2Vms),
    ...readOnly,
  },
  {
    id: MetadataField.ATTRIBUTES,
    name: 'ATTRIBUTES',
    elements: 1,
    hostReadable: true,
    read: (_, c) => c.params.attributes,
    ...readOnly,
  },
  { id: MetadataField.XFAM, name: 'XFAM', elements: 1, hostReadable: true, read: (_, c) => c.params.xfam, ...readOnly },
  {
    id: MetadataField.MAX_VCPUS,
    name: 'MAX_VCPUS',
    elements: 1,
    hostReadable: true,
    read: (_, c) => BigInt(c.params.maxVcpus),
    ...readOnly,
  },
  {
    id: MetadataField.GPAW,
    name: 'GPAW',
    elements: 1,
    hostReadable: true,
    read: (_, c) => (c.gpaw === 52 ? 1n : 0n),
    ...readOnly,
  },
  {
    id: MetadataField.TSC_FREQUENCY,
    name: 'TSC_FREQUENCY',
    elements: 1,
    hostReadable: true,
    read: (_, c) => BigInt(c.params.tscFrequency25Mhz),
    ...readOnly,
  },
  {
    id: MetadataField.NOTIFY_ENABLES,
    name: 'NOTIFY_ENABLES',
    elements: 1,
    hostReadable: false,
    read: (td) => td.notifyEnables,
    guestWriteMask: 1n,
    write: (td, _, value) => {
      td.notifyEnables = value;
      return true;
    },
  },
  {
    id: MetadataField.CONFIG_FLAGS,
    name: 'CONFIG_FLAGS',
    elements: 1,
    hostReadable: true,
    read: (_, c) => c.params.configFlags,
    ...readOnly,
  },
  {
    id: MetadataField.TD_CTLS,
    name: 'TD_CTLS',
    elements: 1,
    hostReadable: true,
    guestWriteMask: TdControl.PENDING_VE_DISABLE,
    read: (td) => (td.pendingVeDisable ? TdControl.PENDING_VE_DISABLE : 0n),
    write: (td, c, value) => {
      const disable = (value & TdControl.PENDING_VE_DISABLE) !== 0n;
      if (disable !== td.pendingVeDisable && (c.params.configFlags & ConfigFlag.FLEXIBLE_PENDING_VE) === 0n)
        return false;
      td.pendingVeDisable = disable;
      return true;
    },
  },
  {
    id: MetadataField.MRTD,
    name: 'MRTD',
    elements: DIGEST_WORDS,
    hostReadable: true,
    read: (_, { mrtd }, i) => word(mrtd.digest, i),
    ...readOnly,
  },
  {
    id: MetadataField.MRCONFIGID,
    name: 'MRCONFIGID',
    elements: DIGEST_WORDS,
    hostReadable: true,
    read: (_, c, i) => word(c.params.mrConfigId, i),
    ...readOnly,
  },
  {
    id: MetadataField.MROWNER,
    name: 'MROWNER',
    elements: DIGEST_WORDS,
    hostReadable: true,
    read: (_, c, i) => word(c.params.mrOwner, i),
    ...readOnly,
  },
  {
    id: MetadataField.MROWNERCONFIG,
    name: 'MROWNERCONFIG',
    elements: DIGEST_WORDS,
    hostReadable: true,
    read: (_, c, i) => word(c.params.mrOwnerConfig, i),
    ...readOnly,
  },
  {
    id: MetadataField.RTMR,
    name: 'RTMR',
    elements: 4 * DIGEST_WORDS,
    hostReadable: false,
    read: (td, _, i) => word(td.rtmrs[Math.floor(i / DIGEST_WORDS)]!, i % DIGEST_WORDS),
    ...readOnly,
  },
];

interface TdFieldElement {
  readonly row: TdFieldRow;
  readonly element: number;
}

const ELEMENTS: ReadonlyMap<number, TdFieldElement> = new Map(
  TD_FIELDS.flatMap((row) =>
    Array.from({ length: row.elements }, (_, element) => [fieldKey(row.id) + element, { row, element }] as const),
  ),
);

/** The field and element an id names; undefined: no such field. */
export function findTdField(id: bigint): TdFieldElement | undefined {
  return ELEMENTS.get(fieldKey(id));
}

/** Id of the element after this one, in ascending order; all ones after the last. */
export function nextTdField(id: bigint): bigint {
  const index = id === ALL_ONES ? 0 : ORDERED_KEYS.indexOf(fieldKey(id)) + 1;
  const next = ORDERED_KEYS[index];
  if (next === undefined) return ALL_ONES;
  const { row, element } = ELEMENTS.get(next)!;
  return row.id + BigInt(element);
}

const ORDERED_KEYS = [...ELEMENTS.keys()].sort((a, b) => a - b);
