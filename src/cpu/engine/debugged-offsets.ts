/** Places that a debugger cares for, by page offset in any page: their instructions go to the host one by one, and stand in no region. */

export class DebuggedOffsets {
  /** not 0 at such an offset; null: nobody debugs */
  offsets: Uint8Array | null = null;

  has(offset: number): boolean {
    return this.offsets !== null && this.offsets[offset] !== 0;
  }

  /** True if one of the [from, to) page offsets is such a place. */
  hasIn(spans: readonly (readonly [number, number])[]): boolean {
    const { offsets } = this;
    return offsets !== null && spans.some(([from, to]) => offsets.subarray(from, to).some((each) => each !== 0));
  }
}
