/** The floors of the house as a table, and the check that reads an import against it. The table is the law. */

import ts from 'typescript';

interface Floor {
  readonly level: number;
  /** Folders under src this one may import, by their door `index.ts`; `folder/file` names another door. */
  readonly mayImport: readonly string[];
  /** npm packages its code may import; tests may import any. */
  readonly packages?: readonly string[];
}

const ground = ['bits', 'wasm', 'time', 'probe'] as const;
const facts = ['isa', 'abi', 'memory'] as const;
const module = [...ground, ...facts, 'memory/shared-view', 'digest', 'cpu'] as const;
const attestationPackages = ['@noble/hashes', '@noble/curves', 'asn1js'] as const;
const host = [...module, 'seam', 'seam/host-door', 'devices', 'loader', 'attestation', 'vmm'] as const;

export const floors: Readonly<Record<string, Floor>> = {
  bits: { level: 0, mayImport: [] },
  wasm: { level: 0, mayImport: ['bits'] },
  time: { level: 0, mayImport: ['bits'] },
  probe: { level: 0, mayImport: ['bits'] },
  digest: { level: 1, mayImport: ['bits', 'wasm'] },
  isa: { level: 1, mayImport: ['bits'] },
  abi: { level: 1, mayImport: ['bits'] },
  memory: { level: 1, mayImport: ['bits'] },
  cpu: { level: 2, mayImport: [...ground, 'isa', 'memory'] },
  seam: { level: 3, mayImport: module, packages: ['@noble/hashes', '@noble/curves'] },
  /** the folder guests beside src: code that runs inside a TD, assembled by machine */
  guests: { level: 2, mayImport: ['bits', 'isa', 'abi'] },
  devices: { level: 3, mayImport: [...ground, 'abi', 'memory/shared-view'] },
  loader: { level: 3, mayImport: [...ground, 'abi', 'memory/shared-view', 'digest'] },
  /** quotes and who believes them: knows no platform */
  attestation: { level: 3, mayImport: ['bits', 'abi'], packages: attestationPackages },
  vmm: {
    level: 4,
    mayImport: [...ground, 'abi', 'memory/shared-view', 'seam/host-door', 'devices', 'loader', 'attestation'],
    packages: attestationPackages,
  },
  machine: { level: 5, mayImport: [...host, 'guests'] },
  debug: { level: 6, mayImport: [...host, 'machine'] },
  node: { level: 7, mayImport: [...host, 'guests', 'machine', 'debug'], packages: ['*'] },
  cli: { level: 7, mayImport: [...host, 'guests', 'machine', 'debug', 'node'], packages: ['*'] },
  web: { level: 7, mayImport: [...host, 'guests', 'machine', 'debug'], packages: ['*'] },
};

/** Names that exist only in Node or only in a browser. */
const platformNames = new Set(
  `process Buffer require __dirname __filename global setImmediate clearImmediate
   document window navigator location localStorage sessionStorage indexedDB XMLHttpRequest fetch Worker postMessage
   HTMLElement requestAnimationFrame alert`.split(/\s+/),
);

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Every module a source names: import, export ... from, import(), import type. */
export function importsOf(text: string): Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
    specifier: fileName,
    line: text.slice(0, pos).split('\n').length,
  }));
}

/** Uses of Node or browser globals; a name the file declares itself is its own. */
function platformNamesIn(path: string, text: string): { name: string; line: number }[] {
  const declared = new Set<string>();
  const used: { name: string; line: number }[] = [];
  const source = parse(path, text);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && platformNames.has(node.text)) {
      const parent = node.parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node };
      const isName = parent.name === node || parent.propertyName === node;
      if (!isName) used.push({ name: node.text, line: source.getLineAndCharacterOfPosition(node.pos).line + 1 });
      else if (!ts.isPropertyAccessExpression(parent) && !ts.isPropertyAssignment(parent)) declared.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return used.filter(({ name }) => !declared.has(name));
}

/** Path of a relative import, from the folder of `path`, both relative to src. */
function resolve(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function wrongImport(path: string, name: string, floor: Floor, specifier: string): string | undefined {
  const isTest = path.endsWith('.test.ts');
  if (!specifier.startsWith('.')) {
    if (isTest) return undefined;
    if (specifier.startsWith('node:')) {
      if (floor.level >= 7) return undefined;
      return `src/${name} is on floor ${floor.level}, and Node's modules are for floor 7 only (src/node, src/cli). Take what you need as a parameter.`;
    }
    const wanted = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const allowed = floor.packages ?? [];
    if (allowed.includes('*') || allowed.includes(wanted)) return undefined;
    return `src/${name} may import no package${allowed.length > 0 ? ` but ${allowed.join(' and ')}` : ''}.`;
  }
  const target = resolve(path, specifier);
  const [folder = '', ...rest] = target.split('/');
  if (folder === name) return undefined;
  if (floors[folder] === undefined) return `there is no floor "${folder}" under src in tests/floors.ts.`;
  const door = rest.join('/') === 'index.ts' ? folder : target.replace(/\.ts$/, '');
  if (floor.mayImport.includes(door)) return undefined;
  const doors = floor.mayImport.filter((other) => other === folder || other.startsWith(`${folder}/`));
  if (doors.length === 0) {
    return `src/${name} may not know of src/${folder}. It may import: ${floor.mayImport.join(', ') || 'nothing'}.`;
  }
  return `src/${name} enters src/${folder} only by ${doors.map((d) => (d.includes('/') ? `src/${d}.ts` : `src/${d}/index.ts`)).join(' or ')}.`;
}

/** What is wrong with one file, in sentences. `path` is relative to src; a file straight under src is wrong in itself. */
export function violations(path: string, text: string): string[] {
  const [name = ''] = path.split('/');
  const floor = floors[name];
  if (floor === undefined)
    return [`src/${path}: there is no floor "${name}"; every file lives on one of ${Object.keys(floors).join(', ')}.`];
  const found: string[] = [];
  for (const { specifier, line } of importsOf(text)) {
    const sentence = wrongImport(path, name, floor, specifier);
    if (sentence !== undefined) found.push(`src/${path}:${line} imports "${specifier}": ${sentence}`);
  }
  if (floor.level < 7 && !path.endsWith('.test.ts')) {
    for (const { name: global, line } of platformNamesIn(path, text)) {
      found.push(
        `src/${path}:${line} uses "${global}": floors below 7 run in Node and in a browser alike and name neither.`,
      );
    }
  }
  return found;
}
