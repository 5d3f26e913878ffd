/** Which TDX module a platform has. Source: TDX Module ABI Definition, "Global System Metadata": MAJOR_VERSION, MINOR_VERSION. */

export interface ModuleVersion {
  /** as a person asks for it: `--tdx-module 1.5` */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
}

/** The versions there are. Rows that exist from 2.0 on ask `isModule20`. */
export const MODULE_1_5: ModuleVersion = { name: '1.5', major: 1, minor: 5 };
export const MODULE_2_0: ModuleVersion = { name: '2.0', major: 2, minor: 0 };
export const MODULE_VERSIONS: readonly ModuleVersion[] = [MODULE_1_5, MODULE_2_0];

/** Is it 2.0 or later? */
export function isModule20({ major }: ModuleVersion): boolean {
  return major >= 2;
}
