/** The form of a metadata field: one row, one field or one array of fields. */
import type { CompletionCode } from '../../abi/index.ts';

/** Who asks. A host asks as DEBUG_HOST about a TD with ATTRIBUTES.DEBUG. */
export const Accessor = { HOST: 0, DEBUG_HOST: 1, GUEST: 2, SERVICE_TD: 3 } as const;
export type Accessor = (typeof Accessor)[keyof typeof Accessor];

/** As whom the host of a TD asks about it. */
export const hostOf = (td: { readonly isDebug: boolean }): Accessor =>
  td.isDebug ? Accessor.DEBUG_HOST : Accessor.HOST;

/** Bits that may be read and bits that may be written, before the size of the element cuts them. */
export interface Rights {
  readonly read: bigint;
  readonly write: bigint;
}

/** Rights of each Accessor, in that order. */
export type Access = readonly [host: Rights, debugHost: Rights, guest: Rights, serviceTd: Rights];

const ALL = 0xffff_ffff_ffff_ffffn;
export const NONE: Rights = { read: 0n, write: 0n };
export const READ: Rights = { read: ALL, write: 0n };
export const READ_WRITE: Rights = { read: ALL, write: ALL };

/** All bits may be read, those of the mask written. */
export function writable(write: bigint): Rights {
  return { read: ALL, write };
}

/** What most fields have. */
export const HOST_READS: Access = [READ, READ, NONE, NONE];
export const HOST_AND_GUEST_READ: Access = [READ, READ, READ, NONE];
export const HOST_AND_SERVICE_TD_READ: Access = [READ, READ, NONE, READ];
export const ALL_READ: Access = [READ, READ, READ, READ];
export const DEBUGGER_READS: Access = [NONE, READ, NONE, NONE];
export const DEBUGGER_WRITES: Access = [NONE, READ_WRITE, NONE, NONE];
export const NOBODY: Access = [NONE, NONE, NONE, NONE];

/** `Scope` is what the field belongs to: the module, a TD, a vCPU. */
export interface FieldRow<Scope> {
  /** of the first element, as the ABI prints it: its size, context and class are in it */
  readonly id: bigint;
  readonly name: string;
  /** fields in the array; codes run on over all elements of all fields */
  readonly fields: number;
  readonly elementsPerField: number;
  readonly access: Access;
  readonly source: string;
  /** module 2.0 has it, 1.5 does not */
  readonly only20?: boolean;
  /** module 1.5 has it so, 2.0 does not */
  readonly only15?: boolean;
  /** codes of the elements where they do not simply run on */
  readonly codes?: readonly number[];
  /** which of them a code means, where several mean the same element */
  readonly canonicalCode?: (code: number) => number;
  /** only writes of the whole element are taken */
  readonly wholeWrites?: boolean;
  /** Value of element number `element`, counted over the whole array; undefined: not readable. Without it the model does not keep the field. */
  readonly read?: (scope: Scope, element: number, by: Accessor) => bigint | number | undefined;
  /** Takes a whole new value of an element, or says why not. */
  readonly write?: (scope: Scope, element: number, value: bigint, by: Accessor) => CompletionCode;
}

/** The optional columns of a row. */
export type FieldOptions<Scope> = Partial<
  Pick<
    FieldRow<Scope>,
    'fields' | 'elementsPerField' | 'codes' | 'canonicalCode' | 'write' | 'wholeWrites' | 'only15' | 'only20'
  >
>;

/** Makes the rows of one table: all of them were learned from one source. */
export function fieldRows<Scope>(source: string) {
  return (
    id: bigint,
    name: string,
    access: Access,
    read?: FieldRow<Scope>['read'],
    options: FieldOptions<Scope> = {},
  ): FieldRow<Scope> => ({
    id,
    name,
    fields: 1,
    elementsPerField: 1,
    access,
    source,
    ...(read === undefined ? {} : { read }),
    ...options,
  });
}
