export { AcpiPower, type AcpiPowerOptions, type PowerEvent } from './acpi-power/device.ts';
export { Bus, type BusWindow } from './bus.ts';
export { allOnes, type Device, type InterruptLine } from './device.ts';
export { type InterruptMessage, IoApic } from './ioapic/device.ts';
export { PitStopped, SystemControlPortB } from './pit-stopped/device.ts';
export { RtcCmos } from './rtc-cmos/device.ts';
export { Serial16550, type Serial16550Options } from './serial-16550/device.ts';
