/** Values as .debug_info and the headers of line tables hold them: a form says how (DWARF 5, "Attribute Encodings"). */
import { LoadError } from '../../loader/index.ts';
import { DebugBytes } from './debug-bytes.ts';
import type { DebugSections } from './debug-sections.ts';

/** What the reader of a form must know of the unit around it. */
export interface FormContext {
  readonly sections: DebugSections;
  readonly version: number;
  readonly offsetBytes: 4 | 8;
  readonly addressBytes: number;
}

/** A text or a number; undefined for what no line table needs. */
export type FormValue = string | number | undefined;

type ReadForm = (bytes: DebugBytes, context: FormContext) => FormValue;

const skipped =
  (lengthBytes: number): ReadForm =>
  (bytes) => {
    bytes.skip(lengthBytes);
    return undefined;
  };
const block =
  (lengthOf: (bytes: DebugBytes) => number): ReadForm =>
  (bytes) => {
    bytes.skip(lengthOf(bytes));
    return undefined;
  };
const textIn =
  (section: keyof DebugSections): ReadForm =>
  (bytes, { sections, offsetBytes }) =>
    new DebugBytes(sections[section], bytes.offset(offsetBytes)).text();
const offset: ReadForm = (bytes, { offsetBytes }) => bytes.offset(offsetBytes);
const uleb: ReadForm = (bytes) => bytes.uleb();
const u8: ReadForm = (bytes) => bytes.u8();
const u16: ReadForm = (bytes) => bytes.u16();
const u32: ReadForm = (bytes) => bytes.u32();
const u64: ReadForm = (bytes) => Number(bytes.u64());

const FORMS: Readonly<Record<number, ReadForm>> = {
  1: (bytes, { addressBytes }) => bytes.skip(addressBytes) as undefined, // addr
  3: block((bytes) => bytes.u16()), // block2
  4: block((bytes) => bytes.u32()), // block4
  5: u16, // data2
  6: u32, // data4
  7: u64, // data8
  8: (bytes) => bytes.text(), // string
  9: block((bytes) => bytes.uleb()), // block
  10: block((bytes) => bytes.u8()), // block1
  11: u8, // data1
  12: u8, // flag
  13: (bytes) => bytes.sleb(), // sdata
  14: textIn('.debug_str'), // strp
  15: uleb, // udata
  // ref_addr: an address until version 2
  16: (bytes, context) => (context.version <= 2 ? bytes.offset(context.addressBytes) : offset(bytes, context)),
  17: u8, // ref1
  18: u16, // ref2
  19: u32, // ref4
  20: u64, // ref8
  21: uleb, // ref_udata
  23: offset, // sec_offset
  24: block((bytes) => bytes.uleb()), // exprloc
  25: () => undefined, // flag_present
  26: skippedUleb, // strx
  27: skippedUleb, // addrx
  28: skipped(4), // ref_sup4
  29: offset, // strp_sup
  30: skipped(16), // data16
  31: textIn('.debug_line_str'), // line_strp
  32: u64, // ref_sig8
  33: () => undefined, // implicit_const: its value is in the abbreviation
  34: skippedUleb, // loclistx
  35: skippedUleb, // rnglistx
  36: skipped(8), // ref_sup8
  37: skipped(1), // strx1
  38: skipped(2), // strx2
  39: skipped(3), // strx3
  40: skipped(4), // strx4
  41: skipped(1), // addrx1
  42: skipped(2), // addrx2
  43: skipped(3), // addrx3
  44: skipped(4), // addrx4
};

/** implicit_const, whose value stands in the abbreviation and not with the entry. */
export const FORM_IMPLICIT_CONST = 33;

function skippedUleb(bytes: DebugBytes): undefined {
  bytes.uleb();
  return undefined;
}

/** Throws a LoadError for a form that is none. */
export function readForm(form: number, bytes: DebugBytes, context: FormContext): FormValue {
  const read = FORMS[form];
  if (read === undefined) throw new LoadError(`debug information has a value of the unknown form ${form}`);
  return read(bytes, context);
}
