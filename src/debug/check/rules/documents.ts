/** What rules are quoted from. */

export { ABI, BASE, GHCI } from '../../post-mortem/scene.ts';

export const LINUX_TDCALL = 'Linux 6.1, arch/x86/coco/tdx/tdcall.S';
export const ADVICE = 'Intel Trust Domain Extension Linux Guest Kernel Security Specification, revision 03a3dc5';
export const PSABI = 'System V ABI, AMD64 supplement 1.0';
