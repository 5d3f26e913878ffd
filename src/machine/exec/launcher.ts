/**
 * The code around a function under test: it makes a stack and an IDT, calls the function by the System V ABI, keeps every register
 * as the function left it, and tells the host how the call ended.
 */
import { TdgLeaf } from '../../abi/index.ts';
import { Assembler, mem64, memAt, type Register, r } from '../../isa/index.ts';
import type { Piece } from '../../loader/index.ts';
import { SHIM_CODE_SELECTOR } from '../shim/shim-rom.ts';

/** Where things lie in the TD; the function's object comes from `object` on. */
export const ExecLayout = {
  mailbox: 0x1000,
  launcher: 0x1_0000,
  stackTop: 0x3_0000,
  structures: 0x4_0000,
  structuresEnd: 0x8_0000,
  object: 0x20_0000,
} as const;

/** R10 of the launcher's own TDVMCALLs: "SEAMEXEC". They tell the host how the call ended and are no crossings of the function. */
export const LAUNCHER_CALL = 0x5345_414d_4558_4543n;

/** R11 of those calls; R12 is the argument. */
export const LauncherEvent = {
  /** the function returned */
  Returned: 0,
  /** one of `PANIC_FUNCTIONS` was entered; R12 = its index */
  Panicked: 1,
  /** an exception; R12 = vector */
  Exception: 2,
} as const;

/** Functions that end the run when they are entered: what the object calls when it gives up. */
export const PANIC_FUNCTIONS = ['__tdx_hypercall_failed', 'panic', '__stack_chk_fail', 'abort'] as const;

const RETURN_THUNK = '__x86_return_thunk';

/** Registers in the order of their numbers. */
const GPRS = [
  r.rax,
  r.rcx,
  r.rdx,
  r.rbx,
  r.rsp,
  r.rbp,
  r.rsi,
  r.rdi,
  r.r8,
  r.r9,
  r.r10,
  r.r11,
  r.r12,
  r.r13,
  r.r14,
  r.r15,
] as const;
const ARGUMENTS: readonly Register[] = [r.rdi, r.rsi, r.rdx, r.rcx, r.r8, r.r9];
const CALLEE_SAVED: readonly Register[] = [r.rbx, r.rbp, r.r12, r.r13, r.r14, r.r15];

const EXCEPTIONS = 32;
const VECTORS = 256;
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
const X2APIC_EOI = 0x80b;
const CR4_OSXSAVE = 1 << 18;
const XSAVE_LEAF = 0xd;
/** R10 to R13 */
const EXPOSED = 0x3c00;
const INTERRUPT_GATE = 0x8e00n;

export interface Launcher {
  readonly pieces: readonly Piece[];
  readonly entryGpa: number;
  /** what an object may ask for */
  readonly provided: ReadonlyMap<string, number>;
  /** the sixteen general registers as the function left them, then RFLAGS */
  readonly registersGpa: number;
  /** one count of 64 bits for each vector */
  readonly interruptsGpa: number;
  /** vector, error code, RIP, CR2 */
  readonly exceptionGpa: number;
  /** return address of whoever entered a panic function */
  readonly callerGpa: number;
}

/** What the callee-saved register holds when the function is called; another value afterwards breaks the ABI. */
export function calleeSavedValue(register: number): bigint {
  return 0xc0de_0000_0000_0000n + BigInt(register);
}
export const CALLEE_SAVED_NUMBERS = CALLEE_SAVED.map(({ number }) => number);

/**
 * @param targetGpa the function; 0 to learn what is provided before it is known
 * @param hasXsave the processor's: the function may then use all vector registers that CPUID announces
 */
export function assembleLauncher(targetGpa: number, values: readonly bigint[], hasXsave = false): Launcher {
  const a = new Assembler({ origin: ExecLayout.launcher });
  // what objects link to comes first: its addresses are the same for every call
  for (const [index, name] of PANIC_FUNCTIONS.entries()) panicFunction(a, name, index);
  thunks(a);
  a.align(16);
  a.label('entry');
  if (hasXsave) enableExtendedState(a);
  callFunction(a, targetGpa, values);
  handlers(a);
  a.align(16, 0);
  for (const [label, count] of [
    ['registers', GPRS.length + 1],
    ['interrupts', VECTORS],
    ['exception', 4],
    ['caller', 1],
  ] as const) {
    a.label(label);
    a.bytes(new Uint8Array(8 * count));
  }
  a.label('idt-pointer');
  a.u16(16 * VECTORS - 1);
  a.bytes(new Uint8Array(8));

  const { bytes, symbols } = a.assemble();
  const at = (label: string) => symbols.get(label)!;
  const idtGpa = Math.ceil((ExecLayout.launcher + bytes.length) / 16) * 16;
  new DataView(bytes.buffer).setBigUint64(at('idt-pointer') - ExecLayout.launcher + 2, BigInt(idtGpa), true);
  return {
    pieces: [
      { startGpa: ExecLayout.launcher, content: bytes },
      { startGpa: idtGpa, content: interruptTable((vector) => at(`vector-${vector}`)) },
    ],
    entryGpa: at('entry'),
    provided: new Map(
      [...PANIC_FUNCTIONS, RETURN_THUNK, ...GPRS.map(indirectThunk)].map((name) => [name, at(name)] as const),
    ),
    registersGpa: at('registers'),
    interruptsGpa: at('interrupts'),
    exceptionGpa: at('exception'),
    callerGpa: at('caller'),
  };
}

