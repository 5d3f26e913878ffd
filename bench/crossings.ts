/**
 * What a crossing costs, measured from inside: a bare TD loops over one call and marks the ends of each loop with a letter on its
 * serial port. The yardstick is QEMU's cheapest exit, a port write in ring 0, in a loop of a bare guest of the same assembler.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TdgLeaf, TdvmcallLeaf } from '../src/abi/index.ts';
import { Assembler, addressOf, mem32, mem64, memAt, type Register, r, Vector } from '../src/isa/index.ts';
import { planBareTd } from '../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../src/machine/index.ts';
import { SHIM_CODE_SELECTOR } from '../src/machine/shim/shim-rom.ts';
import { isMissing, NO_QEMU, QEMU } from './machines.ts';
import { median, type Row } from './table.ts';

/** Nothing answers here: POST codes. */
const PORT = 0x80;
const ORIGIN = 0x10_0000;
const UNKNOWN_SUB_FUNCTION = 0x2_0000;
const IDT_GPA = 0x18_0000;
const STACK_TOP_GPA = 0x20_0000;
const INTERRUPT_GATE = 0x8e00;
/** Calls of one loop: shorter than a time slice of a busy machine, so that the median is of undisturbed loops. */
const CALLS = 1000;
/** QEMU's: long enough for a clock at the other end of a pipe */
const QEMU_WRITES = 300_000;
const LOOPS_A_ROUND = 50;
/** loops that warm the engines up */
const WARM_UP = 50;

/** Nanoseconds a call, as medians. */
export interface CrossingBench {
  readonly moduleCall: number;
  readonly portWrite: number;
  readonly unknownCall: number;
  /** OUT, which raises #VE; its handler asks the module what happened, asks the host to do it, and returns */
  readonly virtualizationException: number;
  /** absent without QEMU on the machine */
  readonly qemuPortWrite?: number;
}

/** Calls in a loop that counts EBX down. */
interface Loop {
  readonly name: keyof CrossingBench;
  /** registers that the call leaves as they are */
  readonly prepare: (a: Assembler) => void;
  readonly call: (a: Assembler) => void;
}

/** R10 to R15 cross. */
const EXPOSED = 0xfc00;

function vmmCall(a: Assembler, leaf: number): void {
  a.mov(r.r11d, leaf);
  a.xor(r.r10d, r.r10d);
  a.mov(r.ecx, EXPOSED);
  a.xor(r.eax, r.eax);
  a.tdcall();
}

function loadIo(a: Assembler, port: number, value: number | Register): void {
  a.mov(r.r12d, 1);
  a.mov(r.r13d, 1);
  a.mov(r.r14d, port);
  a.mov(r.r15, value);
}

const LOOPS: readonly Loop[] = [
  {
    name: 'moduleCall',
    prepare: () => {},
    call: (a) => {
      a.mov(r.eax, TdgLeaf.VP_INFO);
      a.tdcall();
    },
  },
  {
    name: 'portWrite',
    prepare: (a) => loadIo(a, PORT, 0),
    call: (a) => vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO),
  },
  { name: 'unknownCall', prepare: () => {}, call: (a) => vmmCall(a, UNKNOWN_SUB_FUNCTION) },
  { name: 'virtualizationException', prepare: () => {}, call: (a) => a.out(PORT, r.al) },
];

/** Stack, and an IDT whose only gate is for #VE. */
function takeExceptions(a: Assembler): void {
  a.mov(r.rsp, STACK_TOP_GPA);
  a.mov(r.ebx, IDT_GPA + 16 * Vector.VE);
  a.mov(r.eax, addressOf('ve'));
  a.or(r.eax, SHIM_CODE_SELECTOR << 16);
  a.mov(mem32(r.rbx), r.eax);
  a.mov(mem32(r.rbx, 4), ORIGIN | INTERRUPT_GATE);
  a.lidt(memAt('idtr'));
  a.jmp('ready');
  a.label('idtr');
  a.u16(0xfff);
  a.u64(IDT_GPA);
  a.label('ready');
}

/** What a kernel does about a port write (GHCI 1.5, "#VE handling"): the registers are the interrupted program's again afterwards. */
function exceptionHandler(a: Assembler): void {
  const saved = [r.rax, r.rcx, r.rdx, r.rsi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15];
  a.label('ve');
  for (const register of saved) a.push(register);
  a.mov(r.eax, TdgLeaf.VP_VEINFO_GET);
  a.tdcall();
  a.mov(r.esi, r.r10d); // length of the instruction
  a.mov(r.r12d, r.edx); // qualification: size - 1 in bits 2:0, port in bits 31:16
  a.and(r.r12d, 7);
  a.inc(r.r12d);
  a.mov(r.r13d, 1);
  a.mov(r.r14d, r.edx);
  a.shr(r.r14d, 16);
  a.mov(r.r15, mem64(r.rsp, 8 * (saved.length - 1))); // RAX
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO);
  a.add(mem64(r.rsp, 8 * saved.length), r.rsi);
  for (const register of [...saved].reverse()) a.pop(register);
  a.iretq();
}

/** Each loop once a round, a letter before and after it; then S5. */
function program(rounds: number): Uint8Array {
  const a = new Assembler({ origin: ORIGIN });
  const mark = () => {
    loadIo(a, BOARD.serial.port, 'm'.charCodeAt(0));
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO);
  };
  takeExceptions(a);
  a.mov(r.ebp, rounds);
  a.label('round');
  for (const { name, prepare, call } of LOOPS) {
    mark();
    prepare(a);
    a.mov(r.ebx, CALLS);
    a.label(name);
    call(a);
    a.dec(r.ebx);
    a.jnz(name);
    mark();
  }
  a.dec(r.ebp);
  a.jnz('round');
  loadIo(a, BOARD.power.sleepControlPort, (BOARD.power.powerOffType << 2) | 0x20);
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO);
  exceptionHandler(a);
  return a.assemble().bytes;
}

