/** Names of registers, as people write them. */

export type RegisterFileName = 'gpr' | 'segment' | 'control' | 'debug' | 'xmm' | 'mmx' | 'x87' | 'ymm';

/** One register as an operand of the assembler. General registers: `number` 0-15, and 16-19 for AH, CH, DH, BH. */
export interface Register {
  readonly file: RegisterFileName;
  readonly name: string;
  readonly number: number;
  /** bits */
  readonly size: number;
}

const GPR_64 = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');
const GPR_8 = 'al cl dl bl spl bpl sil dil r8b r9b r10b r11b r12b r13b r14b r15b ah ch dh bh'.split(' ');
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

/** Name of a general register at a width of 8, 16, 32 or 64 bits; 16 is RIP. */
export function gprName(register: number, size: number): string {
  if (size === 8) return GPR_8[register] ?? '?';
  if (register === 16) return size === 32 ? 'eip' : 'rip';
  const name = GPR_64[register] ?? '?';
  if (register >= 8) return size === 64 ? name : name + (size === 32 ? 'd' : 'w');
  return size === 64 ? name : (size === 32 ? 'e' : '') + name.slice(1);
}

/** Name of a segment register, 0-5 = ES, CS, SS, DS, FS, GS. */
export function segmentName(register: number): string {
  return SEGMENTS[register] ?? '?';
}

function gprs<Name extends string>(names: string, size: number): Record<Name, Register> {
  const entries = names.split(' ').map((name, number) => [name, { file: 'gpr', name, number, size }]);
  return Object.fromEntries(entries) as Record<Name, Register>;
}

function others<Name extends string>(names: string, file: RegisterFileName, size: number): Record<Name, Register> {
  const entries = names.split(' ').map((name, number) => [name, { file, name, number, size }]);
  return Object.fromEntries(entries) as Record<Name, Register>;
}

type High = 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
type Word = 'ax' | 'cx' | 'dx' | 'bx' | 'sp' | 'bp' | 'si' | 'di';
type Low = 'al' | 'cl' | 'dl' | 'bl' | 'spl' | 'bpl' | 'sil' | 'dil' | 'ah' | 'ch' | 'dh' | 'bh';

/** Registers by name: `r.rax`, `r.eax`, `r.ax`, `r.al`, `r.ah`, `r.r8d`, `r.cr0`, `r.ds`. */
export const r = {
  ...gprs<`r${Word}` | `r${High}`>(GPR_64.join(' '), 64),
  ...gprs<`e${Word}` | `r${High}d`>('eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d', 32),
  ...gprs<Word | `r${High}w`>('ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w', 16),
  ...gprs<Low | `r${High}b`>(GPR_8.join(' '), 8),
  ...others<'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs'>(SEGMENTS.join(' '), 'segment', 16),
  ...others<'cr0' | 'cr1' | 'cr2' | 'cr3' | 'cr4' | 'cr5' | 'cr6' | 'cr7' | 'cr8'>(
    'cr0 cr1 cr2 cr3 cr4 cr5 cr6 cr7 cr8',
    'control',
    64,
  ),
  ...others<'dr0' | 'dr1' | 'dr2' | 'dr3' | 'dr4' | 'dr5' | 'dr6' | 'dr7'>(
    'dr0 dr1 dr2 dr3 dr4 dr5 dr6 dr7',
    'debug',
    64,
  ),
} as const;
