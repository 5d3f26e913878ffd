/**
 * What a crossing costs, measured from inside: a bare TD loops over one call and marks the ends of each loop with a letter on its
 * serial port. The yardstick is QEMU's cheapest exit, a port write in ring 0, in a loop of a bare guest of the same assembler.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TdgLeaf, TdvmcallLeaf } from '../src/abi/index.ts';
import { Assembler, addressOf, type Register, r } from '../src/isa/index.ts';
import { planBareTd } from '../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../src/machine/index.ts';

/** Nothing answers here: POST codes. */
const PORT = 0x80;
const ORIGIN = 0x10_0000;
const UNKNOWN_SUB_FUNCTION = 0x2_0000;
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
];

/** Each loop once a round, a letter before and after it; then S5. */
function program(rounds: number): Uint8Array {
  const a = new Assembler({ origin: ORIGIN });
  const mark = () => {
    loadIo(a, BOARD.serial.port, 'm'.charCodeAt(0));
    vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO);
  };
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
  return a.assemble().bytes;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
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
  const [moduleCall, portWrite, unknownCall] = LOOPS.map((_, loop) =>
    median(times.filter((_, index) => index % LOOPS.length === loop)),
  );
  return { moduleCall: moduleCall!, portWrite: portWrite!, unknownCall: unknownCall! };
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
    const marks = await marksOf('qemu-system-x86_64', [
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
    child.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)));
    child.on('close', () => resolve(marks));
  });
}

/** SPECIFICATION.md, "Speed": nanoseconds a call. */
const MOST_NANOSECONDS = { moduleCall: 250, portWrite: 500, unknownCall: 500 } as const;
const NAMES: Readonly<Record<keyof typeof MOST_NANOSECONDS, string>> = {
  moduleCall: 'TDG.VP.INFO',
  portWrite: 'TDVMCALL Instruction.IO, write',
  unknownCall: 'TDVMCALL, unknown sub-function',
};

/** Prints the table; returns a sentence for each promise that is not met. */
export function reportCrossings(result: CrossingBench, rounds: number): string[] {
  console.log(`medians of ${rounds * LOOPS_A_ROUND}                           ns    times QEMU    promised ns`);
  const complaints: string[] = [];
  for (const [key, most] of Object.entries(MOST_NANOSECONDS) as [keyof typeof MOST_NANOSECONDS, number][]) {
    const ratio = result.qemuPortWrite === undefined ? '' : (result[key] / result.qemuPortWrite).toFixed(2);
    console.log(
      `${NAMES[key].padEnd(34)}${result[key].toFixed(0).padStart(8)}${ratio.padStart(14)}${`${most}`.padStart(15)}`,
    );
    if (result[key] > most)
      complaints.push(
        `slower than promised: ${NAMES[key]} takes ${result[key].toFixed(0)} ns, at most ${most} are promised`,
      );
  }
  if (result.qemuPortWrite !== undefined)
    console.log(`${'qemu tcg, port write in ring 0'.padEnd(34)}${result.qemuPortWrite.toFixed(0).padStart(8)}`);
  return complaints;
}

export async function benchCrossings(rounds: number, progress: (text: string) => void): Promise<CrossingBench> {
  progress('a bare TD');
  const ours = benchOurs(rounds);
  progress('qemu-system-x86_64 -accel tcg');
  const qemuPortWrite = await benchQemu(rounds);
  if (qemuPortWrite === undefined)
    progress('qemu-system-x86_64 is not installed (package qemu-system-x86): ours alone');
  return { ...ours, ...(qemuPortWrite === undefined ? {} : { qemuPortWrite }) };
}
