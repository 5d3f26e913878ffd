/** Assembles function bodies into the bytes of a WebAssembly module. */
import type { Code } from './code.ts';
import { TYPE_CODE, type WasmType } from './opcodes.ts';

export interface Signature {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  /** type index of an imported function */
  readonly type: number;
}

export interface ModuleParts {
  /** what profilers call it */
  readonly name?: string;
  readonly types: readonly Signature[];
  readonly imports: readonly ModuleImport[];
  /** imports a memory of any size as env.memory, and a function table as env.table when true */
  readonly table: boolean;
  /** indices of the table at which an instance puts the functions, in their order; the module needs `table` */
  readonly places?: readonly number[];
  /** which functions are exported, each under its number; default: all */
  readonly exported?: readonly number[];
  /** type index and body of each function */
  readonly functions: readonly { readonly type: number; readonly code: Code }[];
}

class Bytes {
  data = new Uint8Array(4096);
  length = 0;

  #room(more: number): void {
    if (this.length + more <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + more));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }

  byte(...values: number[]): void {
    this.#room(values.length);
    for (const value of values) this.data[this.length++] = value;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 128) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed number that is not negative. */
  signed(value: number): void {
    let rest = value;
    for (; rest >= 64; rest >>= 7) this.byte((rest & 127) | 128);
    this.byte(rest);
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  name(text: string): void {
    const bytes = Array.from(text, (character) => character.charCodeAt(0));
    this.unsigned(bytes.length);
    this.byte(...bytes);
  }

  section(id: number, body: Bytes): void {
    this.byte(id);
    this.unsigned(body.length);
    this.append(body.data.subarray(0, body.length));
  }
}

/** The module's bytes, with a branch hint section when any function carries hints. */
export function encodeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.byte(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

  const types = new Bytes();
  types.unsigned(parts.types.length);
  for (const type of parts.types) {
    types.byte(0x60);
    types.unsigned(type.parameters.length);
    types.byte(...type.parameters.map((t) => TYPE_CODE[t]));
    types.unsigned(type.results.length);
    types.byte(...type.results.map((t) => TYPE_CODE[t]));
  }
  out.section(1, types);

  const imports = new Bytes();
  imports.unsigned(parts.imports.length + 1 + (parts.table ? 1 : 0));
  for (const entry of parts.imports) {
    imports.name(entry.module);
    imports.name(entry.name);
    imports.byte(0);
    imports.unsigned(entry.type);
  }
  imports.name('env');
  imports.name('memory');
  imports.byte(2, 1, 1);
  imports.unsigned(65536);
  if (parts.table) {
    imports.name('env');
    imports.name('table');
    imports.byte(1, 0x70, 0, 0);
  }
  out.section(2, imports);

  const functions = new Bytes();
  functions.unsigned(parts.functions.length);
  for (const each of parts.functions) functions.unsigned(each.type);
  out.section(3, functions);

  const exports = new Bytes();
  const exported = parts.exported ?? [...parts.functions.keys()];
  exports.unsigned(exported.length);
  for (const i of exported) {
    exports.name(String(i));
    exports.byte(0);
    exports.unsigned(parts.imports.length + i);
  }
  out.section(7, exports);
  if (parts.places !== undefined) out.section(9, elementsOf(parts.places, parts.imports.length));

  const hints = new Bytes();
  let hinted = 0;
  const code = new Bytes();
  code.unsigned(parts.functions.length);
  parts.functions.forEach((each, index) => {
    const locals = new Bytes();
    const groups: [number, number][] = [];
    for (const type of each.code.locals) {
      const last = groups.at(-1);
      if (last !== undefined && last[1] === TYPE_CODE[type]) last[0]++;
      else groups.push([1, TYPE_CODE[type]]);
    }
    locals.unsigned(groups.length);
    for (const [count, type] of groups) {
      locals.unsigned(count);
      locals.byte(type);
    }
    const size = locals.length + each.code.length + 1;
    code.unsigned(size);
    code.append(locals.data.subarray(0, locals.length));
    code.append(each.code.bytes.subarray(0, each.code.length));
    code.byte(0x0b);
    if (each.code.hints.length > 0) {
      hinted++;
      hints.unsigned(parts.imports.length + index);
      hints.unsigned(each.code.hints.length);
      for (const hint of each.code.hints) {
        hints.unsigned(locals.length + hint.at);
        hints.byte(1, hint.likely ? 1 : 0);
      }
    }
  });
  if (hinted > 0) {
    const section = new Bytes();
    section.name('metadata.code.branch_hint');
    section.unsigned(hinted);
    section.append(hints.data.subarray(0, hints.length));
    out.section(0, section);
  }
  out.section(10, code);
  if (parts.name !== undefined) {
    const name = new Bytes();
    name.name(parts.name);
    const section = new Bytes();
    section.name('name');
    section.section(0, name);
    out.section(0, section);
  }
  return out.data.slice(0, out.length);
}

/** Functions with consecutive places share a segment. */
function elementsOf(places: readonly number[], firstFunction: number): Bytes {
  const starts = places.flatMap((place, i) => (i > 0 && places[i - 1] === place - 1 ? [] : [i]));
  const elements = new Bytes();
  elements.unsigned(starts.length);
  for (const [segment, start] of starts.entries()) {
    const end = starts[segment + 1] ?? places.length;
    elements.byte(0, 0x41); // active, table 0, at i32.const
    elements.signed(places[start]!);
    elements.byte(0x0b);
    elements.unsigned(end - start);
    for (let i = start; i < end; i++) elements.unsigned(firstFunction + i);
  }
  return elements;
}
