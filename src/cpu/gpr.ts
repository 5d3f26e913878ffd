/** Numbers of the general registers, as instructions encode them. */
export const Gpr = { Rax: 0, Rcx: 1, Rdx: 2, Rbx: 3, Rsp: 4, Rbp: 5, Rsi: 6, Rdi: 7, R8: 8, R11: 11 } as const;
