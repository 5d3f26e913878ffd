/** The default guest's root file system: a static busybox, an init script, and the command to run if there is one. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type CpioEntry, type NamedFile, writeCpio } from '../loader/index.ts';
import { consoleMark, MARK_END, MARK_START } from './console-marks.ts';
import type { DebianGuest } from './debian/guest.ts';

const directory = 0o040755;
const program = 0o100755;
const file = 0o100644;
const characterDevice = 0o020600;

/** Written as printf(1) of busybox wants it: octal escapes, and the shell's own $status at the end. */
function printfText(mark: string): string {
  return mark.replace(MARK_START, '\\033]').replace(MARK_END, '\\007');
}

export interface KernelModules {
  /** what `uname -r` says */
  readonly release: string;
  /** compressed with xz; each needs those before it */
  readonly files: readonly NamedFile[];
}

/** Loading them costs a tenth of a boot: only for a person at the shell, and for a command that speaks of them. */
const ATTESTATION_WORDS = /tdx[_-]guest|\btsm\b|configfs/;
const LOAD_MODULES = 'seamulator/load-modules';

/**
 * Runs as process 1. With /seamulator/command in the archive it runs that, tells its status by a mark in the console
 * stream that terminals do not show, and powers off; without, it starts a shell on the console.
 * With /seamulator/load-modules it runs that first, beside the shell where there is one.
 */
const initScript = `#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
$bb --install -s /bin
export PATH=/bin HOME=/root TERM=xterm
cd /root
exec </dev/ttyS0 >/dev/ttyS0 2>&1
if [ -e /seamulator/command ]; then
  dmesg -n 1
  [ ! -e /${LOAD_MODULES} ] || sh /${LOAD_MODULES}
  stty -opost -echo
  printf '${printfText(consoleMark('begin'))}'
  sh /seamulator/command </dev/null
  status=$?
  stty opost
  printf '${printfText(consoleMark('end', '%d'))}' $status
else
  [ ! -e /${LOAD_MODULES} ] || sh /${LOAD_MODULES} &
  printf '${printfText(consoleMark('ready'))}'
  setsid cttyhack sh
fi
poweroff -f
`;

/** A cpio archive; equal inputs give equal bytes, so equal measurements. */
export function busyboxInitramfs(busybox: Uint8Array, command?: string, modules?: KernelModules): Uint8Array {
  const text = (path: string, content: string, mode = file): CpioEntry => ({
    path,
    mode,
    content: new TextEncoder().encode(content),
  });
  const directories = ['bin', 'dev', 'proc', 'root', 'sys', 'tmp', 'etc'];
  const entries: CpioEntry[] = [
    ...directories.map((path) => ({ path, mode: directory })),
    { path: 'dev/console', mode: characterDevice, device: [5, 1] },
    { path: 'bin/busybox', mode: program, content: busybox },
    text('init', initScript, program),
    { path: 'seamulator', mode: directory },
  ];
  if (command !== undefined) entries.push(text('seamulator/command', `${command}\n`));
  if (modules !== undefined) {
    const { files, release } = modules;
    const target = `lib/modules/${release}`;
    entries.push(...['lib', 'lib/modules', target].map((path) => ({ path, mode: directory })));
    entries.push(...files.map(({ name, bytes }) => ({ path: `${target}/${name}`, mode: file, content: bytes })));
    entries.push(text(`${target}/modules.dep`, dependencies(files)));
    if (command === undefined || ATTESTATION_WORDS.test(command))
      entries.push(text(LOAD_MODULES, loadScript(target, files)));
  }
  return writeCpio(entries);
}

/** For modprobe: each module with all before it, last first. */
function dependencies(files: readonly NamedFile[]): string {
  return files
    .map(
      ({ name }, index) =>
        `${name}: ${files
          .slice(0, index)
          .map((other) => other.name)
          .reverse()
          .join(' ')}\n`,
    )
    .join('');
}

/** Unpacked by xzcat: busybox's insmod gives the kernel the compressed file first, and the kernel complains. */
function loadScript(directory: string, files: readonly NamedFile[]): string {
  const lines = files.flatMap(({ name }) => [
    `xzcat /${directory}/${name} >/tmp/module.ko`,
    'insmod /tmp/module.ko',
    'rm /tmp/module.ko',
  ]);
  return `${lines.join('\n')}\nmount -t configfs configfs /sys/kernel/config\n`;
}

/** The default guest's: its busybox, and its modules for attestation. */
export function debianInitramfs(guest: DebianGuest, command?: string): Uint8Array {
  const read = (path: string): NamedFile => ({ name: basename(path), bytes: readFileSync(path) });
  const modules = { release: guest.kernelRelease, files: guest.modules.map(read) };
  return busyboxInitramfs(readFileSync(guest.busybox), command, modules);
}
