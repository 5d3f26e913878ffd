/** From the bytes of an instruction to its record, by the shortest way. */
import { createInstruction, DecodeResult, type Decoder } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { Binder } from './binder.ts';
import { Handler } from './handlers.ts';
import { RecordTemplates } from './record-templates.ts';

const PAGE_BYTES = 4096;

export class Predecoder {
  readonly templates: RecordTemplates;
  readonly #u8: Uint8Array;
  readonly #decoder: Decoder;
  readonly #binder: Binder;
  readonly #instruction = createInstruction();

  constructor(memory: HostMemory, decoder: Decoder, binder: Binder) {
    this.templates = new RecordTemplates(memory);
    this.#u8 = memory.u8;
    this.#decoder = decoder;
    this.#binder = binder;
  }

  /** Writes the record of the instruction at an offset of a host page and returns its traits; -1 if it is none, or not all of it lies in the page. */
  write(record: number, hostPage: number, offset: number, mode: number): number {
    const known = mode === 64 ? this.templates.write(record, hostPage, offset) : -1;
    return known >= 0 ? known : this.#decode(record, hostPage, offset, mode);
  }

  #decode(record: number, hostPage: number, offset: number, mode: number): number {
    const instruction = this.#instruction;
    const result = this.#decoder.decode(this.#u8, hostPage + offset, hostPage + PAGE_BYTES, mode as 64, instruction);
    if (result !== DecodeResult.Ok) {
      // what is no instruction the host decodes again, and raises what is due
      const handler = result === DecodeResult.Truncated ? Handler.Straddle : Handler.Host;
      this.#binder.writeSpecial(record, handler, offset);
      return -1;
    }
    const bound = this.#binder.write(record, instruction, offset, true);
    if (mode === 64) this.templates.learn(record, hostPage, offset, instruction, bound);
    return bound.traits;
  }
}
