/** Shapes that both sides of a door must agree on; no behaviour. */
export * from './attributes.ts';
export * from './completion-status.ts';
export * from './exit-reasons.ts';
export * from './gpa.ts';
export { MetadataField } from './metadata-fields.ts';
export * from './module-version.ts';
export { OPERAND_NAMES, OperandId } from './operand-ids.ts';
export { Gpr, RegisterFile } from './register-file.ts';
export { TdhLeaf, tdhLeafName } from './seamcall-leaves.ts';
export { SharedEpt, type SharedPage } from './shared-ept.ts';
export * from './td-params.ts';
export { TdgLeaf, tdgLeafName } from './tdcall-leaves.ts';
export * from './tdreport.ts';
export * from './tdvmcall.ts';
export { VeCategory } from './ve-category.ts';
