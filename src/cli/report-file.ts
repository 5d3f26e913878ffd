/** The report of a run as a file for programs. */

import { writeFile } from 'node:fs/promises';
import { CommandError, ExitCode } from './exit-codes.ts';

export async function writeReport(path: string, report: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`).catch((error: Error) => {
    throw new CommandError(ExitCode.BadInput, `Cannot write the report ${path}: ${error.message}.`);
  });
}
