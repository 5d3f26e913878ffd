import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { floors, violations } from './floors.ts';
import { filesUnder, root } from './repository.ts';

test('every import under src is in the table of floors', () => {
  const found = filesUnder('src', '.ts').flatMap((path) =>
    violations(path.slice('src/'.length), readFileSync(join(root, path), 'utf8')),
  );
  const besideSrc = filesUnder('guests', '.ts').flatMap((path) =>
    violations(path, readFileSync(join(root, path), 'utf8').replace(/(?<=from '(?:\.\.\/)+)src\//g, '')),
  );
  found.push(...besideSrc);
  assert.equal(
    found.length,
    0,
    `walls of the house (the table is tests/floors.ts, the reasons are in ARCHITECTURE.md):\n${found.join('\n')}`,
  );
});

test('the table itself goes down only', () => {
  const folders = (name: string) => [...new Set(floors[name]!.mayImport.map((door) => door.split('/')[0]!))];
  const walk = (name: string, above: readonly string[]): void => {
    for (const below of folders(name)) {
      assert.ok(floors[below]!.level <= floors[name]!.level, `${name} may import ${below}, which is above it`);
      assert.ok(!above.includes(below), `a circle: ${[...above, below].join(' -> ')}`);
      walk(below, [...above, below]);
    }
  };
  for (const name of Object.keys(floors)) walk(name, [name]);
});

const wrong: readonly [title: string, path: string, text: string, complaint: RegExp][] = [
  ['upward', 'cpu/a.ts', "import type { X } from '../seam/index.ts';", /may not know of src\/seam/],
  ['host to processor', 'vmm/a.ts', "import { Cpu } from '../cpu/index.ts';", /may not know of src\/cpu/],
  [
    'host to the inside of the module',
    'vmm/a.ts',
    "import { x } from '../seam/index.ts';",
    /only by src\/seam\/host-door.ts/,
  ],
  [
    'host to private memory',
    'vmm/a.ts',
    "import { x } from '../memory/index.ts';",
    /only by src\/memory\/shared-view.ts/,
  ],
  ['processor to the shapes of TDX', 'cpu/a.ts', "export { x } from '../abi/index.ts';", /may not know of src\/abi/],
  ['past a door', 'machine/a.ts', "import { x } from '../cpu/state.ts';", /only by src\/cpu\/index.ts/],
  [
    'past a door from a subfolder',
    'seam/tdcall/a.ts',
    "const x = await import('../../cpu/exec/sem.ts');",
    /only by src\/cpu/,
  ],
  ['a Node module', 'debug/a.ts', "import fs from 'node:fs';", /floor 7 only/],
  ['a Node global', 'machine/a.ts', 'export const x = process.argv;', /uses "process"/],
  ['a browser global', 'devices/a.ts', 'document.title = "x";', /uses "document"/],
  ['a package', 'isa/a.ts', "import { x } from 'iced-x86';", /no package/],
  ['a package not on the list', 'seam/a.ts', "import { x } from 'commander';", /but @noble\/hashes/],
  ['web to node', 'web/a.ts', "import { x } from '../node/index.ts';", /may not know of src\/node/],
  ['a file on no floor', 'helpers.ts', '', /no floor/],
];
for (const [title, path, text, complaint] of wrong) {
  test(`the law sees: ${title}`, () => assert.match(violations(path, text).join('\n'), complaint));
}

const right: readonly [title: string, path: string, text: string][] = [
  ['its own inside', 'cpu/exec/a.ts', "import { x } from '../state.ts';"],
  ['a listed door', 'vmm/a.ts', "import { x } from '../seam/host-door.ts';"],
  ['digests in the module', 'seam/a.ts', "import { sha384 } from '@noble/hashes/sha2.js';"],
  ['Node on floor 7', 'cli/a.ts', "import fs from 'node:fs';\nprocess.exit(0);"],
  ['cli to node', 'cli/a.ts', "import { x } from '../node/index.ts';"],
  ['a name of its own', 'isa/a.ts', 'const process = 1;\nexport const y = { document: process };'],
  ['a test beside its file', 'isa/a.test.ts', "import test from 'node:test';\nimport fc from 'fast-check';"],
];
for (const [title, path, text] of right) {
  test(`the law lets pass: ${title}`, () => assert.deepEqual(violations(path, text), []));
}
