/** Operands of vector instructions: alignment of 128-bit memory, MMX forms, and the small constants the lanes need. */
import type { HostOperation } from '../processor.ts';
import type { Operation, Place, Sem, Val } from './sem.ts';

const GENERAL_PROTECTION = 13;

/** #GP(0) unless the linear address is a multiple of the operand's size (SDM Vol. 2A, "Exception Conditions of Legacy SIMD Instructions"). */
export function alignedAddress(b: Sem, place: Place): Val {
  const address = b.linear(place);
  b.if(b.and(b.wrap(address), b.i32(place.width / 8 - 1)), () => b.raise(GENERAL_PROTECTION, 0));
  return address;
}

/** The whole register, or 16 bytes of memory that must be aligned. Smaller memory operands have no alignment. */
export function readAligned(b: Sem, place: Place): Val {
  return place.kind === 'memory' && place.width === 128 ? b.load(128, alignedAddress(b, place)) : place.read();
}

export function writeAligned(b: Sem, place: Place, value: Val): void {
  if (place.kind === 'memory') b.store(128, alignedAddress(b, place), value);
  else place.write(value);
}

export const zeroVector = (b: Sem): Val => b.v128(new Array<number>(16).fill(0));

/** The halves of a vector operand, lower first: one for each 128 bits of its width. Memory need not be aligned. */
export function halvesOf(b: Sem, place: Place): readonly Val[] {
  if (place.width !== 256) return [place.read()];
  return place.kind === 'memory' ? b.loadPair(b.linear(place)) : [place.read(), place.readUpper()];
}

/** 16 bytes from 8, 4, 2 or 1 equal-sized lanes, lowest first; each lane may be negative. */
export function lanes(b: Sem, laneBytes: 1 | 2 | 4 | 8, values: readonly (number | bigint)[]): Val {
  const bytes = values.flatMap((value) =>
    Array.from({ length: laneBytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)),
  );
  return b.v128(bytes);
}

/** The same lane in all places. */
export function splat(b: Sem, laneBytes: 1 | 2 | 4 | 8, value: number | bigint): Val {
  return lanes(b, laneBytes, Array<number | bigint>(16 / laneBytes).fill(value));
}

/** 0, 1, 2 ... in lanes of the given size. */
export function ramp(b: Sem, laneBytes: 1 | 2 | 4 | 8): Val {
  return lanes(
    b,
    laneBytes,
    Array.from({ length: 16 / laneBytes }, (_, i) => i),
  );
}

/** A register, or 2 to 8 bytes of memory (whatever the operand's width) zero-extended to a vector. */
export function readZeroExtended(b: Sem, place: Place): Val {
  if (place.kind === 'xmm' || place.width === 128) return place.read();
  const zero = splat(b, 8, 0);
  const value = place.read();
  return b.lane(value.type === 'i64' ? 'i64x2.replace_lane' : 'i32x4.replace_lane', 0, zero, value);
}

export type VectorEmit = (b: Sem, ...operands: Place[]) => void;

/** An operation on XMM registers; its MMX forms, where it has some, are the host's. */
export function vector(emit: VectorEmit, host?: HostOperation): Operation {
  return host === undefined
    ? { emit }
    : {
        emit: (b, ...operands) =>
          operands.some((place) => place.kind === 'other') ? b.deferToHost() : emit(b, ...operands),
        host,
      };
}
