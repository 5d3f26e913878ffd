/** The few files of Debian's kernel sources that tests build from, unpacked once into the user's cache. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AptUnavailable, cacheDirectory, debianPackage, runProgram, withLock } from '../src/node/index.ts';

export interface LinuxSource {
  readonly version: '6.1' | '6.12';
  /** the Debian suite that has it */
  readonly suite: string;
}

export const SOURCE_6_1: LinuxSource = { version: '6.1', suite: 'bookworm' };
export const SOURCE_6_12: LinuxSource = { version: '6.12', suite: 'trixie' };

/** What tdcall.S and its headers reach, and the selftest of the TDX guest driver. */
const WANTED = [
  'arch/x86/coco/tdx/tdcall.S',
  'arch/x86/virt/vmx/tdx/tdxcall.S',
  'arch/x86/include/asm/*.h',
  'arch/x86/include/uapi/asm/*.h',
  'include/asm-generic/*.h',
  'include/linux/*.h',
  'include/uapi/asm-generic/*.h',
  'include/uapi/linux/*.h',
  'include/vdso/*.h',
  'tools/testing/selftests/kselftest*.h',
];
const SELFTEST = 'tools/testing/selftests/tdx/*';

/**
 * Directory of the unpacked files; the package, 140 MB, is not kept. Throws AptUnavailable or ProgramNotFound where it cannot be had.
 */
export function unpackedSource({ version, suite }: LinuxSource): Promise<string> {
  const directory = join(cacheDirectory(), 'exec', `linux-${version}`);
  const tree = join(directory, 'source');
  // an earlier version of this file wanted less
  const isThere = () => existsSync(join(tree, 'tools/testing/selftests'));
  return withLock(directory, async () => {
    if (isThere()) return tree;
    const { stdout: machine } = await runProgram('gcc', ['-dumpmachine']);
    if (!machine.startsWith('x86_64'))
      throw new AptUnavailable(`The gcc of this machine is for ${machine.trim()}, not for x86-64.`);
    const unpacked = await debianPackage(suite, `linux-source-${version}`);
    const sources = join(unpacked, 'usr/src');
    const archive = (await readdir(sources)).find((name) => name.endsWith('.tar.xz'));
    const partial = `${tree}.part`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    const wanted = version === '6.1' ? WANTED : [...WANTED, SELFTEST];
    const patterns = wanted.map((path) => `linux-source-${version}/${path}`);
    const options = ['-C', partial, '--strip-components=1', '--wildcards', '-xJf'];
    await program('tar', [...options, join(sources, archive!), ...patterns]);
    await rm(unpacked, { recursive: true, force: true });
    await rm(tree, { recursive: true, force: true });
    await rename(partial, tree);
    return tree;
  });
}

/** Runs a program that must succeed. */
export async function program(name: string, args: readonly string[]): Promise<void> {
  const { status, stderr } = await runProgram(name, args);
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
}
