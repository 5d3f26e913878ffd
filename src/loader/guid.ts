/** GUIDs as they lie in memory: the first three groups are little-endian. */

/** "96b582de-1fb2-45f7-baea-a366c55a082d" */
export function guidAt(bytes: Uint8Array, at: number): string {
  const group = (...indexes: number[]) =>
    indexes.map((index) => bytes[at + index]!.toString(16).padStart(2, '0')).join('');
  return [group(3, 2, 1, 0), group(5, 4), group(7, 6), group(8, 9), group(10, 11, 12, 13, 14, 15)].join('-');
}

/** Its 16 bytes. */
export function guidBytes(guid: string): Uint8Array {
  const byte = (index: number) => Number.parseInt(guid.replaceAll('-', '').slice(2 * index, 2 * index + 2), 16);
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], byte);
}
