/** The two machines that are compared, as command lines: the same kernel, initramfs, memory and words for the kernel. */
import { join } from 'node:path';

export const MEMORY_MIB = 512;
export const APPEND = 'console=ttyS0 panic=-1 cryptomgr.notests';

export interface BenchGuest {
  readonly kernel: string;
  readonly initrd: string;
  readonly append?: string;
}

export const QEMU = 'qemu-system-x86_64';
export const NO_QEMU = 'qemu-system-x86_64 is not installed (package qemu-system-x86): ours alone';

/** Run as a program, as people do: it says with which switches Node starts. */
export const seamulatorCommand = join(import.meta.dirname, '../../bin/seamulator');

/** Arguments of the command. */
export function ourArguments({ kernel, initrd, append = APPEND }: BenchGuest): string[] {
  const files = ['--kernel', kernel, '--initrd', initrd];
  return ['boot', ...files, '--memory', `${MEMORY_MIB}M`, '--append', append];
}

/** Arguments of QEMU. @param cpu its -cpu */
export function qemuArguments({ kernel, initrd, append = APPEND }: BenchGuest, cpu = 'max'): string[] {
  return [
    ...['-accel', 'tcg,thread=single', '-smp', '1', '-m', `${MEMORY_MIB}`, '-machine', 'pc', '-cpu', cpu],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', kernel, '-initrd', initrd, '-append', append],
  ];
}

/** True if the error says that the program is not installed. */
export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
