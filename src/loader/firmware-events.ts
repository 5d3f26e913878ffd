/**
 * What firmware for TDs measures into RTMRs, as far as its image says; the rest with who decides it. Source: Intel TDX Virtual Firmware
 * Design Guide, "TD Measurement"; the order and what each digest is of were learned from EDK2 (OvmfPkg IntelTdx, TdTcg2Dxe) and dstack-mr.
 */
import { sha384 } from '../digest/index.ts';
import { EventType } from './event-log.ts';
import { guidBytes } from './guid.ts';
import { tdHob } from './td-hob.ts';
import { type TdvfSection, TdvfSectionType } from './tdvf.ts';
import { type FirmwareVariable, readVariables } from './variable-store.ts';

/** A digest that an event may have. */
export interface PossibleDigest {
  readonly digest: Uint8Array;
  /** when it has this one */
  readonly text: string;
}

export interface FirmwareEvent {
  readonly rtmr: number;
  readonly type: number;
  /** what is measured */
  readonly name: string;
  /** the variable that it is about; it tells events of one type apart */
  readonly variable?: string;
  /** none: it depends on something that is not in the image */
  readonly digests: readonly PossibleDigest[];
  /** who decides what is measured, where there are no digests */
  readonly decidedBy?: string;
}

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const IMAGE_SECURITY = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const SECURE_BOOT = 'SecureBoot';
const POLICY: readonly (readonly [name: string, vendor: string])[] = [
  [SECURE_BOOT, GLOBAL],
  ['PK', GLOBAL],
  ['KEK', GLOBAL],
  ['db', IMAGE_SECURITY],
  ['dbx', IMAGE_SECURITY],
];
const ACTIONS_BEFORE_SEPARATOR = ['Calling EFI Application from Boot Option'];
const ACTIONS_AFTER = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'];
const HOST = 'the host';
const GUEST = 'the guest';

const ascii = (text: string) => new TextEncoder().encode(text);
const mib = (bytes: number) => `${bytes / 2 ** 20} MiB`;

/** In the order in which they happen; what is optional in some firmware, or happens more than once, is one row. */
export function firmwareEvents(sections: readonly TdvfSection[], memoryBytes: number): FirmwareEvent[] {
  const hob = tdHob(sections, memoryBytes);
  const cfv = sections.find(({ type }) => type === TdvfSectionType.CFV)?.content;
  const one = (rtmr: number, type: number, name: string, measured: Uint8Array, text = ''): FirmwareEvent => ({
    rtmr,
    type,
    name,
    digests: [{ digest: sha384([measured]), text }],
  });
  const open = (rtmr: number, type: number, name: string, decidedBy: string): FirmwareEvent => ({
    rtmr,
    type,
    name,
    digests: [],
    decidedBy,
  });
  const action = (text: string) => one(1, EventType.EFI_ACTION, text, ascii(text));
  const separator = (rtmr: number) => one(rtmr, EventType.SEPARATOR, 'separator', new Uint8Array(4));
  return [
    ...(hob
      ? [one(0, EventType.EFI_HANDOFF_TABLES2, 'TD HOB', hob, `of ${mib(memoryBytes)} as QEMU lays them out`)]
      : []),
    ...(cfv ? [one(0, EventType.EFI_PLATFORM_FIRMWARE_BLOB2, 'CFV', cfv)] : []),
    ...POLICY.map(([name, vendor]) => policyEvent(name, vendor, cfv && readVariables(cfv))),
    separator(0),
    open(0, EventType.PLATFORM_CONFIG_FLAGS, 'ACPI tables and other files of fw_cfg', HOST),
    open(0, EventType.EFI_VARIABLE_BOOT, 'BootOrder, Boot0000 ...', 'the host and the firmware'),
    open(1, EventType.EFI_BOOT_SERVICES_APPLICATION, 'boot loaders and kernel', GUEST),
    ...ACTIONS_BEFORE_SEPARATOR.map(action),
    separator(1),
    ...ACTIONS_AFTER.map(action),
    open(2, EventType.IPL, 'command line, initramfs, what boot loaders measure', GUEST),
  ];
}

/** Variables of secure boot; without a store that we can read they may be anything. */
function policyEvent(name: string, vendor: string, store: readonly FirmwareVariable[] | undefined): FirmwareEvent {
  const find = (wanted: string, by: string) => store?.find((each) => each.name === wanted && each.vendor === by);
  const possible = (data: Uint8Array, text: string): PossibleDigest => ({
    digest: sha384([variableData(name, vendor, data)]),
    text,
  });
  const event = { rtmr: 0, type: EventType.EFI_VARIABLE_DRIVER_CONFIG, name: `variable ${name}`, variable: name };
  if (store === undefined) return { ...event, digests: [], decidedBy: 'a variable store that is none of EDK2' };
  // firmware makes this one itself: it is on where there is a platform key
  if (name === SECURE_BOOT)
    return {
      ...event,
      digests: [
        possible(new Uint8Array(), 'built without secure boot'),
        possible(Uint8Array.of(find('PK', GLOBAL) === undefined ? 0 : 1), 'built with it'),
      ],
    };
  const data = find(name, vendor)?.data;
  return { ...event, digests: [possible(data ?? new Uint8Array(), data ? `${data.length} bytes` : 'not there')] };
}

/** UEFI_VARIABLE_DATA. Source: TCG PC Client Platform Firmware Profile 1.05, "Measuring UEFI Variables". */
function variableData(name: string, vendor: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(32 + 2 * name.length + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set(guidBytes(vendor));
  view.setBigUint64(16, BigInt(name.length), true);
  view.setBigUint64(24, BigInt(data.length), true);
  for (let i = 0; i < name.length; i++) view.setUint16(32 + 2 * i, name.charCodeAt(i), true);
  bytes.set(data, 32 + 2 * name.length);
  return bytes;
}
