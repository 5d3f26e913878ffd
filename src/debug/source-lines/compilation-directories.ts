/** Where each compilation ran: before DWARF 5 only .debug_info says it (DWARF 4, "Compilation Unit Entries"). */
import { FORM_IMPLICIT_CONST, type FormContext, type FormValue, readForm } from './attribute-forms.ts';
import { DebugBytes } from './debug-bytes.ts';
import type { DebugSections } from './debug-sections.ts';

const Attribute = { StatementList: 0x10, CompilationDirectory: 0x1b } as const;
const UnitType = { Type: 2, Skeleton: 4, SplitCompile: 5, SplitType: 6 } as const;
/** Bytes of the header that these have beyond the usual ones; of a type unit an offset follows too. */
const SIGNATURE_BYTES = 8;

/** Directory by the offset of the line table in .debug_line. Throws a LoadError where the information makes no sense. */
export function compilationDirectories(sections: DebugSections): ReadonlyMap<number, string> {
  const directories = new Map<number, string>();
  const info = new DebugBytes(sections['.debug_info']);
  while (info.at < info.lengthBytes) {
    const { end, offsetBytes } = info.unitLength();
    const attributes = firstEntry(info, sections, offsetBytes);
    const table = attributes.get(Attribute.StatementList);
    const directory = attributes.get(Attribute.CompilationDirectory);
    if (typeof table === 'number' && typeof directory === 'string') directories.set(table, directory);
    info.at = end;
  }
  return directories;
}

/** Attributes of the entry that begins a unit, which is the unit's own. */
function firstEntry(info: DebugBytes, sections: DebugSections, offsetBytes: 4 | 8): ReadonlyMap<number, FormValue> {
  const version = info.u16();
  const unitType = version >= 5 ? info.u8() : undefined;
  const early = version >= 5 ? info.u8() : undefined;
  const abbreviations = info.offset(offsetBytes);
  const context: FormContext = { sections, version, offsetBytes, addressBytes: early ?? info.u8() };
  if (unitType === UnitType.Skeleton || unitType === UnitType.SplitCompile) info.skip(SIGNATURE_BYTES);
  if (unitType === UnitType.Type || unitType === UnitType.SplitType) info.skip(SIGNATURE_BYTES + offsetBytes);
  const code = info.uleb();
  const attributes = new Map<number, FormValue>();
  for (const { attribute, form } of abbreviation(sections['.debug_abbrev'], abbreviations, code))
    attributes.set(attribute, readForm(form, info, context));
  return attributes;
}

interface AttributeForm {
  readonly attribute: number;
  readonly form: number;
}

/** The attributes of an abbreviation; none where there is no such code. */
function abbreviation(section: Uint8Array, offset: number, wanted: number): AttributeForm[] {
  const bytes = new DebugBytes(section, offset);
  for (let code = bytes.uleb(); code !== 0; code = bytes.uleb()) {
    bytes.uleb(); // tag
    bytes.u8(); // has children
    const found: AttributeForm[] = [];
    for (;;) {
      const attribute = bytes.uleb();
      const form = bytes.uleb();
      if (form === FORM_IMPLICIT_CONST) bytes.sleb();
      if (attribute === 0 && form === 0) break;
      found.push({ attribute, form });
    }
    if (code === wanted) return found;
  }
  return [];
}
