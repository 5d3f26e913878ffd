/** What rules are quoted from. */

export { ABI, BASE, GHCI } from '../../post-mortem/scene.ts';

export const LINUX_TDX = 'Linux 6.12, Documentation/arch/x86/tdx.rst';
export const LINUX_TDCALL = 'Linux 6.1, arch/x86/coco/tdx/tdcall.S';
export const ADVICE = 'Intel TDX Guest Kernel Security Documentation, "Security Specification"';
export const PSABI = 'System V ABI, AMD64 supplement 1.0';
