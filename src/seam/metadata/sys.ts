/** System-scope metadata. Source: TDX Module 1.5 ABI Definition, "Global System Metadata". */
import { MetadataField } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { TDCS_PAGES, TDVPS_PAGES } from '../structures/td.ts';
import { ALL_ONES, fieldKey } from './field-id.ts';

export const MODULE_VERSION = { vendorId: 0x8086, major: 1, minor: 5 } as const;

/** TDX_FEATURES0: 18 NO_RBP_MOD. Migration, service TDs and partitioning are not announced because they are not there. */
const TDX_FEATURES0 = 1n << 18n;

const FIELDS: readonly (readonly [id: bigint, value: bigint])[] = [
  [MetadataField.VENDOR_ID, BigInt(MODULE_VERSION.vendorId)],
  [MetadataField.MINOR_VERSION, BigInt(MODULE_VERSION.minor)],
  [MetadataField.MAJOR_VERSION, BigInt(MODULE_VERSION.major)],
  [MetadataField.TDX_FEATURES0, TDX_FEATURES0],
  [MetadataField.TDCS_BASE_SIZE, BigInt(TDCS_PAGES * PAGE_SIZE_BYTES)],
  [MetadataField.TDVPS_BASE_SIZE, BigInt(TDVPS_PAGES * PAGE_SIZE_BYTES)],
];
const VALUES: ReadonlyMap<number, bigint> = new Map(FIELDS.map(([id, value]) => [fieldKey(id), value]));
const ORDERED = FIELDS.map(([id]) => id).sort((a, b) => fieldKey(a) - fieldKey(b));

/** undefined: no such field. */
export function readSystemField(id: bigint): bigint | undefined {
  return VALUES.get(fieldKey(id));
}

/** Id of the field after this one; the first for all ones, all ones after the last. */
export function nextSystemField(id: bigint): bigint {
  const key = id === ALL_ONES ? -1 : fieldKey(id);
  return ORDERED.find((other) => fieldKey(other) > key) ?? ALL_ONES;
}
