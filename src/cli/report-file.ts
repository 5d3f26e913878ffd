/** The report of a run as a file for programs. */

import { writeFile } from 'node:fs/promises';
import { CommandError, ExitCode } from './exit-codes.ts';

export function writeReport(path: string, report: object): Promise<void> {
  return writeText(path, `${JSON.stringify(report, null, 2)}\n`);
}

export async function writeText(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: Error) => {
    throw new CommandError(ExitCode.BadInput, `Cannot write the report ${path}: ${error.message}.`);
  });
}
