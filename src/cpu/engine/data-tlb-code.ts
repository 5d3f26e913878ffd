/** How generated code finds guest memory: the check of the data TLB, which stands before each access. */
import type { Code } from '../../wasm/index.ts';
import { P } from './handler-signature.ts';
import { ADDEND, DATA_INDEX_MASK, DATA_INDEX_MIX_SHIFT, DATA_INDEX_SHIFT } from './tlb.ts';

/** Opens an `if` for a TLB hit of the whole access, with its host address on the stack; `else` is a miss. `entry` is an i32 local to use. */
export function writeTlbCheck(code: Code, linear: number, bytes: number, tagOffset: number, entry: number): void {
  writeEntryTag(code, linear, tagOffset, entry);
  writeLastPage(code, linear, bytes);
  code.op('i64.eq');
  code.if(undefined, true);
  writeHostAddress(code, linear, entry, ADDEND);
}

/** Pushes `dataEntryOffset` of a linear address. @param scratch an i32 local */
export function writeDataEntryOffset(code: Code, linear: number, scratch: number): void {
  code.get(linear);
  code.op('i32.wrap_i64');
  code.tee(scratch);
  code.get(scratch);
  code.i32(DATA_INDEX_MIX_SHIFT);
  code.op('i32.shr_u');
  code.op('i32.xor');
  code.i32(DATA_INDEX_SHIFT);
  code.op('i32.shr_u');
  code.i32(DATA_INDEX_MASK);
  code.op('i32.and');
}

/** Pushes the tag of the TLB entry for a linear address, and leaves the entry's offset in `entry`. */
export function writeEntryTag(code: Code, linear: number, tagOffset: number, entry: number): void {
  code.get(P.tlb);
  writeDataEntryOffset(code, linear, entry);
  code.op('i32.add');
  code.tee(entry);
  code.memory('i64.load', tagOffset);
}

/** Pushes the page of an access's last byte: as a tag, it makes what crosses a page a miss. */
export function writeLastPage(code: Code, linear: number, bytes: number): void {
  code.get(linear);
  if (bytes > 1) {
    code.i64(BigInt(bytes - 1));
    code.op('i64.add');
  }
  code.i64(-4096n);
  code.op('i64.and');
}

/** Pushes the host address of a linear one, whose addend is at `offset` from what the local `entry` holds. */
export function writeHostAddress(code: Code, linear: number, entry: number, offset: number): void {
  code.get(linear);
  code.op('i32.wrap_i64');
  code.get(entry);
  code.memory('i32.load', offset);
  code.op('i32.add');
}
