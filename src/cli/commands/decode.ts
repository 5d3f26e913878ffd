/** `seamulator decode`: names for numbers, numbers for names, and the structures of attestation. */

import { stat } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import {
  type Decoded,
  decodeName,
  decodeNumber,
  decodeQualification,
  decodeStructure,
  formatDecoded,
  NUMBER_KINDS,
} from '../../debug/index.ts';
import { FileError, readUserFile } from '../../node/index.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { word64 } from '../option-values.ts';

interface DecodeOptions {
  readonly as?: string;
  readonly reason?: bigint;
  readonly json?: boolean;
}

const examples = `
Examples:
  seamulator decode 0xc000010000000001             a completion status, with class, L1 and L2
  seamulator decode 0x8000000000000001             a status of the VMM
  seamulator decode 0xfc00 --as mask               which registers cross
  seamulator decode 0x6000000 --reason 30          the qualification of an exit
  seamulator decode 0x9110000300000010             a metadata field id
  seamulator decode MapGPA                         the number of a name
  seamulator decode report.bin                     a TDREPORT or a quote

--as takes: ${NUMBER_KINDS.map(({ id }) => id).join(', ')}.

Exit codes: 0 decoded, 1 nothing known has this value or name, 3 a file cannot be read or is none of those.`;

function kindId(text: string): string {
  if (!NUMBER_KINDS.some(({ id }) => id === text))
    throw new InvalidArgumentError(`Give one of ${NUMBER_KINDS.map(({ id }) => id).join(', ')}.`);
  return text;
}

export function decodeCommand(exit: (code: number) => void): Command {
  return new Command('decode')
    .description('say what a number, a name or a file means')
    .argument('<value>', 'a number, a name of the specification, or a file')
    .option('--as <kind>', 'take the number for one kind only', kindId)
    .option('--reason <number>', 'the number is the qualification of this exit reason', word64)
    .option('--json', 'for programs')
    .addHelpText('after', examples)
    .action(async (value: string, options: DecodeOptions) => exit(await decode(value, options)));
}

async function decode(value: string, { as, reason, json = false }: DecodeOptions): Promise<number> {
  const found = await meanings(value, as, reason);
  if (found.length === 0) {
    const what = as === undefined ? 'Nothing known here' : `No ${as}`;
    throw new CommandError(ExitCode.Usage, `${what} has the value or the name ${value}.`);
  }
  const text = json ? JSON.stringify(found, null, 2) : found.map(formatDecoded).join('\n\n');
  process.stdout.write(`${text}\n`);
  return ExitCode.Ended;
}

async function meanings(value: string, as: string | undefined, reason: bigint | undefined): Promise<Decoded[]> {
  if (/^-?(0x[0-9a-f]+|\d+)$/i.test(value)) {
    const number = word64(value);
    return reason === undefined ? decodeNumber(number, as) : [decodeQualification(Number(reason), number)];
  }
  const isFile = await stat(value).then(
    (entry) => entry.isFile(),
    () => false,
  );
  if (!isFile) return decodeName(value, as);
  try {
    const structure = decodeStructure(await readUserFile(value, 'structure'));
    if (structure === undefined)
      throw new CommandError(ExitCode.BadInput, `${value} is neither a TDREPORT nor a quote of a TD.`);
    return [structure];
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    throw error;
  }
}
