/** Options that say which platform a TD runs on; the commands that build one share them. */

import { InvalidArgumentError, Option } from 'commander';
import { QuoteVersion } from '../attestation/index.ts';
import {
  CPU_PROFILES,
  type CpuProfile,
  DEFAULT_HOST_PROFILE,
  HOST_PROFILES,
  type HostProfile,
  MINIMAL_PROFILE,
  MODULE_1_5,
  MODULE_VERSIONS,
  type ModuleVersion,
} from '../machine/index.ts';

export function moduleVersion(text: string): ModuleVersion {
  const version = MODULE_VERSIONS.find(({ name }) => name === text);
  if (version === undefined) {
    throw new InvalidArgumentError(`Give one of ${MODULE_VERSIONS.map(({ name }) => name).join(', ')}.`);
  }
  return version;
}

export function cpuProfile(text: string): CpuProfile {
  const profile = CPU_PROFILES.find(({ name }) => name === text);
  if (profile === undefined) {
    throw new InvalidArgumentError(`Give one of ${CPU_PROFILES.map(({ name }) => name).join(', ')}.`);
  }
  return profile;
}

export function cpuOption(): Option {
  const profiles = CPU_PROFILES.map(({ name, summary }) => `"${name}": ${summary}`).join('; ');
  return new Option('--cpu <profile>', `which processor. ${profiles}`)
    .argParser(cpuProfile)
    .default(MINIMAL_PROFILE, MINIMAL_PROFILE.name);
}

export function quoteVersionOption(): Option {
  return new Option('--quote-version <version>', 'format of the quotes that the guest gets: 4 or 5')
    .argParser(quoteVersion)
    .default(QuoteVersion.V4);
}

function quoteVersion(text: string): QuoteVersion {
  const version = Object.values(QuoteVersion).find((one) => String(one) === text);
  if (version === undefined) throw new InvalidArgumentError('Give 4 or 5.');
  return version;
}

export function tdxModuleOption(): Option {
  return new Option('--tdx-module <version>', 'which TDX module: 1.5 or 2.0')
    .argParser(moduleVersion)
    .default(MODULE_1_5, MODULE_1_5.name);
}

export function hostProfile(text: string): HostProfile {
  const profile = HOST_PROFILES.find(({ name }) => name === text);
  if (profile === undefined)
    throw new InvalidArgumentError(`Give one of ${HOST_PROFILES.map(({ name }) => name).join(', ')}.`);
  return profile;
}

export function vmmOption(): Option {
  return new Option('--vmm <host>', `whose answers the host gives: ${HOST_PROFILES.map(({ name }) => name).join(', ')}`)
    .argParser(hostProfile)
    .default(DEFAULT_HOST_PROFILE, DEFAULT_HOST_PROFILE.name);
}
