/** The default guest: Debian's own cloud kernel, built as a TD guest, and a static busybox. Fetched once, then kept. */

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, withLock, writeWhole } from '../files.ts';
import type { OnProgress } from '../progress.ts';
import { AptUnavailable, machineArchive, PrivateApt, unpack } from './apt.ts';

export interface DebianGuest {
  /** Path of the bzImage. */
  readonly kernel: string;
  /** Path of the static busybox. */
  readonly busybox: string;
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

async function readDescription(directory: string): Promise<DebianGuest | undefined> {
  const text = await readFile(join(directory, description), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const stored = JSON.parse(text) as DebianGuest;
  const guest = { ...stored, kernel: join(directory, stored.kernel), busybox: join(directory, stored.busybox) };
  return existsSync(guest.kernel) && existsSync(guest.busybox) ? guest : undefined;
}

/** The guest if an earlier run has fetched it; never touches the network. */
export function cachedDebianGuest(cache = cacheDirectory()): Promise<DebianGuest | undefined> {
  return readDescription(join(cache, 'debian'));
}

/** Takes one file out of a package; returns the package's name and version. */
async function takeFile(
  apt: PrivateApt,
  name: string,
  find: (directory: string) => Promise<string>,
  target: string,
  scratch: string,
): Promise<string> {
  const packagePath = await apt.download(name);
  const directory = join(scratch, name);
  await unpack(packagePath, directory);
  await copyFile(await find(directory), target);
  await rm(directory, { recursive: true, force: true });
  return `${name} ${(await apt.show(name))!.get('Version')}`;
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
    const kernel = await kernelPackage(kernels);
    const guest: DebianGuest = {
      kernel: 'vmlinuz',
      busybox: 'busybox',
      kernelPackage: await takeFile(kernels, kernel, findKernel, join(directory, 'vmlinuz'), scratch),
      busyboxPackage: await takeFile(programs, 'busybox-static', findBusybox, join(directory, 'busybox'), scratch),
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
