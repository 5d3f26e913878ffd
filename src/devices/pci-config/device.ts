/** A PCI host bridge's configuration ports before an empty bus: every function is absent. */
import { allOnes, type Device } from '../device.ts';
import { ADDRESS_WRITABLE, Offset } from './spec.ts';

export class PciConfigPorts implements Device {
  #address = 0;

  read(offset: number, sizeBytes: number): number {
    return offset === Offset.Address && sizeBytes === 4 ? this.#address : allOnes(sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: number): void {
    if (offset === Offset.Address && sizeBytes === 4) this.#address = (value & ADDRESS_WRITABLE) >>> 0;
  }
}
