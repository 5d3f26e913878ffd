/** System-scope metadata. Source: TDX Module 1.5 ABI Definition, "Global System Metadata". */
import { MetadataField, type ModuleVersion } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { TDCS_PAGES, TDVPS_PAGES } from '../structures/td.ts';
import { ALL_ONES, fieldKey } from './field-id.ts';

export const VENDOR_ID = 0x8086;

/** TDX_FEATURES0: 18 NO_RBP_MOD. Migration, service TDs and partitioning are not announced because they are not there. */
const TDX_FEATURES0 = 1n << 18n;

const FIELDS: readonly (readonly [id: bigint, value: (version: ModuleVersion) => bigint])[] = [
  [MetadataField.VENDOR_ID, () => BigInt(VENDOR_ID)],
  [MetadataField.MINOR_VERSION, ({ minor }) => BigInt(minor)],
  [MetadataField.MAJOR_VERSION, ({ major }) => BigInt(major)],
  [MetadataField.TDX_FEATURES0, () => TDX_FEATURES0],
  [MetadataField.TDCS_BASE_SIZE, () => BigInt(TDCS_PAGES * PAGE_SIZE_BYTES)],
  [MetadataField.TDVPS_BASE_SIZE, () => BigInt(TDVPS_PAGES * PAGE_SIZE_BYTES)],
];
const VALUES = new Map(FIELDS.map(([id, value]) => [fieldKey(id), value]));
const ORDERED = FIELDS.map(([id]) => id).sort((a, b) => fieldKey(a) - fieldKey(b));

/** undefined: no such field. */
export function readSystemField(version: ModuleVersion, id: bigint): bigint | undefined {
  return VALUES.get(fieldKey(id))?.(version);
}

/** Id of the field after this one; the first for all ones, all ones after the last. */
export function nextSystemField(id: bigint): bigint {
  const key = id === ALL_ONES ? -1 : fieldKey(id);
  return ORDERED.find((other) => fieldKey(other) > key) ?? ALL_ONES;
}
