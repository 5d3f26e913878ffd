/** --arg of commands that call a function. */

import { InvalidArgumentError } from 'commander';
import type { FunctionArgument } from '../machine/index.ts';
import { word64 } from './option-values.ts';

const MOST_WORDS = 512;

/** "7" or "name={1,0x2}", behind those given before. */
export function functionArgument(text: string, before: readonly FunctionArgument[] = []): FunctionArgument[] {
  const structure = /^([A-Za-z_]\w*)=\{([^}]*)\}$/.exec(text);
  if (structure === null) return [...before, word64(text)];
  const words = structure[2]!.split(',').map((word) => word64(word.trim()));
  if (words.length > MOST_WORDS) throw new InvalidArgumentError(`A structure has at most ${MOST_WORDS} words.`);
  return [...before, { name: structure[1]!, bytes: new Uint8Array(new BigUint64Array(words).buffer) }];
}
