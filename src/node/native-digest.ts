/** Digests by the platform's own library; those of files are kept, and long ones are left to a thread, while the TD is built and runs. */
import { bytesOf, contentsOf, type Hashed, useSha384 } from '../digest/index.ts';
import { beginDigest, isShareable } from './background-digest.ts';
import { backgroundThread } from './background-thread.ts';
import { keptDigest } from './kept-digests.ts';
import { nativeSha384 } from './native-sha384.ts';
import { UserFile } from './user-file.ts';

/** With less content, a thread costs more than it saves. */
const WORTH_A_THREAD_BYTES = 20 << 20;

export function useNativeDigests(): void {
  /** what is loaded of the user's files is measured too */
  let filesBytes = 0;
  const begin = (hashed: Hashed, bytes: number) =>
    bytes >= WORTH_A_THREAD_BYTES && isShareable(hashed)
      ? beginDigest(backgroundThread(), hashed)
      : () => nativeSha384(bytesOf(hashed));
  useSha384({
    hash: nativeSha384,
    begin(hashed) {
      const bytes = contentsOf(hashed).reduce((sum, { length }) => sum + length, 0);
      if (!(hashed instanceof UserFile)) return begin(hashed, bytes);
      filesBytes += bytes;
      return keptDigest(hashed.file.path, () => begin(hashed, bytes));
    },
    buffer: (bytes) =>
      filesBytes >= WORTH_A_THREAD_BYTES ? new SharedArrayBuffer(bytes) : Buffer.allocUnsafeSlow(bytes).buffer,
  });
}
