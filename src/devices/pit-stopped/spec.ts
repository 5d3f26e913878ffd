/** The 8254 timer's ports (Intel 8254 data sheet, "Programming the 8254") and the PC's system control port B. */

export const Port = { Counter0: 0, Counter1: 1, Counter2: 2, Control: 3 } as const;

/** Port 0x61: gate of counter 2 and speaker can be written, bit 4 toggles with refresh, bit 5 is counter 2's output. */
export const SystemControlB = { writable: 0x0f, refresh: 0x10 } as const;
