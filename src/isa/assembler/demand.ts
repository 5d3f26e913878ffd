/** Stops with one sentence when the caller asks for something that cannot be encoded. */
export function demand(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}
