/** --check and --check-report: which rules a run is held against, and where their findings go. */

import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import {
  CHECK_FORMATS,
  Checker,
  type CheckReport,
  type CheckRule,
  type Finding,
  type HelperCalls,
  RULES,
  type SourcePlaces,
  type SymbolLookup,
} from '../debug/index.ts';
import type { Td, TdxPlatform } from '../machine/index.ts';
import { seamulatorVersion } from '../node/index.ts';
import type { DebuggerOptions } from './debugger.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

export type CheckFormatName = keyof typeof CHECK_FORMATS;

export interface CheckOptions {
  readonly check?: readonly CheckRule[];
  readonly checkReport?: string;
}

const FORMAT_OF_ENDING: Readonly<Record<string, CheckFormatName>> = {
  '.txt': 'text',
  '.sarif': 'sarif',
  '.xml': 'junit',
};

/** "reserved-bits,hlt-interrupt-rule": rows of the table; without a list all of them. */
export function rulesNamed(text: string | boolean): readonly CheckRule[] {
  if (typeof text !== 'string') return RULES;
  return text.split(',').map((id) => {
    const rule = RULES.find((one) => one.id === id.trim());
    if (rule === undefined)
      throw new InvalidArgumentError(`There is no rule ${id.trim()}; "seamulator check --explain" lists them.`);
    return rule;
  });
}

export const checkOption = (): Option =>
  new Option('--check [rules]', 'hold the guest against the contract: all rules, or these (id,id,...)')
    .preset('')
    .argParser((text: string) => rulesNamed(text === '' ? true : text));

export const checkReportOption = (): Option =>
  new Option('--check-report <file>', 'write what --check found: .txt, .sarif (SARIF 2.1.0) or .xml (JUnit)');

/** Both look at single steps, and there is one place for that. */
export function noDebugger({ check }: CheckOptions, { gdb }: DebuggerOptions): void {
  if (check !== undefined && gdb !== undefined)
    throw new CommandError(ExitCode.Usage, '--check and --gdb cannot be had in one run: leave one out.');
}

/** What was found, with what a format needs to tell it. */
export function checkReport(
  subject: string,
  rules: readonly CheckRule[],
  findings: readonly Finding[],
  sources: SourcePlaces,
): CheckReport {
  return {
    version: seamulatorVersion(),
    subject,
    rules,
    findings,
    sources,
    directory: process.cwd(),
  };
}

export async function writeCheckReport(path: string, report: CheckReport): Promise<void> {
  await writeFile(path, CHECK_FORMATS[formatOf(path)](report)).catch((error: Error) => {
    throw new CommandError(ExitCode.BadInput, `Cannot write the report ${path}: ${error.message}.`);
  });
}

function formatOf(path: string): CheckFormatName {
  const format = Object.entries(FORMAT_OF_ENDING).find(([ending]) => path.endsWith(ending))?.[1];
  if (format === undefined)
    throw new CommandError(ExitCode.Usage, `The report ${path} has no form: name it .txt, .sarif or .xml.`);
  return format;
}

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === 'error');

/** Rules that look on while a TD runs. */
export class RunCheck {
  readonly #checker: Checker;
  readonly #rules: readonly CheckRule[];
  readonly #path: string | undefined;

  /** undefined: nothing shall be checked. Throws a CommandError where the options make no sense. */
  static from({ check, checkReport: path }: CheckOptions, symbols: SymbolLookup): RunCheck | undefined {
    if (path !== undefined) {
      if (check === undefined)
        throw new CommandError(ExitCode.Usage, '--check-report writes what --check found: give --check as well.');
      formatOf(path);
    }
    return check === undefined ? undefined : new RunCheck(check, symbols, path);
  }

  private constructor(rules: readonly CheckRule[], symbols: SymbolLookup, path: string | undefined) {
    this.#checker = new Checker({ rules, symbols });
    this.#rules = rules;
    this.#path = path;
  }

  get observer() {
    return this.#checker.observer;
  }

  attach(platform: TdxPlatform, td: Td, helpers?: HelperCalls): void {
    this.#checker.attach(platform, td, helpers);
  }

  end(): void {
    this.#checker.end();
  }

  get findings(): readonly Finding[] {
    return this.#checker.findings;
  }

  /** Says what was found, on stderr and in the file that was asked for. @param subject what was run */
  async tell(output: Output, subject: string, sources: SourcePlaces): Promise<void> {
    const report = checkReport(subject, this.#rules, this.findings, sources);
    output.always(`\n${CHECK_FORMATS.text(report).trimEnd()}`);
    if (this.#path !== undefined) await writeCheckReport(this.#path, report);
  }
}

/** Findings as JSON can hold them. */
export function plainFindings(findings: readonly Finding[]): object[] {
  const address = (value: bigint) => `0x${value.toString(16)}`;
  return findings.map(({ rip, crossing, gpa, ...rest }) => ({
    ...rest,
    rip: address(rip),
    ...(crossing === undefined ? {} : { crossing: { ...crossing, rip: address(crossing.rip) } }),
    ...(gpa === undefined ? {} : { gpa: address(BigInt(gpa)) }),
  }));
}
