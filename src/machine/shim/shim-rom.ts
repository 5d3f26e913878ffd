/**
 * Our own guest shim: 64 KiB of measured code below 4 GiB that takes a vCPU from the TDX reset state to 64-bit code, accepts
 * memory and enters a kernel. It prints nothing, keeps nothing in memory, and needs no stack.
 *
 * At the reset vector (TDX Module 1.5 Base Architecture, "Initial State of Guest GPRs"): 32-bit protected mode without paging, flat
 * segments, EFER.LME already set, RSI = vCPU index. So CR4.PAE, CR3 and CR0.PG lead to long mode and EFER is never written.
 */
import { reportFatalError } from '../../../guests/index.ts';
import { CompletionCode, DIGEST_BYTES, TdgLeaf } from '../../abi/index.ts';
import { Assembler, addressOf, mem, mem8, mem16, mem32, memAt, r } from '../../isa/index.ts';
import { SHIM_EXTENSION_BYTES, SHIM_ROM_BYTES, SHIM_ROM_GPA, ShimParameter, type ShimRom } from '../../loader/index.ts';

const PAGE_BYTES = 4096;
const LARGE_PAGE_BYTES = 0x20_0000;
const IDENTITY_MAPPED_GIB = 4;

/** Offsets of the ROM's parts. */
const Part = {
  pageTables: 0,
  parameters: 0x6000,
  code: 0x7000,
  fiveLevelRoot: 0x8000,
  resetVector: SHIM_ROM_BYTES - 16,
} as const;

/** of 64-bit code, for those who bring their own IDT */
export const SHIM_CODE_SELECTOR = 0x18;
const Selector = { data: 0x08, code32: 0x10, code64: SHIM_CODE_SELECTOR } as const;
const Descriptor = {
  flatData: 0x00cf_9300_0000_ffffn,
  flatCode32: 0x00cf_9b00_0000_ffffn,
  flatCode64: 0x00af_9b00_0000_ffffn,
} as const;

const Cr0 = { MP: 1 << 1, PG: 0x8000_0000 } as const;
const Cr4 = { PAE: 1 << 5, OSFXSR: 1 << 9, OSXMMEXCPT: 1 << 10, LA57: 1 << 12 } as const;

/** Accessed and dirty are preset: the processor never has to write to the tables. */
const PageEntry = { present: 1, writable: 2, accessed: 0x20, dirty: 0x40, large: 0x80 } as const;

const TABLE_ENTRY = PageEntry.present | PageEntry.writable | PageEntry.accessed;

const ACCEPT_LEVEL_2M = 1;
/** Multiprocessor Wakeup mailbox; the test command, and the reset vector that a switched-off processor jumps to, are of version 1 (ACPI 6.6, section 5.2.12.19). */
const Mailbox = { command: 0, apicId: 4, wakeupVector: 8, commandWakeup: 1, commandTest: 2 } as const;

/** The completion code's eight digits follow. */
const ACCEPT_FAILED = 'The shim could not accept memory, upper half of status: ';
const EXTEND_FAILED = 'The shim could not extend an RTMR, upper half of status:';

/** Assembles the ROM; its parameters are for the loader to fill in. */
export function buildShimRom(): ShimRom {
  const a = new Assembler({ origin: SHIM_ROM_GPA, mode: 32 });
  identityMap(a);
  a.padTo(Part.parameters);
  a.label('parameters');
  a.padTo(Part.code);
  descriptorTable(a);
  protectedMode(a);
  a.mode(64);
  longMode(a);
  bootProcessor(a);
  switchedOff(a);
  otherProcessor(a);
  failed(a, 'accept-failed', ACCEPT_FAILED);
  failed(a, 'extend-failed', EXTEND_FAILED);
  a.label('digits');
  a.bytes(new TextEncoder().encode('0123456789abcdef'));
  a.padTo(Part.fiveLevelRoot);
  a.label('pml5');
  a.u64(SHIM_ROM_GPA + Part.pageTables + TABLE_ENTRY);
  a.padTo(Part.resetVector, 0xf4);
  a.mode(32);
  a.jmp('protected');
  a.padTo(SHIM_ROM_BYTES, 0xf4);
  const { bytes, symbols } = a.assemble();
  return { bytes, parametersOffset: Part.parameters, switchedOffGpa: symbols.get('switched-off')! };
}

