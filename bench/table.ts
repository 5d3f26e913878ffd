/** What the benches have measured, as one table, and what of it is less than SPECIFICATION.md promises. */

export interface Row {
  readonly bench: string;
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'ns' | 'MiB' | 'times' | 'share';
  /** the same of QEMU's TCG, measured in the same run */
  readonly qemu?: number;
  readonly promised?: Bound;
}

/** A bound for the value, or for ours / QEMU's; without QEMU on the machine the latter holds nothing. */
interface Bound {
  readonly of: 'value' | 'ratio';
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** ours / QEMU's */
export const ratioOf = ({ value, qemu }: Row): number | undefined => (qemu === undefined ? undefined : value / qemu);

function isKept(row: Row): boolean {
  const { promised } = row;
  if (promised === undefined) return true;
  const found = promised.of === 'value' ? row.value : ratioOf(row);
  if (found === undefined) return true;
  return found <= (promised.atMost ?? Number.POSITIVE_INFINITY) && found >= (promised.atLeast ?? 0);
}

function promiseText({ promised, unit }: Row): string {
  if (promised === undefined) return '';
  const [word, bound] = promised.atMost === undefined ? ['at least', promised.atLeast!] : ['at most', promised.atMost];
  return `${word} ${bound} ${promised.of === 'ratio' ? 'times QEMU' : unit}`;
}

const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** Lines of the table, a heading first. */
export function tableOf(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => {
    const ratio = ratioOf(row);
    return [
      row.bench,
      row.name,
      `${figure(row.value)} ${row.unit}`,
      row.qemu === undefined ? '' : `${figure(row.qemu)} ${row.unit}`,
      ratio === undefined ? '' : figure(ratio),
      `${promiseText(row)}${isKept(row) ? '' : '  MISSED'}`,
    ];
  });
  const all = [['bench', 'measured', 'ours', 'QEMU', 'ours/QEMU', 'promised'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const isNumber = (column: number): boolean => column >= 2 && column <= 4;
  return all.map((line) =>
    line
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** A sentence for each promise that is not kept. */
export function complaintsOf(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => !isKept(row))
    .map((row) => {
      const found =
        row.promised!.of === 'value' ? `${figure(row.value)} ${row.unit}` : `${figure(ratioOf(row)!)} times QEMU`;
      return `less than promised: ${row.bench}, ${row.name}: ${found}, ${promiseText(row)} is promised`;
    });
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
