/**
 * Writes constants into the code that imports them, as a `const enum` would: V8 knows no value of an imported name, and loads it, and the
 * member of its table, at each use. Runs on what the compiler wrote, in place. Why: docs/decisions/0013-constants-are-inlined.md.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { floors } from '../tests/floors.ts';
import { type Constant, inlineConstants, isConstant } from './constants.ts';

const src = join(import.meta.dirname, '..', 'src');

/** Floors below this know nothing of the machine they run on: what is constant there is the same everywhere. */
const FIRST_PLATFORM_FLOOR = 7;

/** Constants that a file of `src` imports from such floors, by its own name for each. */
async function constantsOf(path: string, text: string): Promise<Map<string, Constant>> {
  const constants = new Map<string, Constant>();
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const specifier = statement.moduleSpecifier.text;
    const target = join(dirname(path), specifier);
    const floor = floors[relative(src, target).split('/')[0]!];
    if (!specifier.startsWith('.') || floor === undefined || floor.level >= FIRST_PLATFORM_FLOOR) continue;
    const exported = (await import(pathToFileURL(target).href)) as Readonly<Record<string, unknown>>;
    for (const { name, propertyName = name } of bindings.elements) {
      const value = exported[propertyName.text];
      if (isConstant(propertyName.text, value)) constants.set(name.text, value);
    }
  }
  return constants;
}

for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.js') || file.endsWith('.test.js')) continue;
  const path = join(src, file);
  const text = readFileSync(path, 'utf8');
  const constants = await constantsOf(path, text);
  if (constants.size > 0) writeFileSync(path, inlineConstants(text, constants));
}
