/** What a value says beside its number, by the meaning that its row gives it: an exit reason, a field id, an MSR. */

import { exitReasonName, TdAttribute } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { bitText } from '../decode/bits.ts';
import { metadataFieldName } from '../decode/field-id.ts';
import { describeMsr } from '../decode/qualification.ts';
import type { NamedRegister } from './operand-names.ts';

type Words = (low: number, high: number) => string | undefined;

const prefixed = (prefix: string, text: string | undefined) => (text === undefined ? undefined : `${prefix} ${text}`);

const byMeaning: Readonly<Record<string, Words>> = {
  'exit reason': (low) => exitReasonName(low >>> 0),
  'field id': (low, high) => prefixed('field', metadataFieldName(join64(low, high))),
  ATTRIBUTES: (low, high) => prefixed('attributes', bitText(join64(low, high), TdAttribute)),
  MSR: (low) => describeMsr(low),
};

/** Words for the registers that have some, separated by commas; '' where none has. */
export function valueWords(registers: Int32Array, names: readonly NamedRegister[]): string {
  return names
    .flatMap(
      ({ register, meaning }) => byMeaning[meaning]?.(registers[2 * register]!, registers[2 * register + 1]!) ?? [],
    )
    .join(', ');
}
