/** The formats of a report by their names on the command line. */
import type { CheckFormat } from './check-report.ts';
import { formatJunit } from './junit.ts';
import { formatSarif } from './sarif.ts';
import { formatCheckText } from './text.ts';

export type { CheckFormat, CheckReport } from './check-report.ts';

export const CHECK_FORMATS = {
  text: formatCheckText,
  sarif: formatSarif,
  junit: formatJunit,
} as const satisfies Record<string, CheckFormat>;