/** What a kernel does before it runs code with AVX: CR4.OSXSAVE, and in XCR0 all that CPUID has. */
function enableExtendedState(a: Assembler): void {
  a.mov(r.rax, r.cr4);
  a.or(r.eax, CR4_OSXSAVE);
  a.mov(r.cr4, r.rax);
  a.mov(r.eax, XSAVE_LEAF);
  a.xor(r.ecx, r.ecx);
  a.cpuid(); // EDX:EAX is what XCR0 can be
  a.xor(r.ecx, r.ecx);
  a.bytes(0x0f, 0x01, 0xd1); // XSETBV
}

/** Six arguments travel in registers, the others on the stack, which is aligned to 16 bytes at the call. */
function callFunction(a: Assembler, targetGpa: number, values: readonly bigint[]): void {
  const onStack = values.slice(ARGUMENTS.length);
  a.mov(r.rsp, ExecLayout.stackTop - 8 * (onStack.length % 2));
  a.lidt(memAt('idt-pointer'));
  for (const value of onStack.toReversed()) {
    a.movabs(r.rax, BigInt.asUintN(64, value));
    a.push(r.rax);
  }
  ARGUMENTS.forEach((register, index) => {
    a.movabs(register, BigInt.asUintN(64, values[index] ?? 0n));
  });
  for (const register of CALLEE_SAVED) a.movabs(register, calleeSavedValue(register.number));
  a.movabs(r.r11, targetGpa);
  a.xor(r.eax, r.eax); // no vector registers are used for variable arguments
  a.call(r.r11);
  GPRS.forEach((register, index) => {
    a.mov(memAt('registers', 8 * index), register);
  });
  a.pushf();
  a.pop(r.rax);
  a.mov(memAt('registers', 8 * GPRS.length), r.rax);
  tell(a, LauncherEvent.Returned);
}

function tell(a: Assembler, event: number, argument: Register | number = 0): void {
  a.cli(); // the function may have left interrupts on
  a.mov(r.r12, argument);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.mov(r.ecx, EXPOSED);
  a.movabs(r.r10, LAUNCHER_CALL);
  a.mov(r.r11d, event);
  const again = `told-${a.offset}`;
  a.tdcall();
  a.label(again);
  a.pause();
  a.jmp(again); // the host does not enter this vCPU again
}

function panicFunction(a: Assembler, name: string, index: number): void {
  a.align(16);
  a.label(name);
  a.mov(r.rax, mem64(r.rsp));
  a.mov(memAt('caller'), r.rax);
  tell(a, LauncherEvent.Panicked, index);
}

function indirectThunk(register: Register): string {
  return `__x86_indirect_thunk_${register.name}`;
}

/** What kernels call instead of RET and of indirect jumps. */
function thunks(a: Assembler): void {
  a.align(16);
  a.label(RETURN_THUNK);
  a.ret();
  for (const register of GPRS) {
    a.label(indirectThunk(register));
    a.jmp(register);
  }
}

/** Exceptions are written down and end the run; interrupts are counted, acknowledged and left. */
function handlers(a: Assembler): void {
  for (let vector = 0; vector < VECTORS; vector++) {
    a.label(`vector-${vector}`);
    if (vector < EXCEPTIONS && !WITH_ERROR_CODE.has(vector)) a.push(0);
    a.push(vector);
    a.jmp(vector < EXCEPTIONS ? 'exception-taken' : 'interrupt-taken');
  }
  a.label('exception-taken');
  for (const field of [0, 1, 2]) {
    a.pop(r.rbx); // vector, error code, RIP
    a.mov(memAt('exception', 8 * field), r.rbx);
  }
  a.mov(r.rbx, r.cr2);
  a.mov(memAt('exception', 24), r.rbx);
  tell(a, LauncherEvent.Exception);

  a.label('interrupt-taken');
  for (const register of [r.rax, r.rcx, r.rdx]) a.push(register);
  a.mov(r.rcx, mem64(r.rsp, 24)); // the vector
  a.lea(r.rax, memAt('interrupts'));
  a.inc(mem64(r.rax, 0, { index: r.rcx, scale: 8 }));
  a.mov(r.ecx, X2APIC_EOI);
  a.xor(r.eax, r.eax);
  a.xor(r.edx, r.edx);
  a.wrmsr();
  for (const register of [r.rdx, r.rcx, r.rax]) a.pop(register);
  a.add(r.rsp, 8);
  a.iretq();
}

/** 64-bit interrupt gates (SDM vol. 3, "64-Bit Mode IDT"). */
function interruptTable(handler: (vector: number) => number): Uint8Array {
  const table = new Uint8Array(16 * VECTORS);
  const view = new DataView(table.buffer);
  for (let vector = 0; vector < VECTORS; vector++) {
    const address = BigInt(handler(vector));
    const low =
      (address & 0xffffn) |
      (BigInt(SHIM_CODE_SELECTOR) << 16n) |
      (INTERRUPT_GATE << 32n) |
      (((address >> 16n) & 0xffffn) << 48n);
    view.setBigUint64(16 * vector, low, true);
    view.setBigUint64(16 * vector + 8, address >> 32n, true);
  }
  return table;
}
