/** Host memory as the host's software and its devices see it: pages under a TD's key are refused. */
import { HOST_KEY_ID, type HostMemory, PAGE_SHIFT, PAGE_SIZE_BYTES } from './host-memory.ts';

/** The page belongs to a TD. On hardware a read gives ciphertext or fixed data, and a write poisons the line. */
export class PrivateMemoryError extends Error {
  readonly hpa: number;
  readonly keyId: number;
  constructor(hpa: number, keyId: number) {
    super(`host page 0x${hpa.toString(16)} is private memory under key id ${keyId}: the host cannot read or write it`);
    this.name = 'PrivateMemoryError';
    this.hpa = hpa;
    this.keyId = keyId;
  }
}

/** Every method throws PrivateMemoryError for a private page and RangeError outside RAM, before anything is read or written. */
export class SharedView {
  readonly #memory: HostMemory;

  constructor(memory: HostMemory) {
    this.#memory = memory;
  }

  /** First byte of RAM. */
  get ramBase(): number {
    return this.#memory.ramBase;
  }

  get ramBytes(): number {
    return this.#memory.ramBytes;
  }

  /** True if every page of [hpa, hpa + length) is RAM that no TD owns. */
  isShared(hpa: number, length: number): boolean {
    if (!this.#memory.isRam(hpa, length)) return false;
    for (let page = hpa >>> PAGE_SHIFT; page * PAGE_SIZE_BYTES < hpa + length; page++)
      if (this.#memory.keyIdOfPage[page] !== HOST_KEY_ID) return false;
    return true;
  }

  /** A copy of the bytes. */
  read(hpa: number, length: number): Uint8Array {
    this.#check(hpa, length);
    return this.#memory.u8.slice(hpa, hpa + length);
  }

  write(hpa: number, bytes: Uint8Array): void {
    this.#checkWrite(hpa, bytes.length);
    this.#memory.u8.set(bytes, hpa);
  }

  fill(hpa: number, length: number, value: number): void {
    this.#checkWrite(hpa, length);
    this.#memory.u8.fill(value, hpa, hpa + length);
  }

  read8(hpa: number): number {
    this.#check(hpa, 1);
    return this.#memory.u8[hpa]!;
  }

  read16(hpa: number): number {
    this.#check(hpa, 2);
    return this.#memory.view.getUint16(hpa, true);
  }

  read32(hpa: number): number {
    this.#check(hpa, 4);
    return this.#memory.view.getUint32(hpa, true);
  }

  read64(hpa: number): bigint {
    this.#check(hpa, 8);
    return this.#memory.view.getBigUint64(hpa, true);
  }

  write8(hpa: number, value: number): void {
    this.#checkWrite(hpa, 1);
    this.#memory.u8[hpa] = value;
  }

  write16(hpa: number, value: number): void {
    this.#checkWrite(hpa, 2);
    this.#memory.view.setUint16(hpa, value, true);
  }

  write32(hpa: number, value: number): void {
    this.#checkWrite(hpa, 4);
    this.#memory.view.setUint32(hpa, value, true);
  }

  write64(hpa: number, value: bigint): void {
    this.#checkWrite(hpa, 8);
    this.#memory.view.setBigUint64(hpa, value, true);
  }

  /** As #check, and the pages count as written from now on. */
  #checkWrite(hpa: number, length: number): void {
    this.#check(hpa, length);
    const pages = this.#memory.writtenPage;
    const last = (hpa + length - 1) >>> PAGE_SHIFT;
    for (let page = hpa >>> PAGE_SHIFT; page <= last; page++) pages[page] = 1;
  }

  #check(hpa: number, length: number): void {
    if (!this.#memory.isRam(hpa, length))
      throw new RangeError(`host physical 0x${hpa.toString(16)}, ${length} bytes: not RAM`);
    for (let page = hpa >>> PAGE_SHIFT; page * PAGE_SIZE_BYTES < hpa + length; page++) {
      const keyId = this.#memory.keyIdOfPage[page]!;
      if (keyId !== HOST_KEY_ID) throw new PrivateMemoryError(page * PAGE_SIZE_BYTES, keyId);
    }
  }
}
