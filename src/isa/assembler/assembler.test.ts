import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { r } from '../registers.ts';
import { Assembler } from './assembler.ts';
import { addressOf, mem, mem8, mem16, mem32, mem64, memAt } from './operands.ts';

/** Text of everything assembled, by a disassembler that is not ours. */
function disassemble(bytes: Uint8Array, mode: 32 | 64, origin = 0): string[] {
  const decoder = new Decoder(mode, bytes, DecoderOptions.None);
  decoder.ip = BigInt(origin);
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.spaceAfterOperandSeparator = true;
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  const lines: string[] = [];
  while (decoder.canDecode) lines.push(formatter.format(decoder.decode()));
  return lines;
}

function check(mode: 32 | 64, build: (a: Assembler) => void, expected: string[], origin = 0): void {
  const a = new Assembler({ origin, mode });
  build(a);
  assert.deepEqual(disassemble(a.assemble().bytes, mode, origin), expected);
}

test('MOV in 64-bit code: every pair of operand kinds', () => {
  check(
    64,
    (a) => {
      a.mov(r.rax, 5);
      a.mov(r.eax, 0xffffffff);
      a.mov(r.r9, 0x1122334455667788n);
      a.mov(r.sil, 1);
      a.mov(r.ah, 1);
      a.mov(r.r10w, 0x1234);
      a.mov(r.rax, r.r15);
      a.mov(mem(r.rbp, -0x10), r.rcx);
      a.mov(r.r13b, mem(r.r13));
      a.mov(r.edx, mem(r.rsp, 0x100, { index: r.r12, scale: 8 }));
      a.mov(mem64(r.rax), -1);
      a.mov(mem8(r.r12), 0xff);
      a.mov(mem16(null, 0x500), 7);
      a.mov(r.rax, mem(null, 0x10, { segment: r.gs }));
      a.mov(r.cr3, r.rax);
      a.mov(r.r8, r.cr4);
      a.mov(r.rax, r.dr7);
      a.mov(r.ds, r.eax);
      a.mov(r.eax, r.cs);
      a.movabs(r.rbx, 1);
      a.movzx(r.eax, mem8(r.rsi));
      a.movsx(r.rax, r.ecx);
      a.lea(r.rdi, mem(r.rax, 4, { index: r.rcx, scale: 2 }));
      a.mov(r.eax, mem(r.ecx));
    },
    [
      'mov rax, 5',
      'mov eax, 0xffffffff',
      'mov r9, 0x1122334455667788',
      'mov sil, 1',
      'mov ah, 1',
      'mov r10w, 0x1234',
      'mov rax, r15',
      'mov [rbp-0x10], rcx',
      'mov r13b, [r13]',
      'mov edx, [rsp+r12*8+0x100]',
      'mov qword ptr [rax], 0xffffffffffffffff',
      'mov byte ptr [r12], 0xff',
      'mov word ptr [0x500], 7',
      'mov rax, gs:[0x10]',
      'mov cr3, rax',
      'mov r8, cr4',
      'mov rax, dr7',
      'mov ds, ax',
      'mov eax, cs',
      'mov rbx, 1',
      'movzx eax, byte ptr [rsi]',
      'movsxd rax, ecx',
      'lea rdi, [rax+rcx*2+4]',
      'mov eax, [ecx]',
    ],
  );
});

test('arithmetic, logic, shifts, bits and locks', () => {
  check(
    64,
    (a) => {
      a.add(r.rax, 1);
      a.sub(r.ecx, 0x1000);
      a.and(mem64(r.rbx), -16);
      a.or(r.al, 0x80);
      a.xor(r.r8d, r.r8d);
      a.cmp(r.rdi, mem(r.rsi));
      a.adc(mem(r.rsi), r.edx);
      a.test(r.eax, r.eax);
      a.test(mem32(r.rdi), 0x80000000);
      a.shl(r.rax, 32);
      a.shr(r.edx, r.cl);
      a.sar(mem32(r.rax), 3);
      a.inc(r.rcx);
      a.dec(mem8(r.rcx));
      a.neg(r.r9);
      a.not(r.ax);
      a.bts(r.rax, 47);
      a.imul(r.eax, r.ebx);
      a.lockCmpxchg(mem(r.rdi), r.rcx);
      a.lockXadd(mem(r.rdi), r.eax);
      a.xchg(mem(r.rax), r.rbx);
      a.setcc(4, r.al);
      a.bswap(r.r9);
    },
    [
      'add rax, 1',
      'sub ecx, 0x1000',
      'and qword ptr [rbx], 0xfffffffffffffff0',
      'or al, 0x80',
      'xor r8d, r8d',
      'cmp rdi, [rsi]',
      'adc [rsi], edx',
      'test eax, eax',
      'test dword ptr [rdi], 0x80000000',
      'shl rax, 0x20',
      'shr edx, cl',
      'sar dword ptr [rax], 3',
      'inc rcx',
      'dec byte ptr [rcx]',
      'neg r9',
      'not ax',
      'bts rax, 0x2f',
      'imul eax, ebx',
      'lock cmpxchg [rdi], rcx',
      'lock xadd [rdi], eax',
      'xchg [rax], rbx',
      'sete al',
      'bswap r9',
    ],
  );
});

