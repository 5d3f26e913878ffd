/** How generated code goes on elsewhere: at a record, or at a linear address by way of the code TLB; and how it looks into the jump cache. */
import type { Code } from '../../wasm/index.ts';
import { S } from '../state.ts';
import { P } from './handler-signature.ts';
import { JUMP_INDEX_MASK, JUMP_INDEX_SHIFT, JUMP_MIX_SHIFT, JUMP_TAG } from './jump-caches.ts';
import { ENTERED, Leave, R } from './record.ts';
import { CODE_TLB_ENTRIES } from './tlb.ts';

/** Where generated code goes on, by the local that holds it, and under what conditions. */
export interface Destination {
  /** i64: the linear address */
  readonly linear: number;
  /** i32: the instructions left */
  readonly left: number;
  /** a spent budget ends the run here */
  readonly endsBudget: boolean;
  /** writes what is done first if a record is there, with the record in a local */
  readonly before?: (record: number) => void;
}

/**
 * Goes on with a record: state, record, instructions left and TLB are on the stack, `pushRecord` pushes the record once more.
 * Only the first module holds the function table, whose copy makes a module expensive; the others pass through it.
 */
export function writeDispatch(code: Code, pushRecord: () => void): void {
  if (code.tableImport !== undefined) {
    code.returnCall(code.tableImport);
    return;
  }
  pushRecord();
  code.memory('i32.load', R.handler);
  code.returnCallIndirect(0);
}

/** Goes on at a linear address: where a record is, or where the host finds one. */
export function writeGoTo(code: Code, destination: Destination): void {
  const { linear, left, endsBudget } = destination;
  writeFollow(code, destination);
  code.get(P.state);
  code.get(linear);
  code.memory('i64.store', S.rip);
  code.get(P.state);
  code.get(left);
  code.memory('i32.store', S.remaining);
  if (endsBudget) {
    code.i32(Leave.Lookup);
    code.i32(Leave.Budget);
    code.get(left);
    code.i32(0);
    code.op('i32.gt_s');
    code.select();
  } else code.i32(Leave.Continue);
  code.return();
}

/** As `writeGoTo` if jumps may enter there, by what the code TLB and the page's table say; otherwise what is written behind it comes next. */
export function writeFollow(code: Code, { linear, left, endsBudget, before }: Destination): void {
  const entry = code.local('i32');
  const record = code.local('i32');
  writeCodeTlbTag(code, linear, entry);
  code.get(linear);
  code.i64(-4096n);
  code.op('i64.and');
  code.op('i64.eq');
  if (endsBudget) {
    code.get(left);
    code.i32(0);
    code.op('i32.gt_s');
    code.op('i32.and');
  }
  code.if(undefined, true);
  code.get(entry);
  code.memory('i32.load', 8);
  code.get(linear);
  code.op('i32.wrap_i64');
  code.i32(4095);
  code.op('i32.and');
  code.i32(2);
  code.op('i32.shl');
  code.op('i32.add');
  code.memory('i32.load', 0);
  code.tee(record);
  code.i32(ENTERED);
  code.op('i32.and');
  code.if(undefined, true);
  code.get(record);
  code.i32(ENTERED);
  code.op('i32.xor');
  code.set(record);
  before?.(record);
  writeEnter(code, linear, record, left);
  code.end();
  code.end();
}

/** Goes on with the record that is known to be at a linear address. */
export function writeEnter(code: Code, linear: number, record: number, left: number): void {
  code.get(P.state);
  code.get(linear);
  code.i64(-4096n);
  code.op('i64.and');
  code.memory('i64.store', S.codePage);
  code.get(P.state);
  code.get(record);
  code.get(left);
  code.get(P.tlb);
  writeDispatch(code, () => code.get(record));
}

/** Pushes the tag of the code TLB entry for a linear address (an i64 local), and leaves the entry's offset in `entry`. */
export function writeCodeTlbTag(code: Code, linear: number, entry: number): void {
  code.get(P.state);
  code.memory('i32.load', S.codeTlb);
  code.get(linear);
  code.op('i32.wrap_i64');
  code.i32(8);
  code.op('i32.shr_u');
  code.i32((CODE_TLB_ENTRIES - 1) << 4);
  code.op('i32.and');
  code.op('i32.add');
  code.tee(entry);
  code.memory('i64.load', 0);
}

/** Pushes the tag of the jump cache's entry for a linear address (an i64 local), and leaves the entry's offset in `entry`. */
export function writeJumpTag(code: Code, linear: number, entry: number): void {
  code.get(P.state);
  code.memory('i32.load', S.jumpCache);
  code.get(linear);
  code.op('i32.wrap_i64');
  code.tee(entry);
  code.get(entry);
  code.i32(JUMP_MIX_SHIFT);
  code.op('i32.shr_u');
  code.op('i32.xor');
  code.i32(JUMP_INDEX_SHIFT);
  code.op('i32.shl');
  code.i32(JUMP_INDEX_MASK);
  code.op('i32.and');
  code.op('i32.add');
  code.tee(entry);
  code.memory('i64.load', JUMP_TAG);
}
