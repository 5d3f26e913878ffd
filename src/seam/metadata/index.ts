/** Every metadata field by name, whatever its scope: for whoever prints ids. */
import type { FieldRow } from './field-row.ts';
import { SYSTEM_FIELDS } from './sys.ts';
import { TD_FIELDS } from './td.ts';
import { VP_FIELDS } from './vp.ts';

/** What is said of a field without asking it for its value. */
export type MetadataFieldFacts = Pick<
  FieldRow<never>,
  'id' | 'name' | 'fields' | 'elementsPerField' | 'codes' | 'source'
>;

export const METADATA_FIELDS: readonly MetadataFieldFacts[] = [...SYSTEM_FIELDS, ...TD_FIELDS, ...VP_FIELDS];
