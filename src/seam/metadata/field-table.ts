/** Metadata fields by id: look-up, masks, iteration. Source: TDX module 1.5 source, metadata_generic.c, metadata_td.c, metadata_vp.c. */
import { CompletionCode as Code, type CompletionCode, isModule20, type ModuleVersion } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { ALL_ONES, codeStride, elementBytes, fieldKey, isNullId, keyOf, withCode } from './field-id.ts';
import type { Accessor, FieldRow } from './field-row.ts';

const TWO_32 = 0x1_0000_0000;

/** Where a 64-bit value is left, in halves. */
export class FieldValue {
  low = 0;
  high = 0;

  set(value: bigint | number): void {
    if (typeof value === 'number') {
      this.low = value | 0;
      this.high = Math.floor(value / TWO_32) | 0;
    } else {
      this.low = Number(BigInt.asIntN(32, value));
      this.high = Number(BigInt.asIntN(32, value >> 32n));
    }
  }

  get big(): bigint {
    return join64(this.low, this.high);
  }
}

/** A row and what follows from its id. */
class Entry<Scope> {
  readonly row: FieldRow<Scope>;
  /** code of the first element, and key (class and code) of it */
  readonly firstCode: number;
  readonly firstKey: number;
  readonly endKey: number;
  readonly stride: number;
  readonly elements: number;
  readonly sizeMask: bigint;
  readonly largest: number;
  readonly readMasks: readonly bigint[];
  readonly writeMasks: readonly bigint[];
  readonly #sparse: ReadonlyMap<number, number> | undefined;

  constructor(row: FieldRow<Scope>) {
    this.row = row;
    this.stride = codeStride(row.id);
    this.elements = row.fields * row.elementsPerField;
    this.firstCode = Number(row.id & 0xff_ffffn);
    this.firstKey = keyOf(this.firstCode, Number(row.id >> 32n));
    const lastCode = row.codes === undefined ? this.firstCode + (this.elements - 1) * this.stride : 0xff_ffff;
    this.endKey = this.firstKey + lastCode - this.firstCode + 1;
    this.sizeMask = (1n << BigInt(8 * elementBytes(row.id))) - 1n;
    this.largest = Number(this.sizeMask);
    this.readMasks = row.access.map(({ read }) => read & this.sizeMask);
    this.writeMasks = row.access.map(({ write }) => write & this.sizeMask);
    this.#sparse = row.codes === undefined ? undefined : new Map(row.codes.map((code, element) => [code, element]));
  }

  /** Number of the element with this key, -1 if there is none. */
  elementOf(key: number): number {
    const offset = key - this.firstKey;
    if (this.#sparse !== undefined) {
      const code = offset + this.firstCode;
      return this.#sparse.get(this.row.canonicalCode?.(code) ?? code) ?? -1;
    }
    return offset % this.stride === 0 ? offset / this.stride : -1;
  }

  codeOf(element: number): number {
    return this.row.codes?.[element] ?? this.firstCode + element * this.stride;
  }

  /** Id of an element as the row has it. */
  idOf(element: number): bigint {
    return withCode(this.row.id, this.row.id, this.codeOf(element));
  }
}

/** A place in a table while fields are gone through. */
export interface FieldCursor<Scope> {
  readonly row: FieldRow<Scope>;
  /** of its first element */
  readonly element: number;
  readonly id: bigint;
}

/** In order of their keys: all rows, and those that either module has. */
interface Entries<Scope> {
  readonly all: readonly Entry<Scope>[];
  readonly of15: readonly Entry<Scope>[];
  readonly of20: readonly Entry<Scope>[];
}

export class FieldTable<Scope> {
  readonly rows: readonly FieldRow<Scope>[];
  #made: Entries<Scope> | undefined;

  constructor(rows: readonly FieldRow<Scope>[]) {
    this.rows = rows;
  }

