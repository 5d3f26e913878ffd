/**
 * VEX forms of SSE operations: the same meaning, over each 128-bit half, where the target is no source and what lies above
 * the result becomes zero (SDM Vol. 1, "AVX Instruction Formats"). Memory operands need not be aligned.
 */
import type { Operation, Place, Sem, Val, ValType } from './sem.ts';
import { halvesOf, readZeroExtended, zeroVector } from './vector-operand.ts';

/** How a VEX form differs from the SSE form, beyond what all of them do. */
export interface VexShape {
  /** the only register source is what the SSE form's target was (shifts by an immediate) */
  readonly merges?: boolean;
  /** bytes of the source that make one half of the target, where they are fewer than 16 (conversions to wider elements) */
  readonly widensFrom?: 2 | 4 | 8;
  /** each half of the source makes the lower 8 bytes of a half of the target (conversions to narrower elements) */
  readonly narrows?: boolean;
  /** bits by which the upper half's immediate lies above the lower one's */
  readonly immediateShift?: 2 | 3 | 4;
}

const SHAPES: Record<ValType, string> = { i32: 'i32x4', i64: 'i64x2', f32: 'f32x4', f64: 'f64x2', v128: '' };

const lowLane = (b: Sem, vector: Val, type: ValType): Val => b.lane(`${SHAPES[type]}.extract_lane`, 0, vector);

const withLowLane = (b: Sem, vector: Val, value: Val): Val =>
  b.lane(`${SHAPES[value.type]}.replace_lane`, 0, vector, value);

function never(): never {
  throw new Error('broken invariant: an SSE operation uses an operand of its VEX form as it cannot be used');
}

/** A source that is a value already. */
function valuePlace(b: Sem, value: Val): Place {
  return {
    kind: 'xmm',
    width: 128,
    read: () => value,
    readLow: (type) => lowLane(b, value, type),
    write: never,
    writeLow: never,
    modify: never,
    readUpper: never,
    writeUpper: never,
  };
}

/** Stands for half of the target: reads as `first` (if nothing does, as zero), and keeps what is written until everything that can fault is over. */
class TargetHalf implements Place {
  readonly kind = 'xmm';
  readonly width = 128;
  readonly #b: Sem;
  readonly #first: Place;
  #written: Val | undefined;

  constructor(b: Sem, first: Place | undefined) {
    this.#b = b;
    this.#first = first ?? valuePlace(b, zeroVector(b));
  }
  get result(): Val {
    return this.#written ?? never();
  }
  read(): Val {
    return this.#written ?? this.#first.read();
  }
  readLow(type: ValType): Val {
    if (this.#written !== undefined) return lowLane(this.#b, this.#written, type);
    return this.#first.readLow(type);
  }
  write(value: Val): void {
    this.#written = value;
  }
  writeLow(value: Val): void {
    this.#written = withLowLane(this.#b, this.read(), value);
  }
  modify(): Val {
    return never();
  }
  readUpper(): Val {
    return never();
  }
  writeUpper(): void {
    never();
  }
}

/** Writes a vector register; without an upper half it becomes zero. */
export function writeHalves(b: Sem, target: Place, halves: readonly Val[]): void {
  target.write(halves[0]!);
  target.writeUpper(halves[1] ?? zeroVector(b));
}

/** 16 bytes from byte `from` of a vector, zeros behind its end. */
function bytesFrom(b: Sem, vector: Val, from: number): Val {
  return b.shuffle(
    vector,
    zeroVector(b),
    Array.from({ length: 16 }, (_, i) => i + from),
  );
}

const isVector = (place: Place): boolean => place.kind === 'xmm' || (place.kind === 'memory' && place.width >= 128);

/** A source as the SSE form sees it when it makes half number `half` of the target. */
type SourceHalf = (half: number) => Place;

function sourceOf(b: Sem, place: Place, halves: number, { widensFrom, immediateShift }: VexShape): SourceHalf {
  if (place.kind === 'immediate') {
    if (halves === 1 || immediateShift === undefined) return () => place;
    const immediate = b.wrap(place.read());
    return (half) => ({ ...place, read: () => b.shrU(immediate, half * immediateShift) });
  }
  if (widensFrom !== undefined && halves === 2) {
    const source = readZeroExtended(b, place);
    return (half) => valuePlace(b, half === 0 ? source : bytesFrom(b, source, widensFrom));
  }
  if (!isVector(place) || (halves === 1 && place.kind === 'xmm')) return () => place;
  const values = halvesOf(b, place);
  return (half) => valuePlace(b, values[half] ?? values[0]!);
}

/** The VEX form of an SSE operation. Its host function, if it has one, knows both forms. */
export function vex(sse: Operation, shape: VexShape = {}): Operation {
  const { emit, host } = sse;
  if (emit === undefined) return sse;
  const lifted: Operation['emit'] = (b, target, ...operands) => {
    if (target === undefined || target.kind !== 'xmm') {
      emit(b, ...(target === undefined ? [] : [target]), ...operands);
      return;
    }
    const halves = [target, ...operands].some((place) => place.width === 256) ? 2 : 1;
    const sources = operands.map((place) => sourceOf(b, place, halves, shape));
    const registers = operands.filter((place) => place.kind !== 'immediate').length;
    const merges = registers >= 2 || shape.merges === true;
    const results = Array.from({ length: halves }, (_, half) => {
      const places = sources.map((source) => source(half));
      const [first, ...rest] = places;
      const result = new TargetHalf(b, merges ? first : undefined);
      emit(b, result, ...(merges ? rest : places));
      return result.result;
    });
    if (shape.narrows === true && halves === 2) {
      const both = b.shuffle(results[0]!, results[1]!, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      writeHalves(b, target, [both]);
    } else writeHalves(b, target, results);
  };
  return host === undefined ? { ...sse, emit: lifted } : { ...sse, emit: lifted, host };
}
