/**
 * A TD without an operating system: it asks the module who it is, asks the host what it offers, tells both on the serial port,
 * and switches itself off. Every line that it prints went through `__tdx_hypercall`, one TDVMCALL per letter.
 */
import { MetadataField, TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembled, Assembler, mem, mem8, mem64, memAt, type Register, r } from '../../src/isa/index.ts';
import { HypercallRegisters, ModuleOutput } from '../lib/registers.ts';
import { reportFatalError } from '../lib/report-fatal-error.ts';
import { HYPERCALL, MODULE_CALL, twoCalls } from '../lib/two-calls.ts';

export interface HelloTdBoard {
  readonly serialPort: number;
  readonly sleepControlPort: number;
  /** SLP_TYP of S5 */
  readonly powerOffType: number;
}

const ORIGIN = 0x10_0000;
const STACK_BYTES = 4096;
const SLEEP_ENABLE = 1 << 5;
const SLEEP_TYPE_SHIFT = 2;
const MRTD_WORDS = 6;
const HEX_DIGITS = 16;
/** of Instruction.IO */
const Io = { oneByte: 1, write: 1 } as const;

/** Code, data and stack in one piece; enter at its origin in 64-bit mode with an identity map. */
export function assembleHelloTd(board: HelloTdBoard): Assembled {
  const a = new Assembler({ origin: ORIGIN });
  const texts: [label: string, text: string][] = [];
  const print = (text: string) => {
    const label = `text-${texts.length}`;
    texts.push([label, text]);
    a.lea(r.rdi, memAt(label));
    a.call('print');
  };
  /** RAX in hexadecimal */
  const printRax = () => a.call('print-rax');
  const output = (name: (typeof ModuleOutput.names)[number]) =>
    a.mov(r.rax, memAt('module-output', ModuleOutput.offsetOf(name)));

  a.lea(r.rsp, memAt('stack-top'));
  print('Hello from a Trust Domain.\r\n');

  print('__tdx_module_call, TDG.VP.INFO: status ');
  moduleCall(a, TdgLeaf.VP_INFO);
  printRax();
  print(', GPA width ');
  output('rcx');
  printRax();
  print(', attributes ');
  output('rdx');
  printRax();
  print(', vCPUs ');
  output('r8');
  a.mov(r.eax, r.eax); // the lower half is their number, the upper half their maximum
  printRax();
  print('\r\n');

  print('__tdx_module_call, TDG.VM.RD: MRTD ');
  for (let word = 0; word < MRTD_WORDS; word++) {
    moduleCall(a, TdgLeaf.VM_RD, BigInt(MetadataField.MRTD) + BigInt(word));
    a.test(r.rax, r.rax);
    a.jnz('no-mrtd');
    output('r8');
    a.bswap(r.rax); // a digest is a row of bytes, lowest first
    a.mov(r.ecx, HEX_DIGITS);
    a.call('print-digits');
  }
  a.label('no-mrtd');
  print('\r\n');

  print('__tdx_hypercall, GetTdVmCallInfo: status ');
  hypercall(a, { r11: TdvmcallLeaf.GET_TD_VM_CALL_INFO });
  printRax();
  print('\r\n__tdx_hypercall, Instruction.IO: you are reading it. Good night.\r\n');

  hypercall(a, {
    r11: TdvmcallLeaf.INSTRUCTION_IO,
    r12: Io.oneByte,
    r13: Io.write,
    r14: board.sleepControlPort,
    r15: (board.powerOffType << SLEEP_TYPE_SHIFT) | SLEEP_ENABLE,
  });
  reportFatalError(a, 'still-on', 'hello-td: the host did not switch the power off');

  printRoutine(a, board.serialPort);
  printHexadecimal(a);
  twoCalls(a);

  for (const [label, text] of texts) {
    a.label(label);
    a.asciz(text);
  }
  a.align(16, 0);
  a.label('module-output');
  a.bytes(new Uint8Array(ModuleOutput.sizeBytes));
  a.label('hypercall-registers');
  a.bytes(new Uint8Array(HypercallRegisters.sizeBytes));
  a.align(16, 0);
  a.bytes(new Uint8Array(STACK_BYTES));
  a.label('stack-top');
  return a.assemble();
}

/** Status in RAX, the rest at `module-output`. */
function moduleCall(a: Assembler, leaf: number, rdx = 0n): void {
  a.mov(r.edi, leaf);
  a.xor(r.esi, r.esi);
  a.mov(r.rdx, rdx);
  a.xor(r.ecx, r.ecx);
  a.xor(r.r8d, r.r8d);
  a.lea(r.r9, memAt('module-output'));
  a.call(MODULE_CALL);
}

/** Status in RAX; nothing is copied back. A value is a number or a register other than RDI. */
function hypercall(
  a: Assembler,
  values: Partial<Record<(typeof HypercallRegisters.names)[number], number | Register>>,
) {
  a.lea(r.rdi, memAt('hypercall-registers'));
  for (const name of HypercallRegisters.names)
    a.mov(mem64(r.rdi, HypercallRegisters.offsetOf(name)), values[name] ?? 0);
  a.xor(r.esi, r.esi);
  a.call(HYPERCALL);
}

/** Prints the zero-terminated text at RDI. */
function printRoutine(a: Assembler, port: number): void {
  a.label('print');
  a.push(r.rbx);
  a.mov(r.rbx, r.rdi);
  a.label('next-letter');
  a.cmp(mem8(r.rbx), 0);
  a.je('printed');
  a.movzx(r.eax, mem8(r.rbx));
  hypercall(a, { r11: TdvmcallLeaf.INSTRUCTION_IO, r12: Io.oneByte, r13: Io.write, r14: port, r15: r.rax });
  a.test(r.rax, r.rax);
  a.jnz('host-refuses');
  a.inc(r.rbx);
  a.jmp('next-letter');
  a.label('printed');
  a.pop(r.rbx);
  a.ret();
  a.label('host-refuses');
  reportFatalError(a, 'mute', 'hello-td: the host refuses to write to the serial port');
}

/** `print-rax`: "0x" and RAX without leading zeros. `print-digits`: the lowest ECX digits of RAX. */
function printHexadecimal(a: Assembler): void {
  a.label('print-rax');
  a.push(r.rax);
  a.lea(r.rdi, memAt('hex-prefix'));
  a.call('print');
  a.pop(r.rax);
  a.mov(r.ecx, 1);
  a.mov(r.rdx, r.rax);
  a.label('count-digits');
  a.shr(r.rdx, 4);
  a.jz('print-digits');
  a.inc(r.ecx);
  a.jmp('count-digits');

  a.label('print-digits');
  a.lea(r.rdi, memAt('digits-end'));
  a.label('next-digit');
  a.mov(r.edx, r.eax);
  a.and(r.edx, 15);
  a.lea(r.rsi, memAt('hex-alphabet'));
  a.movzx(r.edx, mem8(r.rsi, 0, { index: r.rdx }));
  a.dec(r.rdi);
  a.mov(mem(r.rdi), r.dl);
  a.shr(r.rax, 4);
  a.dec(r.ecx);
  a.jnz('next-digit');
  a.jmp('print');

  a.label('hex-prefix');
  a.asciz('0x');
  a.label('hex-alphabet');
  a.bytes(new TextEncoder().encode('0123456789abcdef'));
  a.bytes(new Uint8Array(HEX_DIGITS));
  a.label('digits-end');
  a.u8(0);
}
