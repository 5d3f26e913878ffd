/**
 * The state of an object as a tree of values, for snapshots. One walk serves both directions: the same lines name a value, give it
 * away, and take it back. Public fields are found by themselves, so that a new one cannot be forgotten; private ones are named.
 */

export type NumericArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array | BigUint64Array;

export type StateValue =
  | number
  | boolean
  | bigint
  | string
  | undefined
  | NumericArray
  | readonly StateValue[]
  | { readonly [name: string]: StateValue };

export type StateTree = { [name: string]: StateValue };

/** What a snapshot holds does not fit the object it is for, or an object cannot be kept in one. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/** An object whose private fields take part in snapshots. */
export interface Stateful {
  visitState(state: StateVisitor): void;
}

export interface StateVisitor {
  /** true: values come from a snapshot; false: they go into one */
  readonly restoring: boolean;
  /** Gives `value` away and returns it, or returns what the snapshot has in its place. */
  number(name: string, value: number): number;
  flag(name: string, value: boolean): boolean;
  big(name: string, value: bigint): bigint;
  /** The contents of an array whose length does not change. */
  array(name: string, array: NumericArray): void;
  /** Numbers, as many as there are. */
  numbers(name: string, values: readonly number[]): number[];
  /** An object with private fields, under a name of its own. */
  part(name: string, part: Stateful): void;
  /** Every public field of an object but those named: numbers, flags, bigints, arrays, maps of numbers, and objects of such. */
  fields(name: string, object: object, except?: readonly string[]): void;
  /** A list of objects; when restoring, `count` is what the snapshot has. */
  list(name: string, count: number, visit: (item: StateVisitor, index: number) => void): void;
}

const isNumericArray = (value: unknown): value is NumericArray => ArrayBuffer.isView(value);

/** Collects copies. */
export class StateWriter implements StateVisitor {
  readonly restoring = false;
  readonly tree: StateTree = {};

  number(name: string, value: number): number {
    this.#put(name, value);
    return value;
  }

  flag(name: string, value: boolean): boolean {
    this.#put(name, value);
    return value;
  }

  big(name: string, value: bigint): bigint {
    this.#put(name, value);
    return value;
  }

  array(name: string, array: NumericArray): void {
    this.#put(name, array.slice());
  }

  numbers(name: string, values: readonly number[]): number[] {
    this.#put(name, Float64Array.from(values));
    return values as number[];
  }

  part(name: string, part: Stateful): void {
    const writer = new StateWriter();
    part.visitState(writer);
    this.#put(name, writer.tree);
  }

  fields(name: string, object: object, except: readonly string[] = []): void {
    this.#put(name, fieldsOf(object, except, name));
  }

  list(name: string, count: number, visit: (item: StateVisitor, index: number) => void): void {
    const items: StateTree[] = [];
    for (let index = 0; index < count; index++) {
      const writer = new StateWriter();
      visit(writer, index);
      items.push(writer.tree);
    }
    this.#put(name, items);
  }

  #put(name: string, value: StateValue): void {
    if (Object.hasOwn(this.tree, name)) throw new SnapshotError(`two values are called ${name}`);
    this.tree[name] = value;
  }
}

/** Gives values back. Throws a SnapshotError that names what is missing or does not fit. */
export class StateReader implements StateVisitor {
  readonly restoring = true;
  readonly #tree: StateTree;
  readonly #path: string;

  constructor(tree: StateTree, path = 'the snapshot') {
    this.#tree = tree;
    this.#path = path;
  }

  number(name: string, _value: number): number {
    return this.#take(name, (value) => typeof value === 'number') as number;
  }

  flag(name: string, _value: boolean): boolean {
    return this.#take(name, (value) => typeof value === 'boolean') as boolean;
  }

  big(name: string, _value: bigint): bigint {
    return this.#take(name, (value) => typeof value === 'bigint') as bigint;
  }

  array(name: string, array: NumericArray): void {
    const saved = this.#take(name, isNumericArray) as NumericArray;
    copyInto(array, saved, `${this.#path}, ${name}`);
  }

