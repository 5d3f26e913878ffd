/** What a debugger can look at. Two kinds exist: what a debug TD allows its host, and what only this bench can see. */
import type { SecureEptStep } from '../../seam/index.ts';
import { type LinearWalk, walkLinear } from '../linear-walk.ts';
import type { RowView } from './registers.ts';

const PAGE_BYTES = 4096;

export interface DebugTarget {
  /** one line for whoever connects: what is seen, and who could see it */
  readonly banner: string;
  /** sees and does what no host could: going back is of that kind */
  readonly isBench: boolean;
  /** the TD can be stopped at an instruction or an access, and after a step */
  readonly canStop: boolean;
  /** why the last access was refused, in words, where somebody gave a reason */
  readonly refusal: string | undefined;
  /** the state of a vCPU, by its index */
  rows(vcpu: number): RowView;
  /** Guest physical memory within one page, shared bit included; undefined where this target may not or cannot read. */
  readPhysical(gpa: bigint, length: number): Uint8Array | undefined;
  /** Writes within one page; false where that may not or cannot be. */
  writePhysical(gpa: bigint, bytes: Uint8Array): boolean;
  /** The Secure EPT entries towards a private address, from the top. */
  secureEptWalk(gpa: number): readonly SecureEptStep[];
}

const bigOf = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
};

/** A row as a number; undefined where the target may not see it. */
export function rowValue(target: DebugTarget, vcpu: number, row: string): bigint | undefined {
  const bytes = target.rows(vcpu).read(row);
  return bytes === undefined ? undefined : bigOf(bytes);
}

/** The walk of a vCPU's page tables for a linear address; registers that the target may not see read as 0. */
export function walkOf(target: DebugTarget, vcpu: number, linear: bigint): LinearWalk {
  const [cr0 = 0n, cr3 = 0n, cr4 = 0n, efer = 0n] = ['CR0', 'CR3', 'CR4', 'EFER'].map((row) =>
    rowValue(target, vcpu, row),
  );
  const readEntry = (gpa: bigint, bytes: number): bigint | undefined => {
    const entry = target.readPhysical(gpa, bytes);
    return entry === undefined ? undefined : bigOf(entry);
  };
  return walkLinear({ cr0, cr3, cr4, efer }, linear, readEntry);
}

/** Guest physical address of a linear one by the page tables of a vCPU; undefined where nothing is mapped. */
export function physicalOf(target: DebugTarget, vcpu: number, linear: bigint): bigint | undefined {
  if (rowValue(target, vcpu, 'CR0') === undefined) return undefined;
  return walkOf(target, vcpu, linear).gpa;
}

/** Parts of [linear, linear + length), each within one page: offset in the range, and length. */
function* pageParts(linear: bigint, length: number): Generator<[offset: number, length: number]> {
  for (let offset = 0; offset < length; ) {
    const left = PAGE_BYTES - Number((linear + BigInt(offset)) & 0xfffn);
    const part = Math.min(left, length - offset);
    yield [offset, part];
    offset += part;
  }
}

const wrapped = (linear: bigint): bigint => BigInt.asUintN(64, linear);

/** Guest memory by linear address: the bytes up to the first that cannot be read. */
export function readLinear(target: DebugTarget, vcpu: number, linear: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, part] of pageParts(linear, length)) {
    const gpa = physicalOf(target, vcpu, wrapped(linear + BigInt(offset)));
    const read = gpa === undefined ? undefined : target.readPhysical(gpa, part);
    if (read === undefined) return bytes.subarray(0, offset);
    bytes.set(read, offset);
  }
  return bytes;
}

/** Writes guest memory by linear address, whatever the rights of its pages; false, perhaps half-way, where that cannot be. */
export function writeLinear(target: DebugTarget, vcpu: number, linear: bigint, bytes: Uint8Array): boolean {
  for (const [offset, part] of pageParts(linear, bytes.length)) {
    const gpa = physicalOf(target, vcpu, wrapped(linear + BigInt(offset)));
    if (gpa === undefined || !target.writePhysical(gpa, bytes.subarray(offset, offset + part))) return false;
  }
  return true;
}
