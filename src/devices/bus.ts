/** An address space with devices in it: the port space or the MMIO space of a machine. */
import { hex, type Stateful, type StateVisitor } from '../bits/index.ts';
import { allOnes, type Device } from './device.ts';

/** Where a device is. The board writes these rows; the device never sees them. */
export interface BusWindow {
  readonly name: string;
  readonly base: number;
  readonly lengthBytes: number;
  /** Widest access the device takes; wider ones arrive in parts at consecutive addresses, as on ISA. */
  readonly accessBytes: 1 | 2 | 4;
  readonly device: Device;
}

export class Bus {
  /** sorted by base, not overlapping */
  readonly windows: readonly BusWindow[];

  /** Throws a RangeError when two windows overlap. */
  constructor(windows: readonly BusWindow[]) {
    const sorted = [...windows].sort((a, b) => a.base - b.base);
    for (let i = 1; i < sorted.length; i++) {
      const [below, above] = [sorted[i - 1]!, sorted[i]!];
      if (below.base + below.lengthBytes > above.base)
        throw new RangeError(`${below.name} and ${above.name} overlap at ${hex(above.base)}`);
    }
    this.windows = sorted;
  }

  /** The state of every device that has any. */
  visitState(state: StateVisitor): void {
    for (const { name, device } of this.windows)
      if (device.visitState !== undefined) state.part(name, device as Stateful);
  }

  /** The window that holds `address`, if any. */
  windowAt(address: number): BusWindow | undefined {
    let low = 0;
    let high = this.windows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const window = this.windows[middle]!;
      if (address < window.base) high = middle - 1;
      else if (address >= window.base + window.lengthBytes) low = middle + 1;
      else return window;
    }
    return undefined;
  }

  /** Reads 1, 2 or 4 bytes; all ones where nothing answers. */
  read(address: number, sizeBytes: number): number {
    const window = this.windowAt(address);
    const offset = address - (window?.base ?? 0);
    if (window !== undefined && sizeBytes <= window.accessBytes && offset + sizeBytes <= window.lengthBytes)
      return window.device.read(offset, sizeBytes) >>> 0;
    if (sizeBytes === 1) return allOnes(1);
    if (window === undefined && this.windowAt(address + sizeBytes - 1) === undefined) return allOnes(sizeBytes);
    const half = sizeBytes / 2;
    return (this.read(address, half) | (this.read(address + half, half) << (8 * half))) >>> 0;
  }

  /** Writes 1, 2 or 4 bytes; lost where nothing answers. */
  write(address: number, sizeBytes: number, value: number): void {
    const window = this.windowAt(address);
    const offset = address - (window?.base ?? 0);
    if (window !== undefined && sizeBytes <= window.accessBytes && offset + sizeBytes <= window.lengthBytes) {
      window.device.write(offset, sizeBytes, value >>> 0);
      return;
    }
    if (sizeBytes === 1) return;
    const half = sizeBytes / 2;
    this.write(address, half, value & allOnes(half));
    this.write(address + half, half, (value >>> (8 * half)) & allOnes(half));
  }
}