/** One PML4, one PDPT, four directories of 2 MiB pages: guest physical = linear for the first 4 GiB, all private. */
function identityMap(a: Assembler): void {
  const table = TABLE_ENTRY;
  const page = table | PageEntry.dirty | PageEntry.large;
  const pdpt = Part.pageTables + PAGE_BYTES;
  const directories = pdpt + PAGE_BYTES;
  a.label('pml4');
  a.u64(SHIM_ROM_GPA + pdpt + table);
  a.padTo(pdpt);
  for (let gib = 0; gib < IDENTITY_MAPPED_GIB; gib++) a.u64(SHIM_ROM_GPA + directories + gib * PAGE_BYTES + table);
  a.padTo(directories);
  const entries = new Uint32Array((IDENTITY_MAPPED_GIB * PAGE_BYTES) / Uint32Array.BYTES_PER_ELEMENT); // upper halves stay zero
  for (let i = 0; i < entries.length; i += 2) entries[i] = (i / 2) * LARGE_PAGE_BYTES + page;
  a.bytes(new Uint8Array(entries.buffer));
}

function descriptorTable(a: Assembler): void {
  a.align(8, 0);
  a.label('gdt');
  a.u64(0, Descriptor.flatData, Descriptor.flatCode32, Descriptor.flatCode64);
  a.label('gdt-pointer');
  a.u16(4 * 8 - 1);
  a.u32(addressOf('gdt'));
  a.label('gdt-pointer-64');
  a.u16(4 * 8 - 1);
  a.u64(addressOf('gdt'));
}

/** Every vCPU comes this way. ESI (vCPU index) is left alone. */
function protectedMode(a: Assembler): void {
  a.align(16);
  a.label('protected');
  a.lgdt(memAt('gdt-pointer'));
  a.mov(r.eax, Selector.data);
  for (const segment of [r.ds, r.es, r.ss]) a.mov(segment, r.eax);
  a.mov(r.eax, r.cr4); // CR4.MCE reads 1 and must stay
  a.or(r.eax, Cr4.PAE | Cr4.OSFXSR | Cr4.OSXMMEXCPT);
  a.mov(r.cr4, r.eax);
  a.mov(r.eax, addressOf('pml4'));
  a.mov(r.cr3, r.eax);
  a.mov(r.eax, r.cr0);
  a.or(r.eax, Cr0.PG | Cr0.MP);
  a.mov(r.cr0, r.eax);
  a.jmpFar(Selector.code64, 'long');
}

function longMode(a: Assembler): void {
  a.label('long');
  a.xor(r.eax, r.eax);
  for (const segment of [r.ds, r.es, r.ss, r.fs, r.gs]) a.mov(segment, r.eax);
  a.test(r.esi, r.esi);
  a.jnz('other-processor');
}

/**
 * Accepts each range: large pages where both ends allow it, small ones elsewhere and where the host mapped small ones.
 * A page that is already accepted was added before finalisation, which MRTD shows; it is skipped.
 * RBX walks the ranges, R12 counts them down; R13 is the next address, R14 the end.
 */
function bootProcessor(a: Assembler): void {
  const parameter = (field: number) => memAt('parameters', field);
  a.lea(r.rbx, parameter(ShimParameter.ranges));
  a.mov(r.r12, parameter(ShimParameter.rangeCount));
  a.label('next-range');
  a.test(r.r12, r.r12);
  a.jz('extend');
  a.mov(r.r13, mem(r.rbx, 0));
  a.mov(r.r14, mem(r.rbx, 8));

  a.label('next-page');
  a.cmp(r.r13, r.r14);
  a.jae('range-done');
  a.test(r.r13d, LARGE_PAGE_BYTES - 1);
  a.jnz('small-page');
  a.lea(r.rax, mem(r.r13, LARGE_PAGE_BYTES));
  a.cmp(r.rax, r.r14);
  a.ja('small-page');

  a.lea(r.rcx, mem(r.r13, ACCEPT_LEVEL_2M));
  a.mov(r.eax, TdgLeaf.MEM_PAGE_ACCEPT);
  a.tdcall();
  completionCodeIntoEdx(a);
  a.cmp(r.edx, CompletionCode.PAGE_SIZE_MISMATCH);
  a.je('small-page');
  failUnlessAccepted(a);
  a.add(r.r13, LARGE_PAGE_BYTES);
  a.jmp('next-page');

  a.label('small-page');
  a.mov(r.rcx, r.r13);
  a.mov(r.eax, TdgLeaf.MEM_PAGE_ACCEPT);
  a.tdcall();
  completionCodeIntoEdx(a);
  failUnlessAccepted(a);
  a.add(r.r13, PAGE_BYTES);
  a.jmp('next-page');

  a.label('range-done');
  a.add(r.rbx, 16);
  a.dec(r.r12);
  a.jmp('next-range');

  extendRegisters(a);
  a.label('enter-kernel');
  a.mov(r.rsi, parameter(ShimParameter.bootParams));
  a.mov(r.rax, parameter(ShimParameter.entry));
  a.jmp(r.rax);
}

