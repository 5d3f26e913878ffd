/** Metadata of a TD and of its vCPUs as its host gets it: TDH.MNG.RD, TDH.VP.RD, TDH.VP.WR, and what the module says when it refuses. */
import { type CompletionStatus, describeCompletionStatus, Gpr, TdhLeaf } from '../../abi/index.ts';
import { METADATA_FIELDS } from '../../seam/index.ts';
import type { TdHost } from '../../vmm/index.ts';
import { metadataFieldName } from '../decode/field-id.ts';

/** An answer of the module: a value, or why there is none. */
export type HostAnswer = { readonly value: bigint } | { readonly refusal: string };

const Context = { TD: 1, VCPU: 2 } as const;
/** of the codes of a field's neighbours */
const INCREMENT_OF_TWO = 1n << 50n;
const contextOf = (id: bigint): number => Number((id >> 52n) & 7n);

/** A field of a TD or of a vCPU, or one element of an array of them. */
export interface HostField {
  readonly id: bigint;
  /** as the ABI has it: "Guest RIP", "MRTD[5]" */
  readonly name: string;
}

/** By its name in the ABI; undefined: no such field, or no such element. */
export function hostField(text: string): HostField | undefined {
  const [, wanted = '', digits] = /^(.*?)(?:\[(\d+)\])?$/.exec(text.toLowerCase()) ?? [];
  const row = METADATA_FIELDS.find(({ id, name }) => name.toLowerCase() === wanted && contextOf(id) !== 0);
  if (row === undefined || digits === undefined) return row;
  const id = row.id + BigInt(Number(digits) * ((row.id & INCREMENT_OF_TWO) === 0n ? 1 : 2));
  const name = `${row.name}[${digits}]`;
  return metadataFieldName(id) === name ? { id, name } : undefined;
}

/** @param vcpu whose field it is, where it belongs to a vCPU */
export function readHostField(host: TdHost, { id, name }: HostField, vcpu: number): HostAnswer {
  const isOfTd = contextOf(id) === Context.TD;
  const leaf = isOfTd ? TdhLeaf.MNG_RD : TdhLeaf.VP_RD;
  const rcx = isOfTd ? host.tdrHpa : host.vcpus[vcpu]!.tdvprHpa;
  const status = host.seamcalls.try(leaf, { rcx, rdx: id });
  const refusal = refusalOf(isOfTd ? 'TDH.MNG.RD' : 'TDH.VP.RD', name, status);
  return refusal === undefined ? { value: host.seamcalls.registers.u64[Gpr.R8]! } : { refusal };
}

/** Writes all bits that the module lets a host write. Returns why not; undefined: written. */
export function writeVcpuField(host: TdHost, { id, name }: HostField, vcpu: number, value: bigint): string | undefined {
  const { tdvprHpa } = host.vcpus[vcpu]!;
  const all = 0xffff_ffff_ffff_ffffn;
  const status = host.seamcalls.try(TdhLeaf.VP_WR, { rcx: tdvprHpa, rdx: id, r8: value, r9: all });
  return refusalOf('TDH.VP.WR', name, status);
}

/** "TDH.MEM.RD of GPA 0x1000: TDX_TD_NON_DEBUG"; undefined: success. */
export function refusalOf(leaf: string, what: string, status: CompletionStatus): string | undefined {
  return status === 0n ? undefined : `${leaf} of ${what}: ${describeCompletionStatus(status)}`;
}
