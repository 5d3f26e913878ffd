/**
 * The notation of the opcode tables: one row is one form, written as the SDM (volume 2) writes it.
 *
 * Opcode: optional prefix condition, map, opcode, ModRM condition.
 *   NP           no 66, F2 or F3 prefix;  NFx: no F2 or F3;  66, F2, F3: mandatory prefix;  nothing: any prefix is ignored
 *   VEX.128.66.0F38.W0   a VEX prefix instead of all that: length, prefix, map, W. Length: 128, LZ: VEX.L = 0; 256: VEX.L = 1; LIG: any;
 *                  x: 128 and 256, a form each. W0, W1; WIG: any; nothing: VEX.W is the operand size
 *   +r +cc +i    low three bits are a register, low four bits a condition, low three bits ST(i) or "any"
 *   /r /0 .. /7  ModRM follows; /digit is its reg field;  a second byte is the exact ModRM (0F 01 CC, D8 C0+i)
 *
 * Operands: sizes are 8, 16, 32, 64, 128 bits or a letter: v = operand size, z = at most 32 bits, y = at least 32 bits.
 *   r8 rv           register of ModRM.reg (or of +r, or of ModRM.rm where no other operand is r/m)
 *   r/mv rv/m16     ModRM.rm, register or memory;  m64: memory only;  m: memory without a size
 *   m16:v           far pointer in memory;  ptr16:z: far pointer in the instruction
 *   imm8 imm16      zero-extended, of that size;  simm8, immz: sign-extended to the operand size;  immv: up to 64 bits
 *   rel8 relz       branch displacement;  moffs8 moffsv: direct address
 *   [rSI]8 [rDI]v   string operands;  AL CL DX rAX 1: implied operands, listed where the SDM lists them
 *   xmm ymm mm Sreg CR DR ST(0) ST(i) <XMM0>
 *   vec             in rows of both lengths: xmm or ymm;  mvec mhalf mquarter meighth: memory as long as that, or a part of it
 *   vm32x vm64y     memory of that size, with an xmm or ymm register as index
 *   A VEX row of three or four registers and memory takes them from ModRM.reg, VEX.vvvv, ModRM.rm and bits 7:4 of an immediate, in this order.
 *
 * Notes, separated by spaces:
 *   lock                LOCK is legal when the destination is memory
 *   i64, only64         not in, only in 64-bit mode
 *   d64, f64            operand size 64 by default, always, in 64-bit mode;  max32: REX.W does not widen
 *   o16 o32 o64         only with this operand size;  a16 a32 a64: only with this address size
 *   modany              ModRM.mod is ignored: rm is a register
 *   at:rDI              implicit memory operand that the SDM does not list (its segment can be overridden)
 *   en:RMV              VEX: where operands come from, if not in that order (R ModRM.reg, M ModRM.rm, V VEX.vvvv, I immediate), as the SDM's Op/En says
 *   vector              uses vector state although no operand shows it
 *   =NAME               operation, where it is not the mnemonic
 *   SSE2, AES+AVX, ...  the CPUID features that bring the form;  AVX:AVX2: one for each vector length
 */
export type Row = readonly [opcode: string, syntax: string, notes?: string];
