/** The default guest's root file system: a static busybox, an init script, and the command to run if there is one. */

import { type CpioEntry, writeCpio } from '../loader/index.ts';
import { consoleMark, MARK_END, MARK_START } from './console-marks.ts';

const directory = 0o040755;
const program = 0o100755;
const file = 0o100644;
const characterDevice = 0o020600;

/** Written as printf(1) of busybox wants it: octal escapes, and the shell's own $status at the end. */
function printfText(mark: string): string {
  return mark.replace(MARK_START, '\\033]').replace(MARK_END, '\\007');
}

/**
 * Runs as process 1. With /seamulator/command in the archive it runs that, tells its status by a mark in the console
 * stream that terminals do not show, and powers off; without, it starts a shell on the console.
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
  stty -opost -echo
  printf '${printfText(consoleMark('begin'))}'
  sh /seamulator/command </dev/null
  status=$?
  stty opost
  printf '${printfText(consoleMark('end', '%d'))}' $status
else
  printf '${printfText(consoleMark('ready'))}'
  setsid cttyhack sh
fi
poweroff -f
`;

/** A cpio archive; equal inputs give equal bytes, so equal measurements. */
export function busyboxInitramfs(busybox: Uint8Array, command?: string): Uint8Array {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const directories = ['bin', 'dev', 'proc', 'root', 'sys', 'tmp', 'etc'];
  const entries: CpioEntry[] = [
    ...directories.map((path) => ({ path, mode: directory })),
    { path: 'dev/console', mode: characterDevice, device: [5, 1] },
    { path: 'bin/busybox', mode: program, content: busybox },
    { path: 'init', mode: program, content: text(initScript) },
  ];
  if (command !== undefined) {
    entries.push(
      { path: 'seamulator', mode: directory },
      { path: 'seamulator/command', mode: file, content: text(`${command}\n`) },
    );
  }
  return writeCpio(entries);
}
