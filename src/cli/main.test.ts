import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from './main.ts';

test('a command that does not exist is named in one sentence, also one that every object has', async (t) => {
  for (const name of ['bot', 'constructor', 'toString']) {
    const said: string[] = [];
    const write = t.mock.method(process.stderr, 'write', (text: string) => {
      said.push(text);
      return true;
    });
    const exitCode = await runCommandLine(['node', 'seamulator', name]);
    write.mock.restore();
    assert.equal(exitCode, 1, name);
    assert.match(said.join(''), new RegExp(`unknown command '${name}'`));
  }
});
