/** What the checker found, with all that a format needs to tell it. */
import type { SourcePlaces } from '../../source-lines/source-places.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';

export interface CheckReport {
  /** version of Seamulator */
  readonly version: string;
  /** what was run: the path of an object, or the name of a kernel */
  readonly subject: string;
  /** the rules that were looked at, broken or not; each finding is of one of them */
  readonly rules: readonly Rule[];
  readonly findings: readonly Finding[];
  readonly sources: SourcePlaces;
  /** working directory with slashes: files below it are named from there */
  readonly directory: string;
}

/** The report as the text of a file. */
export type CheckFormat = (report: CheckReport) => string;

/** A path from the working directory, where it is below. */
export function pathFrom(directory: string, path: string): string {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
}

/** The findings of each rule, in the order of the rules. */
export function findingsByRule({ rules, findings }: CheckReport): { readonly rule: Rule; readonly found: Finding[] }[] {
  return rules.map((rule) => ({ rule, found: findings.filter((finding) => finding.rule === rule.id) }));
}