test('labels: short backward, near forward, RIP-relative, absolute', () => {
  const origin = 0x400000;
  check(
    64,
    (a) => {
      a.label('top');
      a.jnz('top');
      a.jz('end');
      a.call('end');
      a.jmp('top');
      a.lea(r.rsi, memAt('end'));
      a.mov(mem32(null, 0x10), 1);
      a.cmp(memAt('end', 4, 8), 0x7f);
      a.mov(r.rdi, addressOf('end', 1));
      a.loop('top');
      a.jmp(r.rax);
      a.call(mem(r.r11, 8));
      a.push(r.r12);
      a.push(0x1234);
      a.push(-1);
      a.pop(r.rbp);
      a.label('end');
      a.ret();
    },
    [
      'jne short 0x0000000000400000',
      'je 0x0000000000400044',
      'call 0x0000000000400044',
      'jmp short 0x0000000000400000',
      'lea rsi, [0x400044]',
      'mov dword ptr [0x10], 1',
      'cmp byte ptr [0x400048], 0x7f',
      'mov rdi, 0x400045',
      'loop 0x0000000000400000',
      'jmp rax',
      'call qword ptr [r11+8]',
      'push r12',
      'push 0x1234',
      'push 0xffffffffffffffff',
      'pop rbp',
      'ret',
    ],
    origin,
  );
});

test('32-bit code', () => {
  check(
    32,
    (a) => {
      a.mov(r.eax, r.cr0);
      a.mov(r.cr4, r.ecx);
      a.lgdt(memAt('table'));
      a.lidt(mem(r.ebx, 2));
      a.push(r.eax);
      a.mov(r.eax, mem(null, 0x1000));
      a.mov(mem(null, 0x1000, { index: r.ecx, scale: 4 }), r.edx);
      a.jmpFar(8, 'table');
      a.label('table');
      a.hlt();
    },
    [
      'mov eax, cr0',
      'mov cr4, ecx',
      'lgdt [0xffff0026]',
      'lidt [ebx+2]',
      'push eax',
      'mov eax, [0x1000]',
      'mov [ecx*4+0x1000], edx',
      'jmp far 0xffff0026, 8',
      'hlt',
    ],
    0xffff0000,
  );
});

test('instructions without operands and port I/O', () => {
  check(
    64,
    (a) => {
      a.in(r.al, 0x60);
      a.in(r.eax, r.dx);
      a.out(0x80, r.al);
      a.out(r.dx, r.ax);
      for (const name of [
        'hlt',
        'cpuid',
        'rdmsr',
        'wrmsr',
        'tdcall',
        'seamcall',
        'vmcall',
        'repMovsb',
        'repMovsq',
        'repStosb',
        'repStosq',
        'cli',
        'sti',
        'cld',
        'ud2',
        'pause',
        'int3',
        'iretq',
        'nop',
        'rdtsc',
        'mfence',
        'wbinvd',
        'swapgs',
        'endbr64',
        'pushf',
        'popf',
        'syscall',
      ] as const) {
        a[name]();
      }
      a.rdrand(r.rax);
      a.ltr(r.ax);
      a.invlpg(mem(r.rax));
    },
    [
      'in al, 0x60',
      'in eax, dx',
      'out 0x80, al',
      'out dx, ax',
      'hlt',
      'cpuid',
      'rdmsr',
      'wrmsr',
      'tdcall',
      'seamcall',
      'vmcall',
      'rep movsb [rdi], [rsi]',
      'rep movsq [rdi], [rsi]',
      'rep stosb [rdi]',
      'rep stosq [rdi]',
      'cli',
      'sti',
      'cld',
      'ud2',
      'pause',
      'int3',
      'iretq',
      'nop',
      'rdtsc',
      'mfence',
      'wbinvd',
      'swapgs',
      'endbr64',
      'pushfq',
      'popfq',
      'syscall',
      'rdrand rax',
      'ltr ax',
      'invlpg [rax]',
    ],
  );
});

test('data, alignment and the symbol table', () => {
  const a = new Assembler({ origin: 0x1000 });
  a.u8(1);
  a.align(8, 0);
  a.label('data');
  a.u16(0x1234);
  a.u32(0xffffffff);
  a.u64(-1n, addressOf('data'));
  a.asciz('hi');
  const { bytes, symbols, origin } = a.assemble();
  assert.equal(origin, 0x1000);
  assert.deepEqual([...symbols], [['data', 0x1008]]);
  const expected = '0100000000000000' + '3412ffffffff' + 'ffffffffffffffff' + '0810000000000000' + '686900';
  assert.equal(Buffer.from(bytes).toString('hex'), expected);
});

test('mistakes are one sentence', () => {
  const refuse = (mode: 32 | 64, build: (a: Assembler) => void, sentence: RegExp) =>
    assert.throws(() => {
      const a = new Assembler({ mode });
      build(a);
      a.assemble();
    }, sentence);
  refuse(64, (a) => a.jmp('nowhere'), /label "nowhere" is not defined/);
  refuse(32, (a) => a.mov(r.rax, r.rbx), /64-bit operands in 32-bit code/);
  refuse(64, (a) => a.inc(mem(r.rax)), /size of a memory operand is missing/);
  refuse(64, (a) => a.add(r.rax, 0x123456789), /does not fit/);
  refuse(64, (a) => a.mov(r.al, 256), /256 does not fit in 8 bits/);
  refuse(64, (a) => a.mov(r.ah, r.r8b), /REX/);
  refuse(64, (a) => a.mov(r.eax, r.bl), /not 8 bits wide/);
});
