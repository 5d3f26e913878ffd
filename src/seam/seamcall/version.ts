import { Gpr, type RegisterFile } from '../../abi/index.ts';

const VERSION_SHIFT = 16;
const VERSION_MASK = 0xff;

/** Version of the leaf that the caller asks for: RAX 23:16. */
export function versionOf(registers: RegisterFile): number {
  return (registers.low(Gpr.RAX) >>> VERSION_SHIFT) & VERSION_MASK;
}
