/** Metadata field ids: their parts, and the field they name. */

import { hex } from '../../bits/index.ts';
import { METADATA_FIELDS, type MetadataFieldFacts } from '../../seam/index.ts';
import type { Decoded } from './decoded.ts';

const CONTEXTS = ['system', 'TD', 'vCPU'] as const;
const ELEMENT_BITS = [8, 16, 32, 64] as const;
const RESERVED = 0x4080_0000_ff00_0000n | (7n << 47n);

const contextOf = (id: bigint) => Number((id >> 52n) & 7n);
const classOf = (id: bigint) => Number((id >> 56n) & 0x3fn);
const codeOf = (id: bigint) => Number(id & 0xff_ffffn);

/** Number of the element that `code` names in the row; -1 if it names none. */
function elementOf({ id, fields, elementsPerField, codes }: MetadataFieldFacts, code: number): number {
  if (codes !== undefined) return codes.indexOf(code);
  const element = code - codeOf(id);
  return element >= 0 && element < fields * elementsPerField ? element : -1;
}

/** "MRTD[5]" or "XFAM"; undefined: no field known here has this id. The module looks at context, class and code only. */
export function metadataFieldName(id: bigint): string | undefined {
  for (const row of METADATA_FIELDS) {
    if (contextOf(row.id) !== contextOf(id) || classOf(row.id) !== classOf(id)) continue;
    const element = elementOf(row, codeOf(id));
    if (element < 0) continue;
    return row.fields * row.elementsPerField === 1 ? row.name : `${row.name}[${element}]`;
  }
  return undefined;
}

export function decodeFieldId(id: bigint): Pick<Decoded, 'name' | 'parts'> | undefined {
  const context = CONTEXTS[contextOf(id)];
  // what is below 2^32 is a number of another kind
  if (context === undefined || (id & RESERVED) !== 0n || id >> 32n === 0n) return undefined;
  return {
    name: metadataFieldName(id) ?? 'a field that has no name here',
    parts: {
      context,
      class: hex(classOf(id)),
      'field code': hex(codeOf(id)),
      'element size': `${ELEMENT_BITS[Number((id >> 32n) & 3n)]} bits`,
      'last element': String((id >> 34n) & 0xfn),
      'last field': String((id >> 38n) & 0x1ffn),
      'write mask valid': ((id >> 51n) & 1n) === 1n ? 'yes' : 'no',
    },
  };
}
