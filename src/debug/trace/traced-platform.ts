/** What an observer asks the platform for at each crossing: when, and how far. */

import type { Gpaw } from '../../abi/index.ts';
import type { Td, TdxPlatform } from '../../machine/index.ts';

export interface TracedPlatform {
  readonly clock: { readonly nowTicks: number };
  /** by index of the vCPU; empty until there are any */
  readonly processors: () => readonly { readonly retired: number }[];
  readonly gpaw: Gpaw;
}

/** What a tracer asks a platform of ours for. */
export function tracedPlatform(platform: TdxPlatform, { host }: Td): TracedPlatform {
  const processors = platform.module.processorsOf(host.tdrHpa);
  return { clock: platform.clock, processors: () => processors, gpaw: host.gpaw };
}
