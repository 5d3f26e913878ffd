/** SARIF against the schema of the standard's committee, as Microsoft's matchers for SARIF carry it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Schema, Validator } from '@cfworker/json-schema';

const path = createRequire(import.meta.url)
  .resolve('@microsoft/jest-sarif')
  .replace(/index\.js$/, 'schemas/sarif-2.1.0-rtm.5.json');
const validator = new Validator(JSON.parse(readFileSync(path, 'utf8')) as Schema, '4', false);

/** What is wrong with a log; nothing if it keeps the schema. */
export function sarifErrors(log: unknown): string[] {
  return validator.validate(log).errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}
