/** Where the guest's kernel and initramfs come from: files, Debian, busybox. */

import type { Bytes } from '../bits/index.ts';
import type { NamedFile } from '../loader/index.ts';
import { type DebianGuest, debianGuest, debianInitramfs, openUserFile, readUserFile } from '../node/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

export interface GuestFiles {
  readonly kernel: NamedFile<Bytes>;
  readonly initrd: NamedFile;
  /** for people: what runs */
  readonly description: string;
}

export interface GuestChoice {
  /** a path, or `debian` */
  readonly kernel: string;
  /** a path, or `busybox` */
  readonly initrd: string;
  /** a shell command for the init script of the busybox initramfs */
  readonly command: string | undefined;
}

export const DEBIAN_KERNEL = 'debian';
export const BUSYBOX_INITRD = 'busybox';

/** Throws AptUnavailable where something of Debian is wanted and cannot be had, FileError for an unreadable file. */
export async function readGuest(choice: GuestChoice, output: Output): Promise<GuestFiles> {
  const isDebian = choice.kernel === DEBIAN_KERNEL;
  const isBusybox = choice.initrd === BUSYBOX_INITRD;
  if (choice.command !== undefined && !isBusybox) {
    throw new CommandError(ExitCode.Usage, '--exec runs its command from the busybox initramfs; leave out --initrd.');
  }
  const openKernel = (path: string): NamedFile<Bytes> => ({ name: path, bytes: openUserFile(path, 'kernel') });
  // the user's own files first: a wrong name should not wait for a download
  const ownKernel = isDebian ? undefined : openKernel(choice.kernel);
  const ownInitrd = isBusybox
    ? undefined
    : { name: choice.initrd, bytes: await readUserFile(choice.initrd, 'initramfs') };
  let debian: DebianGuest | undefined;
  if (isDebian || isBusybox) {
    debian = await debianGuest({ onProgress: output.progress.report });
    output.progress.done();
  }
  const kernel = ownKernel ?? openKernel(debian!.kernel);
  const initrd = ownInitrd ?? {
    name: BUSYBOX_INITRD,
    bytes: debianInitramfs(debian!, choice.command),
  };
  const names = [isDebian ? debian!.kernelPackage : choice.kernel, isBusybox ? debian!.busyboxPackage : choice.initrd];
  return { kernel, initrd, description: names.join(', ') };
}
