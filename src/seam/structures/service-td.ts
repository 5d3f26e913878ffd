/**
 * Service TDs of a TD, and what a migration TD writes into it. Source: TDX Module 1.5 Base Architecture, "Service TDs"; module 1.5.01,
 * td_control_structures.h, service_td.h.
 */
import { DIGEST_BYTES } from '../../abi/index.ts';

export const BindingState = { NOT_BOUND: 0, PRE_BOUND: 1, BOUND: 2 } as const;
export type BindingState = (typeof BindingState)[keyof typeof BindingState];

/** Service TDs that a TD can have. */
export const SERVICE_TD_SLOTS = 1;
/** The only type there is: a migration TD. */
export const SERVICE_TD_MIGRATION = 0;
/** SERVTD_ATTR that may be set: INSTANCE_BINDING, and the parts of TDINFO_STRUCT that are to be ignored. */
export const SERVICE_TD_ATTRIBUTES = 0x07ff_0000_0001n;
export const INSTANCE_BINDING = 1n;
export const IGNORE_TDINFO_SHIFT = 32n;

const UUID_BYTES = 32;
/** SERVTD_BINDING_STRUCT: state, type, attributes, TD_UUID, hash of TDINFO_STRUCT. */
const BINDING_BYTES = 128;
const LAYOUT = { state: 0, type: 2, attributes: 8, uuid: 16, infoHash: 48 } as const;

/** A slot of SERVTD_BINDINGS_TABLE. */
export class ServiceBinding {
  state: BindingState = BindingState.NOT_BOUND;
  type = 0;
  attributes = 0n;
  readonly uuid = new Uint8Array(UUID_BYTES);
  readonly infoHash = new Uint8Array(DIGEST_BYTES);

  /** The slot is for such a service TD from now on. */
  name(type: number, attributes: bigint, infoHash: Uint8Array): void {
    this.type = type;
    this.attributes = attributes;
    this.infoHash.set(infoHash);
  }

  /** The slot becomes as another. */
  take({ state, type, attributes, uuid, infoHash }: ServiceBinding): void {
    this.name(type, attributes, infoHash);
    this.uuid.set(uuid);
    this.state = state;
  }

  /** SERVTD_BINDING_STRUCT, 128 bytes. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(BINDING_BYTES);
    const view = new DataView(bytes.buffer);
    bytes[LAYOUT.state] = this.state;
    view.setUint16(LAYOUT.type, this.type, true);
    view.setBigUint64(LAYOUT.attributes, this.attributes, true);
    bytes.set(this.uuid, LAYOUT.uuid);
    bytes.set(this.infoHash, LAYOUT.infoHash);
    return bytes;
  }

  /** What SERVTD_HASH is made over: hash, type and attributes. */
  measuredBytes(): Uint8Array {
    const bytes = new Uint8Array(DIGEST_BYTES + 2 + 8);
    const view = new DataView(bytes.buffer);
    bytes.set(this.infoHash);
    view.setUint16(DIGEST_BYTES, this.type, true);
    view.setBigUint64(DIGEST_BYTES + 2, this.attributes, true);
    return bytes;
  }
}
