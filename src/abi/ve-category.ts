/** Why a #VE came, as TDG.VP.VEINFO.GET tells from its version 1 on. Source: TDX Module 2.0 ABI Definition, "VE_INFO"; numbers as "TDX Module Notes" (A. Bityutskiy) prints them. */
export const VeCategory = {
  /** by the processor: a shared page that is not mapped */
  ARCH: 0x00,
  PENDING: 0x01,
  RESERVED_GPA_BITS: 0x02,
  /** a feature that the TD may ask its host for, or switch off */
  CONFIG_PARAVIRT: 0x10,
  /** what every TD has to ask its host for */
  NON_CONFIG_PARAVIRT: 0x11,
  UNSUPPORTED_FEATURE: 0x80,
} as const;
export type VeCategory = (typeof VeCategory)[keyof typeof VeCategory];
