/** Every status that a scripted TD or its host was given in this process, by leaf: tests/coverage compares them with the source. */
import { CompletionCode, OPERAND_NAMES, tdgLeafName, tdhLeafName } from '../../src/abi/index.ts';

const NAMES = new Map<number, string>(Object.entries(CompletionCode).map(([name, code]) => [code, name]));
/** Codes whose details are an operand. */
const WITH_OPERAND: ReadonlySet<number> = new Set([
  CompletionCode.OPERAND_INVALID,
  CompletionCode.OPERAND_ADDR_RANGE_ERROR,
  CompletionCode.OPERAND_BUSY,
  CompletionCode.PAGE_METADATA_INCORRECT,
]);

/** "TDG.VP.WR OPERAND_INVALID RCX" */
export const observedStatuses = new Set<string>();

function observe(leafName: string, code: number, details: number): void {
  if (code === CompletionCode.SUCCESS) return;
  const operand = WITH_OPERAND.has(code) ? ` ${OPERAND_NAMES.get(details) ?? details}` : '';
  observedStatuses.add(`${leafName} ${NAMES.get(code) ?? code.toString(16)}${operand}`);
}

export const observeTdcall = (leaf: number, code: number, details: number) => observe(tdgLeafName(leaf), code, details);
export const observeSeamcall = (leaf: number, code: number, details: number) =>
  observe(tdhLeafName(leaf), code, details);
