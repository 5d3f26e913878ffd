/** Structures in memory that hold register contents: declared once, and everything that must agree with them is derived. */
import { type Assembler, type Memory, mem, type Register, r } from '../../src/isa/index.ts';

/** General registers of 64 bits that a structure can hold, by the names the assembler has for them. */
export type RegisterName =
  | 'rcx'
  | 'rdx'
  | 'rbx'
  | 'rsi'
  | 'rdi'
  | 'r8'
  | 'r9'
  | 'r10'
  | 'r11'
  | 'r12'
  | 'r13'
  | 'r14'
  | 'r15';

const FIELD_BYTES = 8;

export interface RegisterStructure<Name extends RegisterName = RegisterName> {
  readonly names: readonly Name[];
  readonly sizeBytes: number;
  offsetOf(name: Name): number;
  /** The structure's bytes: fields that are not given are zero. */
  pack(values: Partial<Record<Name, bigint>>): Uint8Array;
  unpack(bytes: Uint8Array): Record<Name, bigint>;
}

/** Fields of 64 bits in the given order, without gaps. */
export function registerStructure<Name extends RegisterName>(...names: Name[]): RegisterStructure<Name> {
  const offsetOf = (name: Name) => FIELD_BYTES * names.indexOf(name);
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    names,
    sizeBytes: FIELD_BYTES * names.length,
    offsetOf,
    pack(values) {
      const bytes = new Uint8Array(FIELD_BYTES * names.length);
      for (const name of names) view(bytes).setBigUint64(offsetOf(name), BigInt.asUintN(64, values[name] ?? 0n), true);
      return bytes;
    },
    unpack(bytes) {
      const entries = names.map((name) => [name, view(bytes).getBigUint64(offsetOf(name), true)]);
      return Object.fromEntries(entries) as Record<Name, bigint>;
    },
  };
}

/** Emits a load of every field into its register; `base` holds the structure's address and must not be one of them. */
export function loadAll<Name extends RegisterName>(
  a: Assembler,
  structure: RegisterStructure<Name>,
  base: Register,
): void {
  forEachField(structure, base, (register, field) => a.mov(register, field));
}

/** Emits a store of every register into its field. */
export function storeAll<Name extends RegisterName>(
  a: Assembler,
  structure: RegisterStructure<Name>,
  base: Register,
): void {
  forEachField(structure, base, (register, field) => a.mov(field, register));
}

function forEachField<Name extends RegisterName>(
  structure: RegisterStructure<Name>,
  base: Register,
  emit: (register: Register, field: Memory) => void,
): void {
  if (structure.names.some((name) => name === base.name))
    throw new Error(`${base.name} holds the structure's address and is one of its fields`);
  for (const name of structure.names) emit(r[name], mem(base, structure.offsetOf(name)));
}
