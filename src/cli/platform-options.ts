/** Options that say which platform a TD runs on; the commands that build one share them. */

import { InvalidArgumentError, Option } from 'commander';
import { MODULE_1_5, MODULE_VERSIONS, type ModuleVersion } from '../machine/index.ts';

export function moduleVersion(text: string): ModuleVersion {
  const version = MODULE_VERSIONS.find(({ name }) => name === text);
  if (version === undefined) {
    throw new InvalidArgumentError(`Give one of ${MODULE_VERSIONS.map(({ name }) => name).join(', ')}.`);
  }
  return version;
}

export function tdxModuleOption(): Option {
  return new Option('--tdx-module <version>', 'which TDX module: 1.5 or 2.0')
    .argParser(moduleVersion)
    .default(MODULE_1_5, MODULE_1_5.name);
}
