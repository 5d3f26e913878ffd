/** Writes docs/coverage.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository.ts';
import { COVERAGE_PAGE, coveragePage } from './page.ts';

writeFileSync(join(root, COVERAGE_PAGE), coveragePage());
