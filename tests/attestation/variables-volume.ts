/** A firmware volume of authenticated variables, as an empty or enrolled OVMF_VARS.fd is one. */
import assert from 'node:assert/strict';
import { type FirmwareVariable, readVariables } from '../../src/loader/variable-store.ts';

const VOLUME_BYTES = 0x2000;
const VOLUME_HEADER_BYTES = 0x48;
const STORE_HEADER_BYTES = 28;
const VARIABLE_HEADER_BYTES = 60;

/** Groups of a GUID as they lie in memory. */
const guid = (text: string) => {
  const [a, b, c, d, e] = text.split('-').map((group) => Buffer.from(group, 'hex'));
  return Buffer.concat([a!.reverse(), b!.reverse(), c!.reverse(), d!, e!]);
};

export function variablesVolume(variables: readonly FirmwareVariable[]): Uint8Array {
  const volume = new Uint8Array(VOLUME_BYTES).fill(0xff);
  const view = new DataView(volume.buffer);
  volume.fill(0, 0, VOLUME_HEADER_BYTES + STORE_HEADER_BYTES);
  volume.set(Buffer.from('_FVH'), 0x28);
  view.setUint16(0x30, VOLUME_HEADER_BYTES, true);
  volume.set(guid('aaf32c78-947b-439a-a180-2e144ec37792'), VOLUME_HEADER_BYTES);
  view.setUint32(VOLUME_HEADER_BYTES + 16, VOLUME_BYTES - VOLUME_HEADER_BYTES, true);
  let at = VOLUME_HEADER_BYTES + STORE_HEADER_BYTES;
  const put = ({ vendor, name, data }: FirmwareVariable, state: number) => {
    const text = Buffer.from(`${name}\0`, 'utf16le');
    volume.fill(0, at, at + VARIABLE_HEADER_BYTES);
    view.setUint16(at, 0x55aa, true);
    volume[at + 2] = state;
    view.setUint32(at + 36, text.length, true);
    view.setUint32(at + 40, data.length, true);
    volume.set(guid(vendor), at + 44);
    volume.set(text, at + VARIABLE_HEADER_BYTES);
    volume.set(data, at + VARIABLE_HEADER_BYTES + text.length);
    at += Math.ceil((VARIABLE_HEADER_BYTES + text.length + data.length) / 4) * 4;
  };
  for (const variable of variables) {
    put({ ...variable, data: new Uint8Array(5) }, 0x3c); // an older value, deleted
    put(variable, 0x3f);
  }
  return volume;
}

export function readVariablesVolume(volume: Uint8Array): readonly FirmwareVariable[] {
  const variables = readVariables(volume);
  assert.ok(variables !== undefined);
  return variables;
}
