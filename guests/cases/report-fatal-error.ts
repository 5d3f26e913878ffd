import { reportFatalError as report } from '../lib/report-fatal-error.ts';
import type { CaseGuest } from './case-guest.ts';

export const reportFatalError: CaseGuest = {
  name: 'report-fatal-error',
  wrong: 'finds no memory for itself and says so',
  program: (a) => report(a, 'gives-up', 'case: no memory above 4 GiB'),
};
