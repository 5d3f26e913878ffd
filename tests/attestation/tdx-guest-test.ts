/** Linux's own selftest of /dev/tdx_guest, unmodified, built static on this machine for the guest's initramfs. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AptUnavailable, ProgramNotFound } from '../../src/node/index.ts';
import { program, SOURCE_6_12, unpackedSource } from '../linux-source.ts';

/** The program, or why it cannot be built here. */
export async function tdxGuestTest(): Promise<Uint8Array | { readonly skip: string }> {
  try {
    const tree = await unpackedSource(SOURCE_6_12);
    // the one header of the kernel's that this machine may be too old to have
    const headers = join(tree, 'headers-here');
    await mkdir(join(headers, 'linux'), { recursive: true });
    await copyFile(join(tree, 'include/uapi/linux/tdx-guest.h'), join(headers, 'linux/tdx-guest.h'));
    const output = join(tree, 'tdx_guest_test');
    const source = join(tree, 'tools/testing/selftests/tdx/tdx_guest_test.c');
    await program('gcc', ['-static', '-O2', '-D_GNU_SOURCE', `-I${headers}`, '-o', output, source]);
    return new Uint8Array(await readFile(output));
  } catch (error) {
    if (error instanceof AptUnavailable || error instanceof ProgramNotFound) return { skip: error.message };
    throw error;
  }
}
