/** RFLAGS (SDM volume 1, "EFLAGS Register"): masks of the single bits. */
export const Rflags = {
  CF: 1 << 0,
  /** always 1 */
  Reserved1: 1 << 1,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  TF: 1 << 8,
  IF: 1 << 9,
  DF: 1 << 10,
  OF: 1 << 11,
  IOPL: 3 << 12,
  NT: 1 << 14,
  RF: 1 << 16,
  VM: 1 << 17,
  AC: 1 << 18,
  VIF: 1 << 19,
  VIP: 1 << 20,
  ID: 1 << 21,
} as const;

const WRITTEN = [
  'ID',
  'VIP',
  'VIF',
  'AC',
  'VM',
  'RF',
  'NT',
  'OF',
  'DF',
  'IF',
  'TF',
  'SF',
  'ZF',
  'AF',
  'PF',
  'CF',
] as const;

/** Names of the bits that are set, highest first, e.g. "IF ZF PF"; "IOPL=3" where it is not 0. */
export function rflagsText(value: number): string {
  const iopl = (value >> 12) & 3;
  const names: string[] = WRITTEN.filter((name) => (value & Rflags[name]) !== 0);
  return [...(iopl === 0 ? [] : [`IOPL=${iopl}`]), ...names].join(' ');
}