  numbers(name: string, _values: readonly number[]): number[] {
    return [...(this.#take(name, (value) => value instanceof Float64Array) as Float64Array)];
  }

  part(name: string, part: Stateful): void {
    part.visitState(this.#inside(name));
  }

  fields(name: string, object: object, except: readonly string[] = []): void {
    setFields(object, this.#take(name, isTree) as StateTree, except, `${this.#path}, ${name}`);
  }

  list(name: string, _count: number, visit: (item: StateVisitor, index: number) => void): void {
    const items = this.#take(name, Array.isArray) as StateTree[];
    for (const [index, item] of items.entries()) visit(new StateReader(item, `${this.#path}, ${name} ${index}`), index);
  }

  #inside(name: string): StateReader {
    return new StateReader(this.#take(name, isTree) as StateTree, `${this.#path}, ${name}`);
  }

  #take(name: string, fits: (value: StateValue) => boolean): StateValue {
    const value = this.#tree[name];
    if (!Object.hasOwn(this.#tree, name) || !fits(value))
      throw new SnapshotError(`${this.#path} has no ${name} that this version understands`);
    return value;
  }
}

function isTree(value: unknown): value is StateTree {
  return typeof value === 'object' && value !== null && !isNumericArray(value) && !Array.isArray(value);
}

function copyInto(array: NumericArray, saved: NumericArray, where: string): void {
  if (saved.length !== array.length || saved.BYTES_PER_ELEMENT !== array.BYTES_PER_ELEMENT)
    throw new SnapshotError(`${where} has ${saved.length} elements in place of ${array.length}`);
  (array as Uint8Array).set(saved as Uint8Array);
}

function fieldsOf(object: object, except: readonly string[], where: string): StateTree {
  const tree: StateTree = {};
  for (const [name, value] of Object.entries(object)) {
    if (except.includes(name)) continue;
    tree[name] = savedValue(value, `${where}.${name}`);
  }
  return tree;
}

/** A copy of a field's value. Throws for kinds that a snapshot cannot keep: whoever adds such a field has to say what becomes of it. */
function savedValue(value: unknown, where: string): StateValue {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'string':
    case 'undefined':
      return value;
    case 'object':
      if (isNumericArray(value)) return value.slice();
      if (Array.isArray(value)) return value.map((one, i) => savedValue(one, `${where}[${i}]`));
      if (value instanceof Map) return Float64Array.from([...(value as Map<number, number>)].flat());
      if (value !== null) return fieldsOf(value, [], where);
      break;
  }
  throw new SnapshotError(`${where} is nothing that a snapshot can keep`);
}

function setFields(object: object, tree: StateTree, except: readonly string[], where: string): void {
  const target = object as Record<string, unknown>;
  const names = Object.keys(object).filter((name) => !except.includes(name));
  if (names.length !== Object.keys(tree).length || !names.every((name) => Object.hasOwn(tree, name)))
    throw new SnapshotError(`${where} has other fields than this version knows`);
  for (const name of names) {
    const old = target[name];
    const saved = tree[name];
    const place = `${where}.${name}`;
    if (isNumericArray(old) && isNumericArray(saved)) copyInto(old, saved, place);
    else if (old instanceof Map) setMap(old as Map<number, number>, saved as Float64Array);
    else if (Array.isArray(old)) setArray(old, saved as readonly StateValue[], place);
    else if (isTree(old)) setFields(old, saved as StateTree, [], place);
    else target[name] = saved;
  }
}

function setMap(map: Map<number, number>, saved: Float64Array): void {
  map.clear();
  for (let i = 0; i < saved.length; i += 2) map.set(saved[i]!, saved[i + 1]!);
}

/** Elements that are objects stay the objects they are. */
function setArray(array: unknown[], saved: readonly StateValue[], where: string): void {
  if (array.length !== saved.length && array.some((one) => typeof one === 'object'))
    throw new SnapshotError(`${where} has ${saved.length} elements in place of ${array.length}`);
  array.length = saved.length;
  saved.forEach((one, i) => {
    const old = array[i];
    if (isNumericArray(old) && isNumericArray(one)) copyInto(old, one, `${where}[${i}]`);
    else if (isTree(old)) setFields(old, one as StateTree, [], `${where}[${i}]`);
    else array[i] = one;
  });
}