  /** Made when a field is first asked for: a start asks for the system's, and for none of a vCPU's. */
  get #sorted(): Entries<Scope> {
    this.#made ??= sortedEntries(this.rows);
    return this.#made;
  }

  /** Reads one element into `out`, which is 0 on any error. `low` and `high` are the id asked for. */
  read(version: ModuleVersion, scope: Scope, by: Accessor, low: number, high: number, out: FieldValue): CompletionCode {
    out.low = out.high = 0;
    const key = fieldKey(low, high);
    const entry = this.#find(version, key);
    const element = entry?.elementOf(key) ?? -1;
    if (entry === undefined || element < 0) return Code.METADATA_FIELD_ID_INCORRECT;
    const value = this.#readable(entry, scope, element, by);
    if (value === undefined) return Code.METADATA_FIELD_NOT_READABLE;
    out.set(value);
    return Code.SUCCESS;
  }

  /** Writes the bits of `mask` of one element; the value before is left in `old`, which is 0 on any error. */
  write(
    version: ModuleVersion,
    scope: Scope,
    by: Accessor,
    low: number,
    high: number,
    value: bigint,
    mask: bigint,
    old: FieldValue,
  ): CompletionCode {
    old.low = old.high = 0;
    const key = fieldKey(low, high);
    const entry = this.#find(version, key);
    const element = entry?.elementOf(key) ?? -1;
    if (entry === undefined || element < 0) return Code.METADATA_FIELD_ID_INCORRECT;
    const { row, sizeMask } = entry;
    const allowed = entry.writeMasks[by]!;
    const written = allowed & mask;
    if (written === 0n || row.write === undefined) return Code.METADATA_FIELD_NOT_WRITABLE;
    const before = BigInt(row.read?.(scope, element, by) ?? 0) & sizeMask;
    if (((before ^ value) & mask & ~allowed) !== 0n) return Code.METADATA_FIELD_VALUE_NOT_VALID;
    if (row.wholeWrites === true && written !== sizeMask) return Code.METADATA_WR_MASK_NOT_VALID;
    const code = row.write(scope, element, (before & ~written) | (value & written), by);
    if (code === Code.SUCCESS) old.set(before & entry.readMasks[by]!);
    return code;
  }

  /** Id of the element after the one asked for that `by` may read (write: may write); all ones after the last. */
  nextElement(version: ModuleVersion, by: Accessor, low: number, high: number, write = false): bigint {
    const entries = this.#entries(version);
    let index = -1;
    if (!isNullId(low, high)) {
      const key = fieldKey(low, high);
      const entry = this.#find(version, key)!;
      const next = entry.elementOf(key) + 1;
      if (next < entry.elements) return withCode(join64(low, high), entry.row.id, entry.codeOf(next));
      index = entries.indexOf(entry);
    }
    return this.#nextEntry(entries, index, by, write)?.idOf(0) ?? ALL_ONES;
  }

  /** The field that begins at an id, for a list: the size must be the row's. All ones: the first that `by` may read. */
  fieldAt(version: ModuleVersion, by: Accessor, low: number, high: number): FieldCursor<Scope> | undefined {
    if (isNullId(low, high)) return cursorAt(this.#nextEntry(this.#entries(version), -1, by, false));
    const key = keyOf(low, high);
    const entry = this.#find(version, key);
    const element = entry?.elementOf(key) ?? -1;
    if (entry === undefined || element < 0 || element % entry.row.elementsPerField !== 0) return undefined;
    if (((entry.row.id >> 32n) & 3n) !== BigInt(high & 3)) return undefined;
    return { row: entry.row, element, id: entry.idOf(element) };
  }

  /** The field after this one that `by` may read. */
  fieldAfter(version: ModuleVersion, by: Accessor, cursor: FieldCursor<Scope>): FieldCursor<Scope> | undefined {
    const entries = this.#entries(version);
    const index = entries.findIndex(({ row }) => row === cursor.row);
    const entry = entries[index]!;
    const element = cursor.element + cursor.row.elementsPerField;
    if (element < entry.elements && entry.readMasks[by] !== 0n)
      return { row: cursor.row, element, id: entry.idOf(element) };
    return cursorAt(this.#nextEntry(entries, index, by, false));
  }

  /** The elements of a field, for a list; undefined: `by` may not read it. */
  readField(scope: Scope, by: Accessor, cursor: FieldCursor<Scope>): readonly bigint[] | undefined {
    const entry = this.#sorted.all.find(({ row }) => row === cursor.row)!;
    const values = Array.from({ length: cursor.row.elementsPerField }, (_, i) =>
      this.#readable(entry, scope, cursor.element + i, by),
    );
    return values.includes(undefined) ? undefined : values.map((value) => BigInt(value!));
  }

  #readable(entry: Entry<Scope>, scope: Scope, element: number, by: Accessor): bigint | number | undefined {
    const mask = entry.readMasks[by]!;
    if (mask === 0n) return undefined;
    const value = entry.row.read?.(scope, element, by);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value <= entry.largest && mask === entry.sizeMask) return value;
    return BigInt(value) & mask;
  }

  #entries(version: ModuleVersion): readonly Entry<Scope>[] {
    return isModule20(version) ? this.#sorted.of20 : this.#sorted.of15;
  }

  #find(version: ModuleVersion, key: number): Entry<Scope> | undefined {
    const entries = this.#entries(version);
    let from = 0;
    let to = entries.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (entries[middle]!.firstKey <= key) from = middle + 1;
      else to = middle;
    }
    const entry = entries[from - 1];
    return entry !== undefined && key < entry.endKey ? entry : undefined;
  }

  #nextEntry(entries: readonly Entry<Scope>[], after: number, by: Accessor, write: boolean): Entry<Scope> | undefined {
    for (let index = after + 1; index < entries.length; index++) {
      const entry = entries[index]!;
      if ((write ? entry.writeMasks : entry.readMasks)[by] !== 0n) return entry;
    }
    return undefined;
  }
}

function cursorAt<Scope>(entry: Entry<Scope> | undefined): FieldCursor<Scope> | undefined {
  return entry === undefined ? undefined : { row: entry.row, element: 0, id: entry.idOf(0) };
}

function sortedEntries<Scope>(rows: readonly FieldRow<Scope>[]): Entries<Scope> {
  const all = rows.map((row) => new Entry(row)).sort((a, b) => a.firstKey - b.firstKey);
  return {
    all,
    of15: all.filter(({ row }) => row.only20 !== true),
    of20: all.filter(({ row }) => row.only15 !== true),
  };
}
