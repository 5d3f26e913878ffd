/** Findings as SARIF, for code hosts and editors (OASIS, Static Analysis Results Interchange Format 2.1.0). */
import { hex } from '../../../bits/index.ts';
import type { SourcePlace } from '../../source-lines/source-places.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from '../rule.ts';
import { type CheckFormat, type CheckReport, pathFrom } from './check-report.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json';
/** Name of the working directory among the bases of URIs. */
const WORKING_DIRECTORY = 'WORKDIR';

export const formatSarif: CheckFormat = (report) => {
  const { version, rules, findings, directory } = report;
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Seamulator', semanticVersion: version, rules: rules.map(reportingDescriptor) } },
        invocations: [{ executionSuccessful: true }],
        originalUriBaseIds: { [WORKING_DIRECTORY]: { uri: `${fileUri(directory)}/` } },
        results: findings.map((finding) => result(finding, report)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
};

/** "reportingDescriptor object": a rule. */
function reportingDescriptor({ id, severity, title, source, explanation, remedy }: Rule) {
  const sourceText = `Source: ${source.document}, "${source.section}".`;
  return {
    id,
    shortDescription: { text: `${title}.` },
    fullDescription: { text: explanation },
    help: { text: `${explanation}\n\n${remedy}\n\n${sourceText}` },
    defaultConfiguration: { level: severity },
  };
}

/** "result object": the severities of findings are levels of SARIF. */
function result(finding: Finding, { rules, sources, subject, directory }: CheckReport) {
  const { rule, severity, message, rip, symbol, times, vcpu, instructionCount, registers, gpa, crossing } = finding;
  const source = sources(rip);
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: severity,
    message: { text: message },
    locations: [
      {
        physicalLocation:
          source === undefined ? placeInObject(subject, rip, directory) : placeInSource(source, directory),
        ...(symbol === undefined ? {} : { logicalLocations: [functionOf(symbol)] }),
      },
    ],
    occurrenceCount: times,
    // of the same code in another run or at another address, the same
    partialFingerprints: { 'ruleAndSymbol/v1': `${rule} ${symbol ?? ''}` },
    properties: {
      rip: hex(rip),
      ...(symbol === undefined ? {} : { symbol }),
      vcpu,
      instructionCount,
      ...(registers === undefined ? {} : { registers }),
      ...(gpa === undefined ? {} : { gpa: hex(gpa) }),
      ...(crossing === undefined ? {} : { crossing: { ...crossing, rip: hex(crossing.rip) } }),
    },
  };
}

function placeInSource({ file, line, column, text }: SourcePlace, directory: string) {
  return {
    artifactLocation: artifact(file, directory),
    region: {
      startLine: line,
      ...(column === 0 ? {} : { startColumn: column }),
      ...(text === undefined ? {} : { snippet: { text } }),
    },
  };
}

/** A place in the object. JSON's readers may keep 53 bits of a number: an address beyond stands in the properties alone. */
function placeInObject(subject: string, rip: bigint, directory: string) {
  const isExact = rip <= BigInt(Number.MAX_SAFE_INTEGER);
  return {
    artifactLocation: artifact(subject, directory),
    ...(isExact ? { address: { absoluteAddress: Number(rip) } } : {}),
  };
}

function functionOf(symbol: string) {
  const name = symbol.replace(/\+0x[0-9a-f]+$/, '');
  return { name, fullyQualifiedName: name, kind: 'function' };
}

function artifact(path: string, directory: string) {
  const named = pathFrom(directory, path);
  return named.startsWith('/') ? { uri: fileUri(named) } : { uri: uriPath(named), uriBaseId: WORKING_DIRECTORY };
}

function fileUri(path: string): string {
  return `file://${path.startsWith('/') ? '' : '/'}${uriPath(path)}`;
}

/** Percent-encoded, without its slashes. */
function uriPath(path: string): string {
  return path.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
}
