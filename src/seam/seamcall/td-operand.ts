import { type Gpr, PageLevel, type RegisterFile } from '../../abi/index.ts';
import type { HandleFlags, SeamCore } from '../core.ts';
import { PageType } from '../pamt.ts';
import type { Td } from '../structures/td.ts';

/** The TD whose TDR a register names; undefined: it names none, and `core.code` says why. */
export function tdOf(core: SeamCore, registers: RegisterFile, register: Gpr, flags?: HandleFlags): Td | undefined {
  return (
    core.tds.get(registers.number(register)) ?? // pages of that type and no others: only what is not there has to be looked at
    core.tds.get(core.pageOperand(registers, register, PageType.TDR, PageLevel.PAGE_4K, flags))
  );
}
