/** The processors there are: one file, one row each. */
import type { CpuProfile } from '../cpu-profile.ts';
import { MINIMAL_PROFILE } from './minimal.ts';
import { SPR_PROFILE } from './spr.ts';

export const CPU_PROFILES: readonly CpuProfile[] = [MINIMAL_PROFILE, SPR_PROFILE];
export { MINIMAL_PROFILE, SPR_PROFILE };
