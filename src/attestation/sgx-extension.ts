/**
 * The extension that makes a certificate a PCK certificate: which platform, at which security version.
 * Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, "SGX Extensions".
 */
import {
  type BaseBlock,
  Enumerated,
  fromBER,
  Integer,
  ObjectIdentifier,
  OctetString,
  Sequence,
  type ValueBlock,
} from 'asn1js';

const SGX = '1.2.840.113741.1.13.1';
export const SGX_EXTENSION_OID = SGX;
const Oid = { ppid: `${SGX}.1`, tcb: `${SGX}.2`, pceId: `${SGX}.3`, fmspc: `${SGX}.4`, sgxType: `${SGX}.5` } as const;
const SVN_COUNT = 16;
const PCE_SVN_INDEX = 17;
const CPU_SVN_INDEX = 18;
const SGX_TYPE_STANDARD = 0;

export interface SgxExtension {
  /** 16 bytes */
  readonly ppid: Uint8Array;
  /** SVN of each of the 16 components */
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
  /** 16 bytes */
  readonly cpuSvn: Uint8Array;
  /** 2 bytes */
  readonly pceId: Uint8Array;
  /** 6 bytes: family, model, stepping and the like */
  readonly fmspc: Uint8Array;
}

/** The extension's value. */
export function encodeSgxExtension(extension: SgxExtension): Sequence {
  const tcb = [
    ...extension.componentSvns.map((svn, index) => pair(`${Oid.tcb}.${index + 1}`, new Integer({ value: svn }))),
    pair(`${Oid.tcb}.${PCE_SVN_INDEX}`, new Integer({ value: extension.pceSvn })),
    pair(`${Oid.tcb}.${CPU_SVN_INDEX}`, octets(extension.cpuSvn)),
  ];
  return new Sequence({
    value: [
      pair(Oid.ppid, octets(extension.ppid)),
      pair(Oid.tcb, new Sequence({ value: tcb })),
      pair(Oid.pceId, octets(extension.pceId)),
      pair(Oid.fmspc, octets(extension.fmspc)),
      pair(Oid.sgxType, new Enumerated({ value: SGX_TYPE_STANDARD })),
    ],
  });
}

/** undefined where the bytes are no such extension. */
export function decodeSgxExtension(der: Uint8Array): SgxExtension | undefined {
  const fields = pairs(fromBER(der).result);
  const tcb = pairs(fields.get(Oid.tcb));
  const integer = (oid: string): number | undefined => {
    const value = tcb.get(oid);
    return value instanceof Integer ? value.valueBlock.valueDec : undefined;
  };
  const bytes = (value: unknown): Uint8Array | undefined =>
    value instanceof OctetString ? value.valueBlock.valueHexView.slice() : undefined;
  const componentSvns = Array.from({ length: SVN_COUNT }, (_, index) => integer(`${Oid.tcb}.${index + 1}`));
  const pceSvn = integer(`${Oid.tcb}.${PCE_SVN_INDEX}`);
  const cpuSvn = bytes(tcb.get(`${Oid.tcb}.${CPU_SVN_INDEX}`));
  const [ppid, pceId, fmspc] = [Oid.ppid, Oid.pceId, Oid.fmspc].map((oid) => bytes(fields.get(oid)));
  if (pceSvn === undefined || cpuSvn === undefined || ppid === undefined || pceId === undefined || fmspc === undefined)
    return undefined;
  if (!componentSvns.every((svn) => svn !== undefined)) return undefined;
  return { ppid, componentSvns, pceSvn, cpuSvn, pceId, fmspc };
}

function pair(oid: string, value: BaseBlock<ValueBlock>): Sequence {
  return new Sequence({ value: [new ObjectIdentifier({ value: oid }), value] });
}

function octets(bytes: Uint8Array): OctetString {
  return new OctetString({ valueHex: bytes.slice().buffer as ArrayBuffer });
}

/** A sequence of pairs of object identifier and value. */
function pairs(block: unknown): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  if (!(block instanceof Sequence)) return found;
  for (const item of block.valueBlock.value) {
    if (!(item instanceof Sequence)) continue;
    const [oid, value] = item.valueBlock.value;
    if (oid instanceof ObjectIdentifier) found.set(oid.valueBlock.toString(), value);
  }
  return found;
}
