import assert from 'node:assert/strict';
import test from 'node:test';
import { TopPanel } from './top-panel.ts';

class FakeTerminal {
  columns = 80;
  rows = 24;
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

test('the console scrolls above the panel, whose lines are drawn without moving the cursor', () => {
  const terminal = new FakeTerminal();
  const panel = new TopPanel(terminal, 6, false);
  assert.ok(terminal.text.includes('\x1b[1;18r'));
  terminal.text = '';
  panel.draw(['one', 'two']);
  assert.equal(terminal.text, '\x1b7\x1b[19;1H\x1b[2Kone\x1b[20;1H\x1b[2Ktwo\x1b8');
});

test('a terminal of another size gets other lines, and all of them back at the end', () => {
  const terminal = new FakeTerminal();
  const panel = new TopPanel(terminal, 6, true);
  terminal.rows = 40;
  terminal.text = '';
  panel.draw(['one']);
  assert.ok(terminal.text.includes('\x1b[1;34r') && terminal.text.includes('\x1b[35;1H'));
  assert.ok(terminal.text.includes('\x1b[2mone\x1b[0m'));
  panel.close();
  assert.ok(terminal.text.includes('\x1b[1;40r'));
});
