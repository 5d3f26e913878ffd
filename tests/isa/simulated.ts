/** A bare simulated processor in user mode that runs batches as native.c does: INT3 and faults end a case. */
import {
  type EntropySource,
  ExitReason,
  ImmediateRegionCompiler,
  type LogicalProcessor,
  OPERATIONS,
  ProcessorComplex,
  S,
} from '../../src/cpu/index.ts';
import { OPTIONAL_FEATURES } from '../../src/isa/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { Clock } from '../../src/time/index.ts';
import { AddressSpace, Pte } from './address-space.ts';
import { type Batch, CODE_BASE, DATA_BASE, DATA_BYTES, SLOT_BYTES, type StateRecord, WINDOW_BYTES } from './batch.ts';

const PAGE = 4096;
/** Linear addresses of what the kernel would own: one page each. */
const GDT = 0x3000_0000;
const IDT = GDT + PAGE;
const TSS = IDT + PAGE;
const STUBS = TSS + PAGE;
const STACK = STUBS + PAGE;
const STACK_TOP = STACK + PAGE;
const STUB_BYTES = 16;
const VECTORS = 32;
const VECTORS_WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);

const KERNEL_CODE = 0x10;
const USER_CODE_32 = 0x23;
const USER_DATA = 0x2b;
const USER_CODE_64 = 0x33;
const RIGHTS_CODE_64 = 0xa0fb;
const RIGHTS_CODE_32 = 0xc0fb;
const RIGHTS_DATA = 0xc0f3;
const RIGHTS_TSS = 0x8b;
const RIGHTS_UNUSABLE = 0x1_0000;
const SEGMENT_CS = 1;

const TDCALL = [0x66, 0x0f, 0x01, 0xcc];
const INT3 = 0xcc;

const CR0 = 0x8001_0033;
/** PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
const CR4 = 0x4_0620;
/** x87, SSE, AVX */
const XCR0 = 7;
const EFER = 0xd01;

const noEntropy: EntropySource = { next32: () => 0 };

/** Runs batches; each gets a machine of its own, so code is never overwritten. */
export class SimulatedProcessor {
  readonly #batch: Batch;
  readonly #memory: HostMemory;
  readonly #cpu: LogicalProcessor;
  readonly #data: number;
  readonly #stack: number;

  private constructor(batch: Batch, compileAfter: number) {
    this.#batch = batch;
    const codeBytes = Math.ceil((batch.slots.length * SLOT_BYTES) / PAGE) * PAGE;
    const memory = new HostMemory(Math.ceil((codeBytes + 64 * PAGE) / 65536) * 65536);
    this.#memory = memory;
    const space = new AddressSpace(memory);
    const code = space.map(CODE_BASE, codeBytes, Pte.User | Pte.Write);
    memory.u8.fill(INT3, code, code + codeBytes);
    for (const [index, slot] of batch.slots.entries())
      memory.u8.set(slot.bytes, code + batch.entryOf(index) - CODE_BASE);
    this.#data = space.map(DATA_BASE, DATA_BYTES, Pte.User | Pte.Write | Pte.NoExecute);
    this.#stack = this.#mapSystem(space);
    const compiler = compileAfter === 0 ? null : new ImmediateRegionCompiler(OPERATIONS, compileAfter);
    const engine = { compiler, features: OPTIONAL_FEATURES };
    this.#cpu = new ProcessorComplex(memory, new Clock(), engine).create(noEntropy);
    this.#prepareProcessor(space.root);
  }

  /** The state after each case, laid out as `batch.records`; `compileAfter` executions of a block it is compiled, 0: never. */
  static run(batch: Batch, compileAfter = 0): ArrayBuffer {
    return new SimulatedProcessor(batch, compileAfter).#run();
  }

