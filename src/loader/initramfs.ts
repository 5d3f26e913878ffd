/** What can be told of an initramfs without unpacking it. */
import { LoadError } from './plan.ts';

/** First bytes of everything a kernel may unpack (Linux `lib/decompress.c`, `init/initramfs.c`). */
const FORMATS: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'cpio', magic: [0x30, 0x37, 0x30, 0x37, 0x30, 0x31] },
  { name: 'cpio with checksums', magic: [0x30, 0x37, 0x30, 0x37, 0x30, 0x32] },
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a, 0x4f] },
  { name: 'lz4', magic: [0x02, 0x21, 0x4c, 0x18] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
];

/** @throws LoadError for an empty file and for one that no kernel could unpack */
export function checkInitramfs(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw new LoadError(`${name} is empty: give a cpio archive, compressed or not`);
  if (!FORMATS.some(({ magic }) => magic.every((byte, index) => bytes[index] === byte)))
    throw new LoadError(`${name} is not an initramfs: it starts neither as a cpio archive nor as a compressed one`);
}
