/** Exceptions (SDM volume 3, "Exception and Interrupt Vectors"). */

/** Vectors by mnemonic. */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
  VE: 20,
  CP: 21,
} as const;
export type Vector = (typeof Vector)[keyof typeof Vector];

export interface ExceptionRow {
  readonly vector: number;
  /** "#PF"; NMI has no number sign */
  readonly mnemonic: string;
  readonly name: string;
  /** does delivery push an error code */
  readonly errorCode: boolean;
  readonly kind: 'fault' | 'trap' | 'abort' | 'interrupt' | 'fault or trap';
}

const row = (
  vector: number,
  mnemonic: string,
  name: string,
  kind: ExceptionRow['kind'],
  errorCode: boolean,
): ExceptionRow => ({ vector, mnemonic, name, kind, errorCode });

export const exceptions: readonly ExceptionRow[] = [
  row(0, '#DE', 'Divide Error', 'fault', false),
  row(1, '#DB', 'Debug Exception', 'fault or trap', false),
  row(2, 'NMI', 'NMI Interrupt', 'interrupt', false),
  row(3, '#BP', 'Breakpoint', 'trap', false),
  row(4, '#OF', 'Overflow', 'trap', false),
  row(5, '#BR', 'BOUND Range Exceeded', 'fault', false),
  row(6, '#UD', 'Invalid Opcode', 'fault', false),
  row(7, '#NM', 'Device Not Available', 'fault', false),
  row(8, '#DF', 'Double Fault', 'abort', true),
  row(10, '#TS', 'Invalid TSS', 'fault', true),
  row(11, '#NP', 'Segment Not Present', 'fault', true),
  row(12, '#SS', 'Stack-Segment Fault', 'fault', true),
  row(13, '#GP', 'General Protection', 'fault', true),
  row(14, '#PF', 'Page Fault', 'fault', true),
  row(16, '#MF', 'x87 FPU Floating-Point Error', 'fault', false),
  row(17, '#AC', 'Alignment Check', 'fault', true),
  row(18, '#MC', 'Machine Check', 'abort', false),
  row(19, '#XM', 'SIMD Floating-Point Exception', 'fault', false),
  row(20, '#VE', 'Virtualization Exception', 'fault', false),
  row(21, '#CP', 'Control Protection Exception', 'fault', true),
];

const byVector = new Map(exceptions.map((one) => [one.vector, one]));

/** "#PF" for 14; "vector 32" where the SDM has no mnemonic. */
export function vectorName(vector: number): string {
  return byVector.get(vector)?.mnemonic ?? `vector ${vector}`;
}

/** Does delivery of this exception push an error code? */
export function pushesErrorCode(vector: number): boolean {
  return byVector.get(vector)?.errorCode ?? false;
}
