/** The same processor without SEAM: flat memory, ports if you like, code bytes straight into it. For work on instructions. */
import {
  Access,
  ExitReason,
  type ExitRecord,
  GPR_NAMES,
  type LogicalProcessor,
  ProcessorComplex,
  S,
  SecondLevel,
} from '../cpu/index.ts';
import { Bus } from '../devices/index.ts';
import { HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';
import { Clock } from '../time/index.ts';
import { DEFAULT_SEED } from './config.ts';
import { SeededEntropy } from './entropy.ts';

const LARGE_PAGE_BYTES = 2 << 20;
/** present, writable, user, accessed, dirty */
const TABLE_FLAGS = 0x67;
const LARGE_PAGE_FLAGS = TABLE_FLAGS | 0x80;

const CR0_PE_NE_ET = 0x31;
const CR0_PG = 0x8000_0000 | 0;
const CR4_PAE = 1 << 5;
const CR4_OSFXSR_OSXMMEXCPT = 3 << 9;
const CR4_SUPPORTED = 0x0037_07ff;
const EFER_SCE_LME_LMA_NXE = 0xd01;
const EFER_SCE = 0x001;
/** accessed code and data segments, present, DPL 0, 4 GiB */
const Rights = { code64: 0xa09b, code32: 0xc09b, data: 0xc093 } as const;
const CS_INDEX = 1;

export interface BareMachineOptions {
  /** a multiple of 2 MiB, at most 1 GiB; the last 2 MiB hold the page tables in 64-bit mode */
  readonly memoryBytes?: number;
  readonly mode?: 64 | 32;
  readonly seed?: number;
  readonly ports?: Bus;
}

/** HLT with nothing else to say, the limit, or the exit that this machine does not serve. */
export type BareEnd =
  | { readonly cause: 'hlt' }
  | { readonly cause: 'instruction-limit' }
  | { readonly cause: 'exit'; readonly exit: ExitRecord };

export class BareMachine {
  readonly memory: HostMemory;
  readonly clock = new Clock();
  readonly processor: LogicalProcessor;
  readonly #memoryBytes: number;
  readonly #ports: Bus;

  constructor(options: BareMachineOptions = {}) {
    this.#memoryBytes = options.memoryBytes ?? 4 * LARGE_PAGE_BYTES;
    if (this.#memoryBytes % LARGE_PAGE_BYTES !== 0 || this.#memoryBytes <= 0 || this.#memoryBytes > 1 << 30)
      throw new RangeError(`a bare machine of ${this.#memoryBytes} bytes: must be a multiple of 2 MiB, at most 1 GiB`);
    this.memory = new HostMemory(this.#memoryBytes);
    this.#ports = options.ports ?? new Bus([]);
    this.processor = new ProcessorComplex(this.memory, this.clock).create(
      new SeededEntropy(options.seed ?? DEFAULT_SEED, 0),
    );
    this.processor.secondLevel = this.#flatMemory();
    if ((options.mode ?? 64) === 64) this.#enterLongMode();
    else this.#enterProtectedMode();
  }

  /** Puts bytes at a physical (= linear) address. */
  write(address: number, bytes: Uint8Array): void {
    this.#check(address, bytes.length);
    this.memory.u8.set(bytes, this.memory.ramBase + address);
    for (let page = address - (address % PAGE_SIZE_BYTES); page < address + bytes.length; page += PAGE_SIZE_BYTES)
      this.processor.hostPageReplaced(this.memory.ramBase + page);
  }

  /** A copy of the bytes at a physical (= linear) address. */
  read(address: number, length: number): Uint8Array {
    this.#check(address, length);
    return this.memory.u8.slice(this.memory.ramBase + address, this.memory.ramBase + address + length);
  }

  /** A general register by its name, or RIP. */
  register(name: (typeof GPR_NAMES)[number] | 'RIP'): bigint {
    return this.#view().getBigUint64(this.#offsetOf(name), true);
  }

  setRegister(name: (typeof GPR_NAMES)[number] | 'RIP', value: bigint): void {
    this.#view().setBigUint64(this.#offsetOf(name), value, true);
  }

  /** Runs from RIP. Ports answer; CPUID and MSRs that are not native, and all else that leaves the guest, end the run. */
  run(instructions = Number.MAX_SAFE_INTEGER): BareEnd {
    const stop = this.clock.schedule(this.clock.nowTicks + instructions, () => {});
    try {
      for (;;) {
        const exit = this.processor.run();
        if (exit.reason === ExitReason.ExternalInterrupt) {
          if (this.clock.nowTicks >= stop.atTicks) return { cause: 'instruction-limit' };
          this.clock.ringDue();
        } else if (exit.reason === ExitReason.Hlt) {
          this.processor.skipInstruction(exit.instructionLength);
          return { cause: 'hlt' };
        } else if (!(exit.reason === ExitReason.IoInstruction && this.#io(exit))) return { cause: 'exit', exit };
      }
    } finally {
      this.clock.cancel(stop);
    }
  }

  /** One IN or OUT; false for string forms. Qualification: SDM vol. 3, "Exit Qualification for I/O Instructions". */
  #io(exit: ExitRecord): boolean {
    const qualification = exit.qualificationLow;
    if ((qualification & 0x10) !== 0) return false;
    const sizeBytes = (qualification & 7) + 1;
    const port = qualification >>> 16;
    const { state } = this.processor;
    const rax = state.low(S.gpr);
    if ((qualification & 8) === 0)
      this.#ports.write(port, sizeBytes, sizeBytes === 4 ? rax : rax & (2 ** (8 * sizeBytes) - 1));
    else {
      const data = this.#ports.read(port, sizeBytes);
      if (sizeBytes === 4) state.set(S.gpr, data | 0, 0);
      else {
        const mask = 2 ** (8 * sizeBytes) - 1;
        state.setLow(S.gpr, (rax & ~mask) | (data & mask));
      }
    }
    this.processor.skipInstruction(exit.instructionLength);
    return true;
  }

  #flatMemory(): SecondLevel {
    const table = new SecondLevel();
    const rights = Access.Read | Access.Write | Access.Execute;
    for (let gpa = 0; gpa < this.#memoryBytes; gpa += PAGE_SIZE_BYTES)
      table.set(gpa, SecondLevel.entry(this.memory.ramBase + gpa, rights));
    return table;
  }

  #enterProtectedMode(): void {
    const { state, controls } = this.processor;
    controls.cr4Supported = CR4_SUPPORTED;
    state.setLow(S.cr0, CR0_PE_NE_ET);
    state.setLow(S.cr4, CR4_OSFXSR_OSXMMEXCPT);
    state.setLow(S.efer, EFER_SCE);
    this.#flatSegments(Rights.code32);
    this.processor.modeChanged();
  }

  /** Identity map of large pages, tables in the last 2 MiB. */
  #enterLongMode(): void {
    const pml4 = this.#memoryBytes - LARGE_PAGE_BYTES;
    const [pdpt, directory] = [pml4 + PAGE_SIZE_BYTES, pml4 + 2 * PAGE_SIZE_BYTES];
    const put = (address: number, entry: number) =>
      this.memory.view.setUint32(this.memory.ramBase + address, entry, true);
    put(pml4, pdpt | TABLE_FLAGS);
    put(pdpt, directory | TABLE_FLAGS);
    for (let address = 0, entry = directory; address < this.#memoryBytes; address += LARGE_PAGE_BYTES, entry += 8)
      put(entry, address | LARGE_PAGE_FLAGS);

    const { state, controls } = this.processor;
    controls.cr4Supported = CR4_SUPPORTED;
    state.setLow(S.cr3, pml4);
    state.setLow(S.cr0, CR0_PE_NE_ET | CR0_PG);
    state.setLow(S.cr4, CR4_PAE | CR4_OSFXSR_OSXMMEXCPT);
    state.setLow(S.efer, EFER_SCE_LME_LMA_NXE);
    this.#flatSegments(Rights.code64);
    this.processor.modeChanged();
    this.processor.flushTlb(true);
  }

  #flatSegments(codeRights: number): void {
    const { state } = this.processor;
    for (let segment = 0; segment < 6; segment++) {
      state.setLow(S.segmentRights + 4 * segment, segment === CS_INDEX ? codeRights : Rights.data);
      state.setLow(S.segmentLimit + 4 * segment, -1);
    }
  }

  #view(): DataView {
    return this.memory.view;
  }

  #offsetOf(name: (typeof GPR_NAMES)[number] | 'RIP'): number {
    const { base } = this.processor.state;
    return base + (name === 'RIP' ? S.rip : S.gpr + 8 * GPR_NAMES.indexOf(name));
  }

  #check(address: number, length: number): void {
    if (address < 0 || address + length > this.#memoryBytes)
      throw new RangeError(`${length} bytes at ${address}: the machine has ${this.#memoryBytes} bytes`);
  }
}
