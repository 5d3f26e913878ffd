/** Instructions of the assembler that differ from others only in their bytes, or in a number: a row each (SDM volume 2, by mnemonic). */

/** Bytes of those without operands. */
export const WHOLE = {
  /** PUSHFD or PUSHFQ, by mode */
  pushf: [0x9c],
  /** POPFD or POPFQ, by mode */
  popf: [0x9d],
  ret: [0xc3],
  int3: [0xcc],
  ud2: [0x0f, 0x0b],
  iretq: [0x48, 0xcf],
  syscall: [0x0f, 0x05],
  endbr64: [0xf3, 0x0f, 0x1e, 0xfa],
  cld: [0xfc],
  repMovsb: [0xf3, 0xa4],
  repMovsd: [0xf3, 0xa5],
  repMovsq: [0xf3, 0x48, 0xa5],
  repStosb: [0xf3, 0xaa],
  repStosd: [0xf3, 0xab],
  repStosq: [0xf3, 0x48, 0xab],
  lodsb: [0xac],
  stosb: [0xaa],
  cli: [0xfa],
  sti: [0xfb],
  hlt: [0xf4],
  nop: [0x90],
  pause: [0xf3, 0x90],
  cpuid: [0x0f, 0xa2],
  rdtsc: [0x0f, 0x31],
  rdmsr: [0x0f, 0x32],
  wrmsr: [0x0f, 0x30],
  swapgs: [0x0f, 0x01, 0xf8],
  mfence: [0x0f, 0xae, 0xf0],
  wbinvd: [0x0f, 0x09],
  /** the one instruction of a TD that leaves its world */
  tdcall: [0x66, 0x0f, 0x01, 0xcc],
  seamcall: [0x66, 0x0f, 0x01, 0xcf],
  vmcall: [0x0f, 0x01, 0xc1],
} as const;

/** Two operands, the second of which may be an immediate: the digit of opcodes 80 to 83. */
export const ARITHMETIC = { add: 0, or: 1, adc: 2, sbb: 3, and: 4, sub: 5, xor: 6, cmp: 7 } as const;

/** By a number of bits, or CL: the digit of opcodes C0, C1, D2 and D3. */
export const SHIFTS = { rol: 0, ror: 1, shl: 4, shr: 5, sar: 7 } as const;

/** One operand: opcode for 8 bits, and its digit. */
export const UNARY = {
  inc: [0xfe, 0],
  dec: [0xfe, 1],
  not: [0xf6, 2],
  neg: [0xf6, 3],
  mul: [0xf6, 4],
  div: [0xf6, 6],
} as const;

/** A bit by its number: the digit of opcode 0F BA. */
export const BIT_TESTS = { bt: 4, bts: 5, btr: 6 } as const;

/** LOCK, memory, a register: opcode for 8 bits. */
export const LOCKED = { lockCmpxchg: 0x0fb0, lockXadd: 0x0fc0 } as const;

/** Memory without a size: opcode and its digit. */
export const SYSTEM_MEMORY = { lgdt: [0x0f01, 2], lidt: [0x0f01, 3], invlpg: [0x0f01, 7] } as const;

/** Conditions of Jcc, as `jcc` takes them. */
export const CONDITIONAL_JUMPS = {
  jo: 0,
  jno: 1,
  jb: 2,
  jc: 2,
  jae: 3,
  jnc: 3,
  je: 4,
  jz: 4,
  jne: 5,
  jnz: 5,
  jbe: 6,
  ja: 7,
  js: 8,
  jns: 9,
  jl: 12,
  jge: 13,
  jle: 14,
  jg: 15,
} as const;