/** Nanoseconds between each pair of marks, a call. */
function pairs(marks: readonly number[], calls: number): number[] {
  return Array.from({ length: marks.length >> 1 }, (_, i) => ((marks[2 * i + 1]! - marks[2 * i]!) * 1e6) / calls);
}

function benchOurs(rounds: number): Omit<CrossingBench, 'qemuPortWrite'> {
  const platform = new TdxPlatform({ memoryBytes: 4 << 20 });
  const plan = planBareTd({
    name: 'crossings',
    pieces: [{ startGpa: ORIGIN, content: program(rounds * LOOPS_A_ROUND + WARM_UP) }],
    entryGpa: ORIGIN,
    memoryBytes: 4 << 20,
    vcpus: 1,
    mailboxGpa: 0x8000,
    shim: buildShimRom(),
  });
  const marks: number[] = [];
  const { end } = platform.buildTd(plan, { consoleOutput: () => marks.push(performance.now()) }).run();
  if (end.cause !== 'power-off') throw new Error(`the bare TD ended with ${end.cause}`);
  const times = pairs(marks, CALLS).slice(WARM_UP * LOOPS.length);
  const [moduleCall, portWrite, unknownCall, virtualizationException] = LOOPS.map((_, loop) =>
    median(times.filter((_, index) => index % LOOPS.length === loop)),
  ) as [number, number, number, number];
  return { moduleCall, portWrite, unknownCall, virtualizationException };
}

/** A raw Multiboot image (Multiboot Specification 0.6.96, "OS image format", with the address fields). */
function qemuGuest(rounds: number): Uint8Array {
  const MAGIC = 0x1bad_b002;
  const ADDRESSES_GIVEN = 1 << 16;
  const a = new Assembler({ origin: ORIGIN, mode: 32 });
  const mark = () => {
    a.mov(r.edx, 0x3f8);
    a.mov(r.eax, 'm'.charCodeAt(0));
    a.out(r.dx, r.al);
  };
  a.u32(MAGIC, ADDRESSES_GIVEN, 0x1_0000_0000 - MAGIC - ADDRESSES_GIVEN);
  a.u32(ORIGIN, ORIGIN, 0, 0, addressOf('start'));
  a.label('start');
  a.mov(r.ebp, rounds);
  a.label('round');
  mark();
  a.mov(r.ebx, QEMU_WRITES);
  a.label('write');
  a.out(PORT, r.al);
  a.dec(r.ebx);
  a.jnz('write');
  mark();
  a.dec(r.ebp);
  a.jnz('round');
  a.mov(r.edx, DEBUG_EXIT_PORT);
  a.out(r.dx, r.al);
  a.label('halt');
  a.hlt();
  a.jmp('halt');
  return a.assemble().bytes;
}

const DEBUG_EXIT_PORT = 0xf4;

/** Undefined without QEMU on the machine. */
async function benchQemu(rounds: number): Promise<number | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'seamulator-bench-'));
  try {
    const kernel = join(directory, 'kernel');
    await writeFile(kernel, qemuGuest(rounds * LOOPS_A_ROUND + 1));
    const marks = await marksOf(QEMU, [
      ...['-accel', 'tcg,thread=single', '-machine', 'pc', '-m', '64', '-nodefaults', '-display', 'none'],
      ...['-serial', 'stdio', '-device', `isa-debug-exit,iobase=${DEBUG_EXIT_PORT}`, '-kernel', kernel],
    ]);
    if (marks === undefined) return undefined;
    if (marks.length !== 2 * (rounds * LOOPS_A_ROUND + 1)) throw new Error(`QEMU's guest gave ${marks.length} marks`);
    return median(pairs(marks, QEMU_WRITES).slice(1));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function marksOf(command: string, args: readonly string[]): Promise<number[] | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const marks: number[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      for (const _ of chunk) marks.push(performance.now());
    });
    child.on('error', (error) => (isMissing(error) ? resolve(undefined) : reject(error)));
    child.on('close', () => resolve(marks));
  });
}

/** SPECIFICATION.md, "Speed": nanoseconds a call. */
const MOST_NANOSECONDS = {
  moduleCall: 250,
  portWrite: 500,
  unknownCall: 500,
  virtualizationException: undefined,
} as const;
const NAMES: Readonly<Record<keyof typeof MOST_NANOSECONDS, string>> = {
  moduleCall: 'TDG.VP.INFO',
  portWrite: 'TDVMCALL Instruction.IO, write',
  unknownCall: 'TDVMCALL, unknown sub-function',
  virtualizationException: 'OUT, by #VE and TDVMCALL',
};

/** QEMU's port write in ring 0 stands beside each. */
export function crossingRows({ qemuPortWrite, ...ours }: CrossingBench): Row[] {
  return (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((key) => {
    const atMost = MOST_NANOSECONDS[key];
    return {
      bench: 'crossings',
      name: NAMES[key],
      value: ours[key],
      unit: 'ns',
      ...(qemuPortWrite !== undefined && { qemu: qemuPortWrite }),
      ...(atMost !== undefined && { promised: { of: 'value', atMost } }),
    };
  });
}

export async function benchCrossings(rounds: number, progress: (text: string) => void): Promise<CrossingBench> {
  progress('a bare TD');
  const ours = benchOurs(rounds);
  progress(QEMU);
  const qemuPortWrite = await benchQemu(rounds);
  if (qemuPortWrite === undefined) progress(NO_QEMU);
  return { ...ours, ...(qemuPortWrite === undefined ? {} : { qemuPortWrite }) };
}
