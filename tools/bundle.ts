/**
 * Puts the command into few files, because finding and linking hundreds of modules costs more than reading them, and names the engine:
 * code that one build has generated is of no use to another.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const dist = join(import.meta.dirname, '..');
const out = join(dist, 'bundle');
const engineFolders = ['cpu', 'isa', 'wasm'];

await build({
  entryPoints: [join(dist, 'src/cli/main.js'), join(dist, 'src/node/region-thread-main.js')],
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outdir: out,
  // packages that were written for CommonJS ask for Node's own modules this way
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});

const digest = createHash('sha256');
for (const folder of engineFolders) {
  const path = join(dist, 'src', folder);
  for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort())
    if (file.endsWith('.js') && !file.endsWith('.test.js')) digest.update(file).update(readFileSync(join(path, file)));
}
writeFileSync(join(out, 'engine-digest'), digest.digest('hex'));
