/** Numbers in the places of the names that stand for them. */
import ts from 'typescript';

/** A number, or a table of nothing but numbers. */
export type Constant = number | Readonly<Record<string, number>>;

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && !Object.is(value, -0);

/** True for what a module exports as a constant: the name of one begins with a capital letter. */
export function isConstant(name: string, value: unknown): value is Constant {
  if (!/^[A-Z]/.test(name)) return false;
  if (typeof value !== 'object' || value === null) return isNumber(value);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isNumber);
}

interface Place {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly inParentheses: boolean;
}

/**
 * The JavaScript of `text` with the value written wherever a constant is read, or a member of one; the name stays as a comment.
 * A name that the text also declares, or uses in shorthand, is left as it is. @param constants by the names that the text has imported
 */
export function inlineConstants(text: string, constants: ReadonlyMap<string, Constant>): string {
  const file = ts.createSourceFile('module.js', text, ts.ScriptTarget.Latest, true);
  const places: Place[] = [];
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const constant = ts.isIdentifier(node) ? constants.get(node.text) : undefined;
    if (constant !== undefined) look(node as ts.Identifier, constant);
    ts.forEachChild(node, visit);
  };
  const look = (node: ts.Identifier, constant: Constant): void => {
    const parent = node.parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node };
    const isMember = ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent);
    if (parent.name === node || parent.propertyName === node) {
      if (!isMember) declared.add(node.text);
      return;
    }
    const whole = typeof constant === 'number' ? node : parent;
    const value = typeof constant === 'number' ? constant : memberOf(constant, parent);
    if (value === undefined) return;
    const inParentheses = value < 0 || ts.isPropertyAccessExpression(whole.parent);
    places.push({ name: node.text, from: whole.getStart(file), to: whole.getEnd(), value, inParentheses });
  };
  visit(file);
  return replaced(
    text,
    places.filter(({ name }) => !declared.has(name)),
  );
}

/** @param access an expression whose left side names the table, if it is an access at all */
function memberOf(table: Readonly<Record<string, number>>, access: ts.Node): number | undefined {
  if (!ts.isPropertyAccessExpression(access) || access.questionDotToken !== undefined) return undefined;
  return Object.hasOwn(table, access.name.text) ? table[access.name.text] : undefined;
}

function replaced(text: string, places: readonly Place[]): string {
  let done = '';
  let at = 0;
  for (const { from, to, value, inParentheses } of places) {
    const written = `${value} /* ${text.slice(from, to)} */`;
    done += text.slice(at, from) + (inParentheses ? `(${written})` : written);
    at = to;
  }
  return done + text.slice(at);
}