  /** Descriptor tables, a TSS, and a stub that leaves by TDCALL for each vector; returns the host address of the stack. */
  #mapSystem(space: AddressSpace): number {
    const { view, u8 } = this.#memory;
    const [gdt, idt, tss, stubs, stack] = [GDT, IDT, TSS, STUBS, STACK].map((linear) =>
      space.map(linear, PAGE, Pte.Write),
    ) as [number, number, number, number, number];
    view.setBigUint64(gdt + KERNEL_CODE, 0x00af_9b00_0000_ffffn, true);
    view.setBigUint64(tss + 36, BigInt(STACK_TOP), true);
    for (let vector = 0; vector < VECTORS; vector++) {
      const handler = STUBS + vector * STUB_BYTES;
      const gate = idt + vector * 16;
      view.setUint16(gate, handler & 0xffff, true);
      view.setUint16(gate + 2, KERNEL_CODE, true);
      view.setUint16(gate + 4, 0xee01, true);
      view.setUint16(gate + 6, handler >>> 16, true);
      u8.set(TDCALL, stubs + vector * STUB_BYTES);
    }
    return stack;
  }

  #prepareProcessor(root: number): void {
    const { state, controls } = this.#cpu;
    controls.tdcallExits = true;
    controls.cr4Supported = CR4;
    state.set(S.cr0, CR0, 0);
    state.set(S.cr3, root, 0);
    state.set(S.cr4, CR4, 0);
    state.set(S.xcr0, XCR0, 0);
    state.set(S.efer, EFER, 0);
    state.set(S.gdtrBase, GDT, 0);
    state.setLow(S.gdtrLimit, PAGE - 1);
    state.set(S.idtrBase, IDT, 0);
    state.setLow(S.idtrLimit, PAGE - 1);
    state.setLow(S.trSelector, 0x40);
    state.setLow(S.trRights, RIGHTS_TSS);
    state.setLow(S.trLimit, 0x67);
    state.set(S.trBase, TSS, 0);
    state.setLow(S.ldtrRights, RIGHTS_UNUSABLE);
    state.setLow(S.mxcsr, 0x1f80);
    state.setLow(S.fpuControl, 0x37f);
    for (let segment = 0; segment < 6; segment++) {
      state.setLow(S.segmentSelector + segment * 4, USER_DATA);
      state.setLow(S.segmentRights + segment * 4, RIGHTS_DATA);
      state.setLow(S.segmentLimit + segment * 4, -1);
      state.set(S.segmentBase + segment * 8, 0, 0);
    }
  }

  #run(): ArrayBuffer {
    const batch = this.#batch;
    const results = new ArrayBuffer(batch.records.byteLength);
    for (let index = 0; index < batch.cases; index++) this.#runCase(index, results);
    return results;
  }

  #runCase(index: number, results: ArrayBuffer): void {
    const batch = this.#batch;
    const cpu = this.#cpu;
    const { state } = cpu;
    const { u8, view } = this.#memory;
    const input = batch.input(index);
    const result = batch.at(results, index);
    const window = this.#data + input.windowAddress - DATA_BASE;
    const mode = batch.slots[input.slot]!.mode;

    u8.set(input.window, window);
    for (let register = 0; register < 16; register++) state.setBig(S.gpr + 8 * register, input.gpr(register));
    state.set(S.rip, batch.entryOf(input.slot), 0);
    state.setLow(S.segmentSelector + SEGMENT_CS * 4, mode === 64 ? USER_CODE_64 : USER_CODE_32);
    state.setLow(S.segmentRights + SEGMENT_CS * 4, mode === 64 ? RIGHTS_CODE_64 : RIGHTS_CODE_32);
    state.setLow(S.segmentSelector + 2 * 4, USER_DATA);
    state.setLow(S.segmentRights + 2 * 4, RIGHTS_DATA);
    state.setLow(S.cpl, 3);
    cpu.modeChanged();
    cpu.writeRflags(input.rflags);
    if (batch.withFx) this.#loadFx(input);

    const exit = cpu.run();
    const stub = state.low(S.rip) - STUBS;
    if (exit.reason !== ExitReason.Tdcall || stub < 0 || stub >= VECTORS * STUB_BYTES)
      throw new Error(
        `${batch.slots[input.slot]!.text}: the processor left with reason ${exit.reason} at ${state.big(S.rip).toString(16)}`,
      );
    const vector = Math.floor(stub / STUB_BYTES);
    const withErrorCode = VECTORS_WITH_ERROR_CODE.has(vector);
    // RIP CS RFLAGS RSP SS, below them the error code
    const frame = this.#stack + PAGE - 40;
    result.vector = vector;
    result.errorCode = withErrorCode ? view.getUint32(frame - 8, true) : 0;
    result.rflags = view.getUint32(frame + 16, true);
    result.rip = (view.getUint32(frame, true) - (vector === 3 ? 1 : 0) - batch.entryOf(input.slot)) | 0;
    for (let register = 0; register < 16; register++) result.setGpr(register, state.big(S.gpr + 8 * register));
    result.setGpr(4, view.getBigUint64(frame + 24, true));
    result.window.set(u8.subarray(window, window + WINDOW_BYTES));
    if (batch.withFx) this.#storeFx(result);
  }

  /** Host address of a row. */
  #row(offset: number): number {
    return this.#cpu.state.base + offset;
  }

  /** FXSAVE image to state: the image holds ST(0)..ST(7), the state R0..R7. */
  #loadFx({ fx, upper }: StateRecord): void {
    const { u8 } = this.#memory;
    const { state } = this.#cpu;
    const image = new DataView(fx.buffer, fx.byteOffset);
    state.setLow(S.fpuControl, image.getUint16(0, true));
    state.setLow(S.fpuStatus, image.getUint16(2, true));
    state.setLow(S.fpuTag, image.getUint8(4));
    state.setLow(S.mxcsr, image.getUint32(24, true));
    const top = (image.getUint16(2, true) >> 11) & 7;
    for (let i = 0; i < 8; i++)
      u8.set(fx.subarray(32 + 16 * i, 42 + 16 * i), this.#row(S.fpuRegister + 16 * ((top + i) & 7)));
    for (let i = 0; i < 16; i++) {
      u8.set(fx.subarray(160 + 16 * i, 176 + 16 * i), this.#row(S.vector + 32 * i));
      u8.set(upper.subarray(16 * i, 16 * i + 16), this.#row(S.vector + 32 * i + 16));
    }
  }

  #storeFx({ fx, upper }: StateRecord): void {
    const { u8 } = this.#memory;
    const { state } = this.#cpu;
    const image = new DataView(fx.buffer, fx.byteOffset);
    image.setUint16(0, state.low(S.fpuControl), true);
    image.setUint16(2, state.low(S.fpuStatus), true);
    image.setUint8(4, state.low(S.fpuTag));
    image.setUint32(24, state.low(S.mxcsr), true);
    const top = (state.low(S.fpuStatus) >> 11) & 7;
    for (let i = 0; i < 8; i++) {
      const row = this.#row(S.fpuRegister + 16 * ((top + i) & 7));
      fx.set(u8.subarray(row, row + 10), 32 + 16 * i);
    }
    for (let i = 0; i < 16; i++) {
      const row = this.#row(S.vector + 32 * i);
      fx.set(u8.subarray(row, row + 16), 160 + 16 * i);
      upper.set(u8.subarray(row + 16, row + 32), 16 * i);
    }
  }
}
