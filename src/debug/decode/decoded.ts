/** What a number, a name or a file means, as data for programs and as lines for people. */

export interface Decoded {
  /** "completion status" */
  readonly kind: string;
  /** "TDX_OPERAND_INVALID" */
  readonly name: string;
  /** as a number in hexadecimal; absent for files */
  readonly value?: string;
  /** parts by their name in the specification, in order */
  readonly parts: Readonly<Record<string, string>>;
  readonly source: string;
}

/** The first line says what it is; then a line for each part, and the source. */
export function formatDecoded({ kind, name, value, parts, source }: Decoded): string {
  const width = Math.max(0, ...Object.keys(parts).map((part) => part.length));
  return [
    `${kind}${value === undefined ? '' : ` ${value}`}: ${name}`,
    ...Object.entries(parts).map(([part, text]) => `  ${part.padEnd(width)}  ${text}`),
    `  (${source})`,
  ].join('\n');
}
