/** Hardware-reduced ACPI's power registers (ACPI 6.5, section 4.8.3.7 "Sleep Control and Status Registers", 4.8.3.6 "Reset Register"). */

/** Three byte-wide registers. */
export const Register = { SleepControl: 0, SleepStatus: 1, Reset: 2 } as const;

export const SleepControl = { Enable: 0x20, typeShift: 2, typeMask: 0x07 } as const;
/** set when the platform woke, cleared by writing 1 */
export const SLEEP_STATUS_WAKE = 0x80;
