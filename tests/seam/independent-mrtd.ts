import { createHash } from 'node:crypto';

/** MRTD by the definition, with another library. */
export class IndependentMrtd {
  readonly #hash = createHash('sha384');

  add(gpa: number): void {
    this.#block('MEM.PAGE.ADD', gpa);
  }

  extend(gpa: number, chunk: Uint8Array): void {
    this.#block('MR.EXTEND', gpa);
    this.#hash.update(chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  #block(name: string, gpa: number): void {
    const block = Buffer.alloc(128);
    block.write(name, 'ascii');
    block.writeBigUInt64LE(BigInt(gpa), 16);
    this.#hash.update(block);
  }
}
