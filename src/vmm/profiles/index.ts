/** The hosts there are. To add one: a file beside this one, and a line here. */
import { CLOUD_HYPERVISOR } from './cloud-hypervisor.ts';
import type { HostProfile } from './host-profile.ts';
import { HYPERV_LIKE } from './hyperv-like.ts';
import { QEMU } from './qemu.ts';
import { STRICT } from './strict.ts';

export const HOST_PROFILES: readonly HostProfile[] = [QEMU, CLOUD_HYPERVISOR, HYPERV_LIKE, STRICT];

/** Which host it is unless somebody says. */
export const DEFAULT_HOST_PROFILE = QEMU;
