/** Where a running kernel has its ORC tables, and the tables there. A kernel that was moved has them with itself. */
import type { Bytes } from '../../bits/index.ts';
import { isElf, parseElfProgram } from '../../loader/index.ts';
import type { LinearPages } from '../linear-pages.ts';
import type { GuestSymbols } from '../post-mortem/guest-symbols.ts';
import { OrcTable } from './orc-table.ts';

interface Range {
  /** a signed address (linear-pages.ts) */
  readonly start: number;
  readonly bytes: number;
}

export interface OrcPlaces {
  readonly header: Range | undefined;
  readonly unwindIp: Range;
  readonly unwind: Range;
}

/** No kernel has a table of as many bytes. */
const MOST_BYTES = 64 << 20;

const signed = (address: bigint): number => Number(BigInt.asIntN(64, address));

/** By the sections of the kernel's ELF file, stripped or not. */
export function orcPlacesInElf(bytes: Bytes, name: string): OrcPlaces | undefined {
  if (!isElf(bytes)) return undefined;
  const { sections } = parseElfProgram(bytes, name);
  const rangeOf = (section: string): Range | undefined => {
    const found = sections.find((one) => one.name === section);
    return found && { start: signed(found.address), bytes: found.sizeBytes };
  };
  return places(rangeOf('.orc_header'), rangeOf('.orc_unwind_ip'), rangeOf('.orc_unwind'));
}

/** By the kernel's symbols, which kallsyms has too (with CONFIG_KALLSYMS_ALL, as distributions have it). */
function orcPlacesBySymbols(addressOf: (name: string) => bigint | undefined): OrcPlaces | undefined {
  const rangeOf = (section: string): Range | undefined => {
    const start = addressOf(`__start_${section}`);
    const stop = addressOf(`__stop_${section}`);
    return start === undefined || stop === undefined
      ? undefined
      : { start: signed(start), bytes: Number(stop - start) };
  };
  const unwindIp = rangeOf('orc_unwind_ip');
  return unwindIp && places(rangeOf('orc_header'), unwindIp, rangeOf('orc_unwind'));
}

function places(
  header: Range | undefined,
  unwindIp: Range | undefined,
  unwind: Range | undefined,
): OrcPlaces | undefined {
  return unwindIp && unwind && { header, unwindIp, unwind };
}

/**
 * Reads the tables out of a guest whose kernel runs: from where its file has them, else from where its own symbols say; undefined: they are in
 * neither place.
 */
export function findOrcTable(
  guest: LinearPages,
  symbols: Pick<GuestSymbols, 'addressOf'>,
  inFile?: OrcPlaces,
): OrcTable | undefined {
  const table = inFile && readOrcTable(guest, inFile);
  if (table !== undefined) return table;
  const inGuest = orcPlacesBySymbols((name) => symbols.addressOf(name));
  return inGuest && readOrcTable(guest, inGuest);
}

function readOrcTable(guest: LinearPages, { header, unwindIp, unwind }: OrcPlaces): OrcTable | undefined {
  const read = ({ start, bytes }: Range): Uint8Array => guest.read(start, bytes >= 0 && bytes < MOST_BYTES ? bytes : 0);
  return OrcTable.from({
    header: header && read(header),
    unwindIp: read(unwindIp),
    unwindIpAddress: unwindIp.start,
    unwind: read(unwind),
  });
}
