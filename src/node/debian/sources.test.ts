import assert from 'node:assert/strict';
import test from 'node:test';
import { findDebianArchive, parseSourceList, parseSourceParagraphs, sourcesFor } from './sources.ts';

test('one-line sources: options, comments, source lines and several components', () => {
  const entries = parseSourceList(`
# deb http://off.example/debian trixie main
deb-src http://a.example/debian trixie main
deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib # note
deb http://b.example/apt stable-x main`);
  assert.deepEqual(entries, [
    { uris: ['http://a.example/debian'], suites: ['bookworm'], components: ['main', 'contrib'], signedBy: '/k.gpg' },
    { uris: ['http://b.example/apt'], suites: ['stable-x'], components: ['main'] },
  ]);
});

test('paragraph sources: disabled ones, comments and a key block', () => {
  const entries = parseSourceParagraphs(`Types: deb deb-src
# a comment
URIs: http://a.example/debian http://c.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
`);
  assert.equal(entries.length, 1);
  assert.deepEqual(entries[0]!.suites, ['trixie', 'trixie-updates']);
  assert.match(entries[0]!.signedBy!, /^-----BEGIN.*abc$/s);
});

test('the archive of the machine is found among strangers, with its security archive', () => {
  const archive = findDebianArchive(
    parseSourceList(`
deb https://vendor.example/apt bookworm main
deb https://cloud.example/apt tool-bookworm main
deb [signed-by=/k.gpg] http://mirror.example/debian/ bookworm main
deb http://mirror.example/debian-security bookworm-security main`),
  );
  assert.deepEqual(archive, {
    uri: 'http://mirror.example/debian/',
    signedBy: '/k.gpg',
    ownSuite: 'bookworm',
    security: { uri: 'http://mirror.example/debian-security' },
  });
  assert.equal(
    sourcesFor(archive!, 'trixie'),
    `Types: deb
URIs: http://mirror.example/debian/
Suites: trixie
Components: main
Signed-By: /k.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: trixie-security
Components: main
`,
  );
});

test('sources of another distribution are no Debian archive', () => {
  const ubuntu = 'deb http://archive.example/ubuntu noble main\ndeb http://archive.example/ubuntu noble-security main';
  assert.equal(findDebianArchive(parseSourceList(ubuntu)), undefined);
  assert.equal(findDebianArchive(parseSourceList('deb cdrom:[Debian 12]/ bookworm main')), undefined);
});
