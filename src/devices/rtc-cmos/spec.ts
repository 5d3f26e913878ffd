/** The MC146818 real-time clock (Motorola MC146818 data sheet, "Address Map" and "Registers"), century byte as in ACPI's FADT. */

/** The two byte-wide ports. */
export const Port = { Index: 0, Data: 1 } as const;
/** bit 7 of the index port masks NMIs and is no part of the index */
export const INDEX_MASK = 0x7f;
export const CMOS_BYTES = 128;

export const Register = {
  Seconds: 0x00,
  Minutes: 0x02,
  Hours: 0x04,
  DayOfWeek: 0x06,
  DayOfMonth: 0x07,
  Month: 0x08,
  Year: 0x09,
  StatusA: 0x0a,
  StatusB: 0x0b,
  StatusC: 0x0c,
  StatusD: 0x0d,
  Century: 0x32,
} as const;

/** 32768 Hz time base, 1024 Hz periodic rate; bit 7 "update in progress" never shows */
export const STATUS_A_RESET = 0x26;
export const STATUS_A_WRITABLE = 0x7f;
export const StatusB = { Hours24: 0x02, Binary: 0x04, Set: 0x80 } as const;
/** hours: PM in 12-hour mode */
export const HOURS_PM = 0x80;
/** valid RAM and time */
export const STATUS_D = 0x80;
