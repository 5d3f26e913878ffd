/** From a kernel's file, whichever of the two shapes it has, to what is loaded. */
import type { Bytes } from '../bits/index.ts';
import { loadBzImage } from './bzimage.ts';
import { isElf } from './elf.ts';
import type { KernelImage } from './kernel-image.ts';
import { loadVmlinux } from './vmlinux.ts';

/** @throws LoadError */
export function loadKernelImage(bytes: Bytes, name: string): KernelImage {
  return isElf(bytes) ? loadVmlinux(bytes, name) : loadBzImage(bytes, name);
}
