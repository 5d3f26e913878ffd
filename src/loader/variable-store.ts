/**
 * Variables in a firmware's volume of them. Source: UEFI PI 1.7, vol. 3, "Firmware Volume Header"; EDK2, MdeModulePkg
 * Include/Guid/VariableFormat.h.
 */
import { guidAt } from './guid.ts';

export interface FirmwareVariable {
  readonly vendor: string;
  readonly name: string;
  readonly data: Uint8Array;
}

const VOLUME_SIGNATURE = 0x4856_465f; // "_FVH"
const VOLUME_SIGNATURE_AT = 0x28;
const VOLUME_HEADER_LENGTH_AT = 0x30;
const AUTHENTICATED_STORE = 'aaf32c78-947b-439a-a180-2e144ec37792';
const STORE_HEADER_BYTES = 28;
const VARIABLE_START = 0x55aa;
const VARIABLE_HEADER_BYTES = 60;
/** not deleted, nor being deleted */
const ADDED = 0x3f;
const ALIGNMENT = 4;

/** undefined: this is no volume of authenticated variables. */
export function readVariables(volume: Uint8Array): FirmwareVariable[] | undefined {
  const view = new DataView(volume.buffer, volume.byteOffset, volume.length);
  if (volume.length < VOLUME_HEADER_LENGTH_AT + 2 || view.getUint32(VOLUME_SIGNATURE_AT, true) !== VOLUME_SIGNATURE)
    return undefined;
  const store = view.getUint16(VOLUME_HEADER_LENGTH_AT, true);
  if (store + STORE_HEADER_BYTES > volume.length || guidAt(volume, store) !== AUTHENTICATED_STORE) return undefined;
  const end = Math.min(volume.length, store + view.getUint32(store + 16, true));
  const variables: FirmwareVariable[] = [];
  let at = store + STORE_HEADER_BYTES;
  while (at + VARIABLE_HEADER_BYTES <= end && view.getUint16(at, true) === VARIABLE_START) {
    const nameBytes = view.getUint32(at + 36, true);
    const dataBytes = view.getUint32(at + 40, true);
    const name = at + VARIABLE_HEADER_BYTES;
    const data = name + nameBytes;
    if (data + dataBytes > end) break;
    if (volume[at + 2] === ADDED)
      variables.push({
        vendor: guidAt(volume, at + 44),
        name: new TextDecoder('utf-16le').decode(volume.subarray(name, data)).replace(/\0+$/, ''),
        data: volume.slice(data, data + dataBytes),
      });
    at = Math.ceil((data + dataBytes) / ALIGNMENT) * ALIGNMENT;
  }
  return variables;
}
