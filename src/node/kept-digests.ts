/**
 * Digests of files, kept for the next run: a kernel takes longer to hash than all else that is planned for it. As build tools do, a file is
 * known by where it lies, how long it is, and when it and what is known of it were last changed, of which the latter cannot be set.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, keepNewest } from './cache-directory.ts';

/** A file that was changed so short a time ago may be changed again without another time, where clocks of file systems are coarse. */
const SETTLED_MILLISECONDS = 2000;
const MOST_DIGESTS = 64;
const DIGEST_BYTES = 48;

const directory = (): string => join(cacheDirectory(), 'digests');

/** Names this file with this content; undefined: nothing would tell it from a later one. */
function nameOf(path: string, settledMilliseconds: number): string | undefined {
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = statSync(path, { bigint: true });
  if (Date.now() - Number(ctimeMs) < settledMilliseconds) return undefined;
  return createHash('sha256').update(`${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`).digest('hex');
}

/**
 * Gives the file's SHA-384: the kept one, or else that of `begin`, which is kept. A cache that cannot be used costs time and nothing else.
 * @param settledMilliseconds a file that was changed a shorter time ago is not kept
 */
export function keptDigest(
  path: string,
  begin: () => () => Uint8Array<ArrayBuffer>,
  settledMilliseconds = SETTLED_MILLISECONDS,
): () => Uint8Array<ArrayBuffer> {
  let name: string | undefined;
  try {
    name = nameOf(path, settledMilliseconds);
    const kept = name === undefined ? undefined : readFileSync(join(directory(), name));
    if (kept?.length === DIGEST_BYTES) return () => new Uint8Array(kept);
  } catch {
    // nothing is kept of it
  }
  const hashed = begin();
  return () => {
    const digest = hashed();
    if (name !== undefined) keep(path, name, digest);
    return digest;
  };
}

function keep(path: string, name: string, digest: Uint8Array): void {
  try {
    if (nameOf(path, 0) !== name) return; // changed while it was hashed
    mkdirSync(directory(), { recursive: true });
    writeFileSync(join(directory(), name), digest);
    keepNewest(directory(), MOST_DIGESTS);
  } catch {
    return;
  }
}