/** RBX walks the digests, R12 counts them down. */
function extendRegisters(a: Assembler): void {
  a.label('extend');
  a.lea(r.rbx, memAt('parameters', ShimParameter.extensions));
  a.mov(r.r12, memAt('parameters', ShimParameter.extensionCount));
  a.label('next-extension');
  a.test(r.r12, r.r12);
  a.jz('enter-kernel');
  a.mov(r.rcx, r.rbx);
  a.mov(r.rdx, mem(r.rbx, DIGEST_BYTES));
  a.mov(r.eax, TdgLeaf.MR_RTMR_EXTEND);
  a.tdcall();
  completionCodeIntoEdx(a);
  a.test(r.edx, r.edx);
  a.jnz('extend-failed');
  a.add(r.rbx, SHIM_EXTENSION_BYTES);
  a.dec(r.r12);
  a.jmp('next-extension');
}

function completionCodeIntoEdx(a: Assembler): void {
  a.mov(r.rdx, r.rax);
  a.shr(r.rdx, 32);
}

/** Details of a non-error status may fill the lower half, so only the code counts. */
function failUnlessAccepted(a: Assembler): void {
  const accepted = `accepted-${a.offset}`;
  a.test(r.edx, r.edx);
  a.jz(accepted);
  a.cmp(r.edx, CompletionCode.PAGE_ALREADY_ACCEPTED);
  a.jne('accept-failed');
  a.label(accepted);
}

/**
 * A processor that the kernel switches off comes here, in 64-bit mode with interrupts off and this page mapped to itself. It leaves
 * the kernel's tables for ours and waits as at the start; its number comes from the module.
 */
function switchedOff(a: Assembler): void {
  a.align(16);
  a.label('switched-off');
  a.lgdt(memAt('gdt-pointer-64'));
  a.lea(r.rax, memAt('pml4'));
  a.mov(r.rbx, r.cr4);
  a.test(r.ebx, Cr4.LA57);
  a.jz('leave-tables');
  a.lea(r.rax, memAt('pml5'));
  a.label('leave-tables');
  a.mov(r.cr3, r.rax);
  a.xor(r.eax, r.eax);
  for (const segment of [r.ds, r.es, r.ss, r.fs, r.gs]) a.mov(segment, r.eax);
  a.mov(r.eax, TdgLeaf.VP_INFO);
  a.tdcall();
  a.mov(r.esi, r.r9d);
  a.jmp('other-processor');
}

/** Waits at the mailbox for a wakeup addressed to this vCPU, whose APIC id is its index; takes the command off, then goes. A test only asks whether it is here. */
function otherProcessor(a: Assembler): void {
  a.label('other-processor');
  a.mov(r.rbx, memAt('parameters', ShimParameter.mailbox));
  a.label('wait');
  a.pause();
  a.movzx(r.eax, mem16(r.rbx, Mailbox.command));
  a.cmp(r.eax, Mailbox.commandTest);
  a.ja('wait');
  a.test(r.eax, r.eax);
  a.jz('wait');
  a.cmp(mem32(r.rbx, Mailbox.apicId), r.esi);
  a.jne('wait');
  a.cmp(r.eax, Mailbox.commandWakeup);
  a.je('go');
  a.mov(mem16(r.rbx, Mailbox.command), 0);
  a.jmp('wait');
  a.label('go');
  a.mov(r.rax, mem(r.rbx, Mailbox.wakeupVector));
  a.mov(mem16(r.rbx, Mailbox.command), 0);
  a.jmp(r.rax);
}

/** Reports the completion code in EDX: its digits become the last eight letters of the message. */
function failed(a: Assembler, label: string, message: string): void {
  a.label(label);
  a.mov(r.ebp, r.edx);
  reportFatalError(a, label, message, () => {
    a.mov(r.r11d, 8);
    a.lea(r.rax, memAt('digits'));
    a.label(`${label}-next-digit`);
    a.rol(r.ebp, 4);
    a.mov(r.r10d, r.ebp);
    a.and(r.r10d, 15);
    a.movzx(r.r10d, mem8(r.rax, 0, { index: r.r10 }));
    a.shl(r.r10, 56);
    a.shr(r.rdx, 8);
    a.or(r.rdx, r.r10);
    a.dec(r.r11d);
    a.jnz(`${label}-next-digit`);
  });
}
