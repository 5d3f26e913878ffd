/** `seamulator check`: functions that hold a TDCALL, held against the contract between guest, module and host. */

import { Command, Option } from 'commander';
import { hex } from '../../bits/index.ts';
import {
  CHECK_FORMATS,
  type CheckRule,
  checkFunction,
  type Finding,
  functionsWithTdcall,
  linkedSourceLines,
  RULES,
  SIGNATURES,
  signatureOf,
  TRIALS,
  type TriedFunction,
} from '../../debug/index.ts';
import { vectorName } from '../../isa/index.ts';
import { LoadError, parseElf } from '../../loader/index.ts';
import { type FunctionArgument, linkForExec } from '../../machine/index.ts';
import { FileError, readUserFile } from '../../node/index.ts';
import { type CheckFormatName, checkReport, hasErrors, plainFindings, rulesNamed } from '../check-options.ts';
import { sourcesOnDisk } from '../code-places.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { functionArgument } from '../function-argument.ts';
import { writeReport } from '../report-file.ts';

interface CheckCommandOptions {
  readonly arg?: readonly FunctionArgument[];
  readonly rules?: readonly CheckRule[];
  readonly format: CheckFormatName;
  readonly explain?: string | true;
  readonly json?: string;
}

const examples = `
Each function is called once in each of these worlds, and followed instruction by instruction:
${TRIALS.map(({ title }) => `  ${title}`).join('\n')}

Arguments are given as to "seamulator exec". Without --arg the function is taken for the first of these by which a call
of it succeeds:
${SIGNATURES.map(({ text }) => `  ${text}`).join('\n')}

Examples:
  seamulator check tdcall.o                      every function that holds a TDCALL
  seamulator check tdcall.o __tdx_module_call --arg 1 --arg 0 --arg 0 --arg 0 --arg 0 --arg 'out={0,0,0,0,0,0}'
  seamulator check tdcall.o --format sarif >tdcall.sarif
  seamulator check --explain bare-trap           what a rule asks for, and why; without a name: all rules
  seamulator boot --exec true --check            a whole guest; seamulator exec OBJECT SYMBOL --check: one call

Exit codes: 0 no rule of severity "error" is broken, 1 wrong usage, 3 the object cannot be read or linked, 5 one is.`;

export function checkCommand(exit: (code: number) => void): Command {
  return new Command('check')
    .description('Checks functions that hold a TDCALL against the contract of guest, TDX module and host.')
    .argument('[object]', 'an ELF relocatable (.o) or a static executable')
    .argument('[symbol]', 'one function; default: all that hold a TDCALL')
    .option('--arg <value>', 'the next argument: a number, or name={word,word,...}', functionArgument)
    .option('--rules <ids>', 'only these rules (id,id,...)', rulesNamed)
    .addOption(
      new Option('--format <format>', 'how findings are written').choices(Object.keys(CHECK_FORMATS)).default('text'),
    )
    .option('--json <file>', 'write findings and the ends of all calls as JSON')
    .option('--explain [rule]', 'say what a rule asks for; without a name: list them')
    .addHelpText('after', examples)
    .action(async (object: string | undefined, symbol: string | undefined, options: CheckCommandOptions) => {
      if (options.explain !== undefined) {
        process.stdout.write(`${options.explain === true ? ruleList() : explained(options.explain)}\n`);
        return;
      }
      if (object === undefined)
        throw new CommandError(ExitCode.Usage, 'Give an object to check, or --explain with the id of a rule.');
      exit(await check(object, symbol, options));
    });
}

async function check(path: string, symbol: string | undefined, options: CheckCommandOptions): Promise<number> {
  const { rules = RULES, format } = options;
  try {
    const file = { name: path, bytes: await readUserFile(path, 'object') };
    const object = linkForExec(file);
    const names = symbol === undefined ? functionsWithTdcall(object, path) : [symbol];
    const checked = names.map((name) => {
      const args = options.arg ?? (signatureOf(object, name) ?? SIGNATURES[0]!).args;
      return { name, args, ...checkFunction({ object, symbol: name, args, rules }) };
    });
    const findings = checked.flatMap((one) => one.findings);
    if (format === 'text')
      for (const { name, args, trials } of checked)
        process.stdout.write(`${trialLines(`${name}(${args.map(argumentText).join(', ')})`, trials).join('\n')}\n\n`);
    const sources = sourcesOnDisk(linkedSourceLines(parseElf(file.bytes, path), object));
    process.stdout.write(CHECK_FORMATS[format](checkReport(path, rules, findings, sources)));
    if (options.json !== undefined) await writeReport(options.json, plain(path, checked));
    return hasErrors(findings) ? ExitCode.Refused : ExitCode.Ended;
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    if (error instanceof LoadError) throw new CommandError(ExitCode.BadInput, `${error.message}.`);
    throw error;
  }
}

function argumentText(argument: FunctionArgument): string {
  if (typeof argument === 'bigint') return hex(argument);
  const words = [...new BigUint64Array(argument.bytes.slice().buffer)];
  return `${argument.name}={${words.map((word) => hex(word)).join(',')}}`;
}

function trialLines(name: string, trials: readonly TriedFunction[]): string[] {
  const width = Math.max(...trials.map(({ trial }) => trial.title.length));
  return [name, ...trials.map(({ trial, outcome }) => `  ${trial.title.padEnd(width)}  ${outcomeText(outcome)}`)];
}

function outcomeText(outcome: TriedFunction['outcome']): string {
  switch (outcome.how) {
    case 'returned':
      return `returned 0x${outcome.rax.toString(16)}`;
    case 'panicked':
      return `called ${outcome.symbol}`;
    case 'exception':
      return `exception ${vectorName(outcome.vector)} at 0x${outcome.rip.toString(16)}`;
    default:
      return `the TD ended: ${outcome.end.cause}${'message' in outcome.end ? `, "${String(outcome.end.message)}"` : ''}`;
  }
}

function plain(
  object: string,
  checked: readonly {
    readonly name: string;
    readonly findings: readonly Finding[];
    readonly trials: readonly TriedFunction[];
  }[],
): object {
  return {
    version: 1,
    object,
    functions: checked.map(({ name, findings, trials }) => ({
      name,
      findings: plainFindings(findings),
      trials: trials.map(({ trial, outcome }) => ({ id: trial.id, end: outcomeText(outcome) })),
    })),
  };
}

function ruleList(): string {
  const width = Math.max(...RULES.map(({ id }) => id.length));
  return RULES.map(({ id, severity, title }) => `${id.padEnd(width)}  ${severity.padEnd(7)}  ${title}`).join('\n');
}

function explained(id: string): string {
  const rule = RULES.find((one) => one.id === id);
  if (rule === undefined)
    throw new CommandError(ExitCode.Usage, `There is no rule ${id}; "seamulator check --explain" lists them.`);
  const { severity, title, source, explanation, remedy } = rule;
  return [
    `${id} (${severity})`,
    `${title}.`,
    '',
    explanation,
    '',
    `What to do: ${remedy}`,
    `Source: ${source.document}, "${source.section}"`,
  ].join('\n');
}
