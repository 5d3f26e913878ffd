/** A kernel of a few instructions for `boot --kernel`: it answers keys, and shows what the options of its platform change. */
import { MetadataField, TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { Assembler, type Register, r } from '../../src/isa/index.ts';
import { consoleMark } from '../../src/node/index.ts';
import { powerOff, print, vmmCall } from '../tdx/small-td-calls.ts';

const LOAD_ADDRESS = 0x20_0000;
const HYPERVISOR_LEAF = 0x4000_0000;
const HEADER_BYTES = 64 + 56;
const Serial = { data: 0x3f8, lineStatus: 0x3fd } as const;
const DATA_READY = 1;

/**
 * Prints "tiny" and the mark of a shell. The first key is answered with letters that depend on seed, host, module and TD, each other one
 * with the character after it; "q" powers off.
 */
export function tinyKernel(): Uint8Array {
  const a = new Assembler({ origin: LOAD_ADDRESS });
  say(a, `tiny\n${consoleMark('ready')}`);
  key(a, 'first');
  a.rdrand(r.rax);
  letter(a, r.rax); // the seed's
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_CPUID, HYPERVISOR_LEAF, 0);
  letter(a, r.r13); // the host's
  a.movabs(r.rdx, MetadataField.MAJOR_VERSION);
  a.mov(r.eax, TdgLeaf.SYS_RD);
  a.tdcall();
  letter(a, r.r8); // the module's
  a.mov(r.eax, TdgLeaf.VP_INFO);
  a.tdcall();
  a.mov(r.rbp, r.r8);
  letter(a, r.rdx); // ATTRIBUTES
  letter(a, r.rbp); // vCPUs
  say(a, '\n');

  a.label('answer');
  key(a, 'next');
  a.mov(r.r15, r.r11);
  a.cmp(r.r15d, 'q'.charCodeAt(0));
  a.je('quit');
  a.add(r.r15, 1);
  print(a, r.r15);
  a.jmp('answer');
  a.label('quit');
  say(a, 'bye\n');
  powerOff(a);
  return executable(a.assemble().bytes);
}

function say(a: Assembler, text: string): void {
  for (const character of text) print(a, character.charCodeAt(0));
}

/** Waits for a key; R11 is it. */
function key(a: Assembler, label: string): void {
  a.label(label);
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 0, Serial.lineStatus);
  a.and(r.r11d, DATA_READY);
  a.je(label);
  vmmCall(a, TdvmcallLeaf.INSTRUCTION_IO, 1, 0, Serial.data);
}

/** One of sixteen letters for the low four bits. */
function letter(a: Assembler, value: Register): void {
  a.mov(r.r15, value);
  a.and(r.r15d, 15);
  a.add(r.r15d, 'A'.charCodeAt(0));
  print(a, r.r15);
}

/** An ELF64 executable with one segment, entered at its start. */
function executable(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, BigInt(LOAD_ADDRESS), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 7, true);
  view.setBigUint64(72, BigInt(HEADER_BYTES), true);
  view.setBigUint64(80, BigInt(LOAD_ADDRESS), true);
  view.setBigUint64(88, BigInt(LOAD_ADDRESS), true);
  view.setBigUint64(96, BigInt(code.length), true);
  view.setBigUint64(104, BigInt(code.length), true);
  bytes.set(code, HEADER_BYTES);
  return bytes;
}
