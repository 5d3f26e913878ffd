/** Findings for people, and for editors that read "file:line: error: ...". */
import { hex } from '../../../bits/index.ts';
import type { SourcePlace } from '../../source-lines/source-places.ts';
import type { Finding } from '../finding.ts';
import type { Rule, Severity } from '../rule.ts';
import { type CheckFormat, type CheckReport, pathFrom } from './check-report.ts';

export const formatCheckText: CheckFormat = (report) => {
  const rules = new Map(report.rules.map((rule) => [rule.id, rule]));
  const findings = report.findings.map((finding) => findingText(finding, rules.get(finding.rule), report));
  return `${[...findings, summary(report)].join('\n')}\n`;
};

/** One finding: where and what, the line of source, how it came about, what to do. */
export function findingText(finding: Finding, rule: Rule | undefined, report: CheckReport): string {
  const source = report.sources(finding.rip);
  const lines = [
    `${whereText(finding, source, report)}: ${finding.severity}: ${finding.message} [${finding.rule}]`,
    ...(source?.text === undefined ? [] : [`${String(source.line).padStart(6)} | ${source.text}`]),
    `       at ${circumstances(finding, source)}`,
  ];
  if (rule !== undefined) {
    const { document, section } = rule.source;
    lines.push(`       rule: ${rule.title} (${document}, "${section}")`, `       ${rule.remedy}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The place as compilers write it; where there is no line, the symbol. */
function whereText({ symbol, rip }: Finding, source: SourcePlace | undefined, { directory }: CheckReport): string {
  if (source === undefined) return symbol ?? hex(rip);
  const column = source.column === 0 ? '' : `:${source.column}`;
  return `${pathFrom(directory, source.file)}:${source.line}${column}`;
}

function circumstances(finding: Finding, source: SourcePlace | undefined): string {
  const { rip, symbol, crossing, vcpu, instructionCount, times, registers = [], gpa } = finding;
  const parts = [
    // without a line the symbol stands at the beginning
    symbol === undefined || source === undefined ? hex(rip) : `${hex(rip)} (${symbol})`,
    ...(crossing === undefined ? [] : [crossingText(crossing)]),
    ...(registers.length === 0 ? [] : [`registers ${registers.join(', ')}`]),
    ...(gpa === undefined ? [] : [`GPA ${hex(gpa)}`]),
    `vCPU ${vcpu} after ${instructionCount} instructions`,
    ...(times === 1 ? [] : [`${times} times`]),
  ];
  return parts.join(', ');
}

function crossingText({ kind, name, status }: NonNullable<Finding['crossing']>): string {
  return `${kind} ${name}${status === undefined ? '' : ` (${status})`}`;
}

function summary({ findings, rules }: CheckReport): string {
  const looked = counted(rules.length, 'rule');
  if (findings.length === 0) return `No finding; looked for ${looked}.`;
  const severities: readonly Severity[] = ['error', 'warning', 'note'];
  const counts = severities
    .map((severity) => [findings.filter((finding) => finding.severity === severity).length, severity] as const)
    .filter(([count]) => count > 0)
    .map(([count, severity]) => counted(count, severity));
  return `${counts.join(', ')}; looked for ${looked}.`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
