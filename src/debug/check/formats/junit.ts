/** Findings as JUnit's XML, which every build server shows: a rule is a test case, and a broken one has failed. */
import { type CheckFormat, findingsByRule } from './check-report.ts';
import { findingText } from './text.ts';

export const formatJunit: CheckFormat = (report) => {
  const cases = findingsByRule(report).map(({ rule, found }) => {
    const texts = found.map((finding) => findingText(finding, rule, report)).join('\n');
    const isFailed = found.some(({ severity }) => severity !== 'note');
    const contents =
      found.length === 0
        ? ''
        : isFailed
          ? element('failure', { message: found[0]!.message, type: rule.severity }, escaped(texts))
          : element('system-out', {}, escaped(texts));
    return { isFailed, xml: element('testcase', { classname: report.subject, name: rule.id }, contents) };
  });
  const counts = {
    tests: String(cases.length),
    failures: String(cases.filter(({ isFailed }) => isFailed).length),
    errors: '0',
    skipped: '0',
  };
  const suite = element(
    'testsuite',
    { name: `seamulator check ${report.subject}`, ...counts },
    `\n${cases.map(({ xml }) => `${xml}\n`).join('')}`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', counts, `\n${suite}\n`)}\n`;
};

function element(name: string, attributes: Readonly<Record<string, string>>, contents: string): string {
  const start = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`)].join(' ');
  return contents === '' ? `<${start}/>` : `<${start}>${contents}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text of XML 1.0, which has no word for most control characters: they become a question mark. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
