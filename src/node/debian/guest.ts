/** The default guest: Debian's own cloud kernel, built as a TD guest, and a static busybox. Fetched once, then kept. */

import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { withLock, writeWhole } from '../files.ts';
import type { OnProgress } from '../progress.ts';
import { AptUnavailable, machineArchive, PrivateApt, unpack } from './apt.ts';

export interface DebianGuest {
  /** Path of the bzImage. */
  readonly kernel: string;
  /** Path of the static busybox. */
  readonly busybox: string;
  /** What `uname -r` says. */
  readonly kernelRelease: string;
  /** Paths of the kernel's modules for attestation, each needs those before it; compressed, as the package has them. */
  readonly modules: readonly string[];
  /** Package and version of each, for the report. */
  readonly kernelPackage: string;
  readonly busyboxPackage: string;
}

export interface DebianOptions {
  readonly cache?: string;
  readonly onProgress?: OnProgress;
}

/** Debian 13: the first whose cloud kernel has CONFIG_INTEL_TDX_GUEST=y. */
const kernelSuite = 'trixie';
const kernelSeries = 'linux-image-6.12.';
const description = 'guest.json';
/** For /dev/tdx_guest and configfs-tsm. */
const attestationModules = [
  'fs/configfs/configfs.ko.xz',
  'drivers/virt/coco/tsm.ko.xz',
  'drivers/virt/coco/tdx-guest/tdx-guest.ko.xz',
] as const;

async function readDescription(directory: string): Promise<DebianGuest | undefined> {
  let text: string;
  try {
    text = readFileSync(join(directory, description), 'utf8'); // not fs/promises: loading that takes longer
  } catch {
    return undefined;
  }
  const stored = JSON.parse(text) as Partial<DebianGuest>;
  // an earlier version fetched less
  const { kernel, kernelRelease, busybox, modules, kernelPackage, busyboxPackage } = stored;
  if (!kernel || !kernelRelease || !busybox || !modules || !kernelPackage || !busyboxPackage) return undefined;
  const guest: DebianGuest = {
    kernel: join(directory, kernel),
    kernelRelease,
    busybox: join(directory, busybox),
    modules: modules.map((name) => join(directory, name)),
    kernelPackage,
    busyboxPackage,
  };
  return [guest.kernel, guest.busybox, ...guest.modules].every((path) => existsSync(path)) ? guest : undefined;
}

/** The guest if an earlier run has fetched it; never touches the network. */
export function cachedDebianGuest(cache = cacheDirectory()): Promise<DebianGuest | undefined> {
  return readDescription(join(cache, 'debian'));
}

/** Takes files out of a package; returns the package's name and version, and what `take` returns. */
async function takeFiles<T>(
  apt: PrivateApt,
  name: string,
  scratch: string,
  take: (unpacked: string) => Promise<T>,
): Promise<[string, T]> {
  const packagePath = await apt.download(name);
  const unpacked = join(scratch, name);
  await unpack(packagePath, unpacked);
  const taken = await take(unpacked);
  await rm(unpacked, { recursive: true, force: true });
  return [`${name} ${(await apt.show(name))!.get('Version')}`, taken];
}

/** The newest signed cloud kernel of the series: what the metapackage depends on. */
async function kernelPackage(apt: PrivateApt): Promise<string> {
  const record = await apt.show('linux-image-cloud-amd64');
  const name = /linux-image-[\w.+-]+/.exec(record?.get('Depends') ?? '')?.[0];
  if (name?.startsWith(kernelSeries)) return name;
  throw new AptUnavailable(`Debian ${apt.suite} offers ${name ?? 'no cloud kernel'}, not a ${kernelSeries}* kernel.`);
}

async function findKernel(directory: string): Promise<string> {
  const boot = join(directory, 'boot');
  const name = (await readdir(boot)).find((entry) => entry.startsWith('vmlinuz-'));
  if (name === undefined) throw new AptUnavailable('The kernel package holds no boot/vmlinuz-*.');
  return join(boot, name);
}

/** Where the modules of the package's only kernel are; the last part of the path is the kernel's release. */
async function findModules(directory: string): Promise<string> {
  for (const root of ['usr/lib/modules', 'lib/modules'].map((name) => join(directory, name))) {
    const [release] = await readdir(root).catch(() => []);
    if (release !== undefined) return join(root, release);
  }
  throw new AptUnavailable('The kernel package holds no lib/modules.');
}

async function findBusybox(directory: string): Promise<string> {
  const path = ['bin/busybox', 'usr/bin/busybox'].map((name) => join(directory, name)).find((name) => existsSync(name));
  if (path === undefined) throw new AptUnavailable('The package busybox-static holds no bin/busybox.');
  return path;
}

/** The default guest from the cache, or fetched into it. Throws AptUnavailable with one sentence where it cannot be had. */
export async function debianGuest(options: DebianOptions = {}): Promise<DebianGuest> {
  const cache = options.cache ?? cacheDirectory();
  const directory = join(cache, 'debian');
  const early = await readDescription(directory);
  if (early !== undefined) return early;
  return withLock(directory, async () => {
    const stored = await readDescription(directory);
    if (stored !== undefined) return stored;
    const archive = await machineArchive();
    const aptFor = (suite: string) => new PrivateApt(archive, suite, join(directory, suite), options.onProgress);
    const kernels = aptFor(kernelSuite);
    await kernels.update();
    const programs = archive.ownSuite === kernelSuite ? kernels : aptFor(archive.ownSuite);
    if (programs !== kernels) await programs.update();
    const scratch = join(directory, 'scratch');
    await mkdir(scratch, { recursive: true });
    const into = (name: string): string => join(directory, name);
    const kernelName = await kernelPackage(kernels);
    const [kernel, kernelRelease] = await takeFiles(kernels, kernelName, scratch, async (unpacked) => {
      await copyFile(await findKernel(unpacked), into('vmlinuz'));
      const root = await findModules(unpacked);
      for (const path of attestationModules) await copyFile(join(root, 'kernel', path), into(basename(path)));
      return basename(root);
    });
    const [busybox] = await takeFiles(programs, 'busybox-static', scratch, async (unpacked) =>
      copyFile(await findBusybox(unpacked), into('busybox')),
    );
    const guest: DebianGuest = {
      kernel: 'vmlinuz',
      kernelRelease,
      busybox: 'busybox',
      modules: attestationModules.map((path) => basename(path)),
      kernelPackage: kernel,
      busyboxPackage: busybox,
    };
    for (const leftover of [scratch, ...[kernels, programs].map(({ suite }) => join(directory, suite))]) {
      await rm(leftover, { recursive: true, force: true });
    }
    await writeWhole(join(directory, description), `${JSON.stringify(guest, null, 2)}\n`);
    return (await readDescription(directory))!;
  });
}

/** Any one package of a suite, unpacked and kept: for tests that need Debian's sources. Returns its directory. */
export async function debianPackage(suite: string, name: string, options: DebianOptions = {}): Promise<string> {
  const directory = join(options.cache ?? cacheDirectory(), 'debian');
  const target = join(directory, 'unpacked', suite, name);
  if (existsSync(target)) return target;
  return withLock(directory, async () => {
    if (existsSync(target)) return target;
    const apt = new PrivateApt(await machineArchive(), suite, join(directory, suite), options.onProgress);
    await apt.update();
    const packagePath = await apt.download(name);
    const partial = `${target}.part`;
    await rm(partial, { recursive: true, force: true });
    await unpack(packagePath, partial);
    await rename(partial, target);
    await rm(packagePath, { force: true });
    return target;
  });
}
