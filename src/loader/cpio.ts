/** Writes cpio archives in the "newc" form that Linux unpacks as an initramfs (Linux Documentation, "initramfs buffer format"). */

export interface CpioEntry {
  /** without a leading slash */
  readonly path: string;
  /** file type and permissions as in stat: 0o100755 a program, 0o040755 a directory, 0o020600 a character device, 0o120777 a symbolic link */
  readonly mode: number;
  /** what a file holds, or where a symbolic link points */
  readonly content?: Uint8Array;
  /** major and minor number of a device */
  readonly device?: readonly [major: number, minor: number];
}

const HEADER_BYTES = 110;
const TRAILER = 'TRAILER!!!';

/**
 * One archive with the entries in the given order, everything owned by root and dated 0: equal entries, equal bytes.
 * Directories come before what they hold; that is the caller's order to keep.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const all = [
    ...entries.map((entry, index) => ({ inode: index + 1, ...entry })),
    { inode: 0, path: TRAILER, mode: 0 },
  ];
  const encoder = new TextEncoder();
  const records = all.map((entry: CpioEntry & { inode: number }) => ({
    entry,
    name: encoder.encode(`${entry.path}\0`),
  }));
  const size = records.reduce(
    (sum, { entry, name }) => sum + aligned(HEADER_BYTES + name.length) + aligned(entry.content?.length ?? 0),
    0,
  );
  const archive = new Uint8Array(size);
  let at = 0;
  for (const { entry, name } of records) {
    archive.set(encoder.encode(header(entry, name.length)), at);
    archive.set(name, at + HEADER_BYTES);
    at += aligned(HEADER_BYTES + name.length);
    if (entry.content) archive.set(entry.content, at);
    at += aligned(entry.content?.length ?? 0);
  }
  return archive;
}

function header(entry: CpioEntry & { inode: number }, nameBytes: number): string {
  const isDirectory = (entry.mode & 0o170000) === 0o040000;
  const fields = [
    entry.inode,
    entry.mode,
    0, // uid
    0, // gid
    isDirectory ? 2 : 1, // links
    0, // mtime
    entry.content?.length ?? 0,
    0, // device that holds the file: major, minor
    0,
    entry.device?.[0] ?? 0,
    entry.device?.[1] ?? 0,
    nameBytes,
    0, // check, unused in this form
  ];
  return `070701${fields.map((value) => value.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
}

function aligned(bytes: number): number {
  return (bytes + 3) & ~3;
}
