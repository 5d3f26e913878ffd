/** `seamulator quote`: is a quote what it claims to be? And what a verifier needs besides it. */

import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import {
  CertificateError,
  COLLATERAL_NAMES,
  pemOf,
  QUOTE_BODY_FIELDS,
  type QuoteCollateral,
  quoteField,
  type ReadCertificate,
  readCertificate,
  readPemChain,
  type Verdict,
  verifyQuote,
} from '../../attestation/index.ts';
import { hexOf } from '../../debug/index.ts';
import { TestPki } from '../../machine/index.ts';
import { FileError, readUserFile } from '../../node/index.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';

interface VerifyCommandOptions {
  readonly collateral?: string;
  readonly root?: string;
  readonly at?: Date;
  readonly reportData?: string;
  readonly json?: boolean;
}

const verifyExamples = `
Examples:
  seamulator quote verify quote.bin                under Seamulator's own TEST root and collateral
  seamulator quote verify quote.bin --report-data 00112233...
  seamulator quote verify quote.bin --root root.pem --collateral collateral.json --at 2026-01-01

Exit codes: 0 accepted, 1 wrong usage, 3 a file cannot be read, 5 refused: the sentence says at which step.`;

const collateralExamples = `
Examples:
  seamulator quote collateral --out collateral.json --root root.pem

The collateral has the form that verifiers exchange (QuoteCollateralV3 of dcap-qvl).`;

export function quoteCommand(exit: (code: number) => void): Command {
  const verify = new Command('verify')
    .description('check a TD quote, version 4 or 5')
    .argument('<file>', 'the quote; bytes after it are left alone')
    .option('--collateral <file>', 'JSON; default: that of the TEST authority')
    .option('--root <file>', 'PEM or DER; default: the root of the TEST authority')
    .option('--at <date>', 'the moment that dates are compared with; default: now', date)
    .option('--report-data <hex>', 'what REPORTDATA must be; shorter values are followed by zeros')
    .option('--json', 'for programs')
    .addHelpText('after', verifyExamples)
    .action(async (file: string, options: VerifyCommandOptions) => exit(await verifyFile(file, options)));
  const collateral = new Command('collateral')
    .description('write root and collateral of the TEST authority, for verifiers')
    .option('--out <file>', 'where the collateral goes; default: the standard output')
    .option('--root <file>', 'where the root certificate goes, as PEM')
    .addHelpText('after', collateralExamples)
    .action(async (options: { out?: string; root?: string }) => exit(await writeCollateral(options)));
  return new Command('quote').description('quotes of TDs').addCommand(verify).addCommand(collateral);
}

function date(text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime()))
    throw new CommandError(ExitCode.Usage, `"${text}" is no date: give one like 2026-01-01 or 2026-01-01T12:00:00Z.`);
  return value;
}

async function verifyFile(file: string, options: VerifyCommandOptions): Promise<number> {
  const pki = new TestPki();
  const isTest = options.root === undefined;
  const root = options.root === undefined ? readCertificate(pki.root.der) : await readRoot(options.root);
  const collateral = options.collateral === undefined ? pki.collateral() : await readCollateral(options.collateral);
  const now = options.at ?? new Date();
  const bytes = await orSentence(() => readUserFile(file, 'quote'));
  const verdict = verifyQuote(bytes, { collateral, root, nowUnixSeconds: now.getTime() / 1000 });
  const wrongData = verdict.accepted ? reportDataComplaint(verdict, options.reportData) : undefined;
  const accepted = verdict.accepted && wrongData === undefined;
  const text = options.json
    ? JSON.stringify(jsonOf(verdict, accepted, wrongData), null, 2)
    : describe(verdict, wrongData, isTest);
  process.stdout.write(`${text}\n`);
  return accepted ? ExitCode.Ended : ExitCode.Refused;
}

