/** Straight into the processors and the memory of a TD, debug or not: what a simulator can do and no host. */
import { type LogicalProcessor, packRflags, SecondLevel, STATE_ROWS, type StateRow } from '../../cpu/index.ts';
import type { TdxPlatform } from '../../machine/index.ts';
import { type HostMemory, PAGE_SHIFT } from '../../memory/index.ts';
import type { SecureEptStep, TdxModule } from '../../seam/index.ts';
import { RFLAGS_ROW, type RowView } from './registers.ts';
import type { DebugTarget } from './target.ts';

const ROWS: ReadonlyMap<string, StateRow> = new Map(STATE_ROWS.map((row) => [row.name, row]));
/** A change of these changes what linear addresses mean. */
const PAGING_ROWS: ReadonlySet<string> = new Set(['CR0', 'CR3', 'CR4', 'EFER']);

export class BenchTarget implements DebugTarget {
  readonly banner =
    'bench view: registers and private memory are read straight from the simulated processor. No host could see this.';
  readonly isBench = true;
  readonly canStop = true;
  readonly refusal = undefined;
  readonly #processors: readonly LogicalProcessor[];
  readonly #memory: HostMemory;
  readonly #views: readonly RowView[];
  readonly #module: TdxModule;
  readonly #tdrHpa: number;

  /** @param tdrHpa names the TD. Throws a RangeError if there is none. */
  constructor(platform: TdxPlatform, tdrHpa: number) {
    this.#processors = platform.module.processorsOf(tdrHpa);
    this.#memory = platform.memory;
    this.#module = platform.module;
    this.#tdrHpa = tdrHpa;
    this.#views = this.#processors.map((processor) => this.#view(processor));
  }

  rows(vcpu: number): RowView {
    return this.#views[vcpu]!;
  }

  readPhysical(gpa: bigint, length: number): Uint8Array | undefined {
    const hpa = this.#hpaOf(gpa);
    return hpa === undefined ? undefined : this.#memory.u8.slice(hpa, hpa + length);
  }

  writePhysical(gpa: bigint, bytes: Uint8Array): boolean {
    const hpa = this.#hpaOf(gpa);
    if (hpa === undefined) return false;
    this.#memory.u8.set(bytes, hpa);
    this.#memory.writtenPage[hpa >>> PAGE_SHIFT] = 1;
    this.#processors[0]!.hostPageReplaced((hpa & ~0xfff) >>> 0);
    return true;
  }

  secureEptWalk(gpa: number): readonly SecureEptStep[] {
    return this.#module.secureEptWalk(this.#tdrHpa, gpa);
  }

  /** All vCPUs of a TD have one second level. */
  #hpaOf(gpa: bigint): number | undefined {
    const entry = this.#processors[0]!.secondLevel!.lookup(Number(gpa));
    if ((entry & SecondLevel.Read) === 0) return undefined;
    const hpa = SecondLevel.hpaOf(entry) + Number(gpa & 0xfffn);
    return this.#memory.isRam(hpa, 1) ? hpa : undefined;
  }

  #view(processor: LogicalProcessor): RowView {
    const { u8 } = this.#memory;
    const { base } = processor.state;
    return {
      read: (name) => {
        if (name === RFLAGS_ROW) return new Uint8Array(Int32Array.of(packRflags(processor.state)).buffer);
        const row = ROWS.get(name);
        return row === undefined ? undefined : u8.slice(base + row.offset, base + row.offset + row.width);
      },
      write: (name, bytes) => {
        if (name === RFLAGS_ROW) {
          processor.writeRflags(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
          return true;
        }
        const row = ROWS.get(name);
        if (row === undefined || bytes.length !== row.width) return false;
        u8.set(bytes, base + row.offset);
        processor.modeChanged();
        if (PAGING_ROWS.has(name)) processor.flushTlb(true);
        return true;
      },
    };
  }
}
