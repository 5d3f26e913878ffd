/** Every integer operation, by `Form.operation`. */
import { arith } from './arith.ts';
import { atomics } from './atomic.ts';
import { bits } from './bit.ts';
import { branches } from './branch.ts';
import { decimals } from './decimal.ts';
import { flags } from './flags.ts';
import { joinTables } from './join-tables.ts';
import { logic } from './logic.ts';
import { moves } from './move.ts';
import { muldiv } from './muldiv.ts';
import { shifts } from './shift.ts';
import { stack } from './stack.ts';
import { strings } from './string.ts';

export const integerOperations = joinTables(
  arith,
  decimals,
  logic,
  shifts,
  moves,
  stack,
  branches,
  strings,
  bits,
  muldiv,
  atomics,
  flags,
);
