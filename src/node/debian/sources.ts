/** Reads apt's own source files and finds in them the Debian archive that this machine already trusts (sources.list(5)). */

export interface SourceEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Value of Signed-By as written: a key file, fingerprints, or a key block over several lines. */
  readonly signedBy?: string;
}

/** Where to find any suite of Debian's archive. */
export interface DebianArchive {
  readonly uri: string;
  readonly signedBy?: string;
  /** The machine's own suite, as its sources name it. */
  readonly ownSuite: string;
  /** Archive of security updates, where the machine uses one. */
  readonly security?: { readonly uri: string; readonly signedBy?: string };
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** The one-line format: `deb [signed-by=FILE] URI SUITE COMPONENT...`. */
export function parseSourceList(text: string): SourceEntry[] {
  const entries: SourceEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]?.replaceAll(',', ' ');
    entries.push({ uris: [uri], suites: [suite], components: words(components), ...(signedBy && { signedBy }) });
  }
  return entries;
}

/** The paragraph format of *.sources files (deb822). */
export function parseSourceParagraphs(text: string): SourceEntry[] {
  const entries: SourceEntry[] = [];
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (const paragraph of lines.join('\n').split(/\n[ \t]*\n/)) {
    const fields = new Map<string, string>();
    for (const [, name, value] of paragraph.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t]+.*)*)/gm)) {
      fields.set(name!.toLowerCase(), value!.trim());
    }
    const isBinary = words(fields.get('types') ?? '').includes('deb');
    if (!isBinary || /^(no|false|off|0)$/i.test(fields.get('enabled') ?? '')) continue;
    const signedBy = fields.get('signed-by');
    entries.push({
      uris: words(fields.get('uris') ?? ''),
      suites: words(fields.get('suites') ?? ''),
      components: words(fields.get('components') ?? ''),
      ...(signedBy && { signedBy }),
    });
  }
  return entries;
}

const debianSuites = new Set(
  words('bullseye bookworm trixie forky duke sid oldoldstable oldstable stable testing unstable'),
);

/** The first entry that is Debian's own archive, or undefined where the sources name none. */
export function findDebianArchive(entries: readonly SourceEntry[]): DebianArchive | undefined {
  const usable = entries
    .filter((entry) => entry.components.includes('main'))
    .flatMap((entry) => entry.uris.map((uri) => ({ ...entry, uri })))
    .filter(({ uri }) => !uri.startsWith('cdrom:'));
  const isMirror = (uri: string): boolean => /\/debian\/?$/.test(uri);
  const archives = usable
    .map((entry) => ({ ...entry, ownSuite: entry.suites.find((suite) => debianSuites.has(suite)) }))
    .filter((entry): entry is typeof entry & { ownSuite: string } => entry.ownSuite !== undefined)
    .sort((a, b) => Number(isMirror(b.uri)) - Number(isMirror(a.uri)));
  const security = usable.find(({ suites }) =>
    suites.some(
      (suite) =>
        debianSuites.has(suite.replace(/(-security|\/updates)$/, '')) &&
        !debianSuites.has(suite) &&
        /security|\/updates/.test(suite),
    ),
  );
  const [archive] = archives;
  if (archive === undefined) return undefined;
  const place = ({ uri, signedBy }: { uri: string; signedBy?: string }) => ({ uri, ...(signedBy && { signedBy }) });
  return { ...place(archive), ownSuite: archive.ownSuite, ...(security && { security: place(security) }) };
}

/** A *.sources file naming one suite of the archive and, where known, its security updates. */
export function sourcesFor(archive: DebianArchive, suite: string): string {
  const paragraph = (uri: string, name: string, signedBy: string | undefined): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${name}\nComponents: main\n${signedBy === undefined ? '' : `Signed-By: ${signedBy}\n`}`;
  const paragraphs = [paragraph(archive.uri, suite, archive.signedBy)];
  const hasSecurity = !/^(sid|unstable)$/.test(suite);
  if (archive.security !== undefined && hasSecurity) {
    paragraphs.push(paragraph(archive.security.uri, `${suite}-security`, archive.security.signedBy));
  }
  return paragraphs.join('\n');
}
