/** What only this platform's processor knows, all of it derived from the run's seed so that runs repeat. */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { TDREPORT_LAYOUT } from '../../abi/index.ts';
import type { StateVisitor } from '../../bits/index.ts';

const encoder = new TextEncoder();

export class PlatformSecrets {
  readonly #root: Uint8Array;
  readonly #reportKey: Uint8Array;
  #uuidsMade = 0;
  #keysMade = 0;

  constructor(seed: number) {
    this.#root = sha256(encoder.encode(`seamulator platform ${seed}`));
    this.#reportKey = this.derive('REPORTMACSTRUCT');
  }

  /** Secrets come from the seed; what is counted is kept. */
  visitState(state: StateVisitor): void {
    this.#uuidsMade = state.number('uuidsMade', this.#uuidsMade);
    this.#keysMade = state.number('keysMade', this.#keysMade);
  }

  /** A 32-byte secret of its own for each purpose. */
  derive(purpose: string): Uint8Array {
    return hmac(sha256, this.#root, encoder.encode(purpose));
  }

  /** TD_UUID of the TD at `tdrHpa`; differs from one TD to the next even on the same page. */
  uuid(tdrHpa: number): Uint8Array {
    return this.derive(`TD_UUID ${tdrHpa} ${this.#uuidsMade++}`);
  }

  /** 32 bytes that nobody has had before: what RDSEED gives the module. */
  freshKey(): Uint8Array {
    return this.derive(`key ${this.#keysMade++}`);
  }

  /** MAC over the first 224 bytes of a REPORTMACSTRUCT. */
  reportMac(bytes: Uint8Array): Uint8Array {
    return hmac(sha256, this.#reportKey, bytes);
  }

  /** Was this REPORTMACSTRUCT (256 bytes) made on this platform, and is it unchanged since? */
  isOwnReport(reportMacStruct: Uint8Array): boolean {
    const mac = this.reportMac(reportMacStruct.subarray(0, TDREPORT_LAYOUT.mac));
    return mac.every((byte, index) => byte === reportMacStruct[TDREPORT_LAYOUT.mac + index]);
  }
}