function reportDataComplaint({ quote }: Verdict, expected: string | undefined): string | undefined {
  if (expected === undefined) return undefined;
  if (!/^([0-9a-f]{2}){1,64}$/i.test(expected))
    throw new CommandError(ExitCode.Usage, '--report-data takes 1 to 64 bytes in hexadecimal.');
  const actual = hexOf(quoteField(quote!, 'REPORTDATA')!);
  return actual === expected.toLowerCase().padEnd(128, '0') ? undefined : `REPORTDATA is ${actual}`;
}

function jsonOf({ steps, tcbStatus, quote }: Verdict, accepted: boolean, wrongData: string | undefined): object {
  const complaint = steps.find((step) => step.complaint !== undefined)?.complaint ?? wrongData;
  return {
    accepted,
    ...(complaint !== undefined && { complaint }),
    steps,
    ...(tcbStatus && { tcbStatus }),
    ...(quote && { version: quote.version, fields: fieldsOf(quote) }),
  };
}

function fieldsOf(quote: NonNullable<Verdict['quote']>): Record<string, string> {
  return Object.fromEntries(
    QUOTE_BODY_FIELDS.flatMap(({ name }) => {
      const field = quoteField(quote, name);
      return field === undefined ? [] : [[name, hexOf(field)]];
    }),
  );
}

function describe({ steps, tcbStatus, quote }: Verdict, wrongData: string | undefined, isTest: boolean): string {
  const lines: string[] = [];
  if (quote !== undefined) {
    lines.push(`TD quote, version ${quote.version}`);
    for (const [name, value] of Object.entries(fieldsOf(quote))) lines.push(`  ${name.padEnd(15)} ${value}`);
    lines.push('');
  }
  for (const { name, complaint } of steps)
    lines.push(complaint === undefined ? `  ok       ${name}` : `  refused  ${name}: ${complaint}`);
  if (wrongData !== undefined) lines.push(`  refused  report data: ${wrongData}`);
  const isAccepted = wrongData === undefined && steps.every(({ complaint }) => complaint === undefined);
  lines.push('', isAccepted ? `Accepted. Status of the platform: ${tcbStatus}.` : 'Refused.');
  if (isAccepted && isTest)
    lines.push('The root is the TEST root of Seamulator: this proves nothing about any real platform.');
  return lines.join('\n');
}

async function readRoot(path: string): Promise<ReadCertificate> {
  return orSentence(async () => {
    const bytes = await readUserFile(path, 'root certificate');
    const [first] = readPemChain(new TextDecoder('latin1').decode(bytes));
    return first ?? readCertificate(bytes);
  });
}

async function readCollateral(path: string): Promise<QuoteCollateral> {
  const bytes = await orSentence(() => readUserFile(path, 'collateral'));
  let found: Partial<Record<string, unknown>>;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Record<string, unknown>>;
  } catch {
    throw new CommandError(ExitCode.BadInput, `${path} is no JSON.`);
  }
  const missing = COLLATERAL_NAMES.find((name) => typeof found?.[name] !== 'string');
  if (missing !== undefined) throw new CommandError(ExitCode.BadInput, `${path} has no text "${missing}".`);
  return found as unknown as QuoteCollateral;
}

async function writeCollateral({ out, root }: { out?: string; root?: string }): Promise<number> {
  const pki = new TestPki();
  const text = `${JSON.stringify(pki.collateral(), null, 2)}\n`;
  const write = (path: string, content: string): Promise<void> =>
    writeFile(path, content).catch((error: Error) => {
      throw new CommandError(ExitCode.BadInput, `Cannot write ${path}: ${error.message}.`);
    });
  if (root !== undefined) await write(root, pemOf(pki.root.der));
  if (out !== undefined) await write(out, text);
  else process.stdout.write(text);
  return ExitCode.Ended;
}

async function orSentence<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    if (error instanceof CertificateError) throw new CommandError(ExitCode.BadInput, `${error.message}.`);
    throw error;
  }
}
