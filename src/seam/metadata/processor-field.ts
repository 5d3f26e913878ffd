/** Metadata that lies in the processor's state: readers and writers by row offset. */
import { CompletionCode as Code } from '../../abi/index.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import type { FieldRow } from './field-row.ts';

type Read = NonNullable<FieldRow<Vcpu>['read']>;
type Write = NonNullable<FieldRow<Vcpu>['write']>;

/** An array of 8-byte rows that begins at `offset`. */
export function register(offset: number): Read {
  return ({ cpu }, element) => cpu.state.big(offset + element * 8);
}

/** A 4-byte row. */
export function half(offset: number): Read {
  return ({ cpu }) => cpu.state.low(offset) >>> 0;
}

export function writeRegister(offset: number): Write {
  return ({ cpu }, element, value) => {
    cpu.state.setBig(offset + element * 8, value);
    return Code.SUCCESS;
  };
}
