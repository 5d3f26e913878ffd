/**
 * Puts the command into few files, because finding and linking hundreds of modules costs more than reading them, and names the engine:
 * code that one build has generated is of no use to another.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const dist = join(import.meta.dirname, '..');
const out = join(dist, 'bundle');
const engineFolders = ['cpu', 'isa', 'wasm'];

// nothing is a module: for one, each thread that runs it would start Node's loader of modules first
const common = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  outdir: out,
  entryNames: '[name]',
  logLevel: 'warning',
} satisfies BuildOptions;
const entry = (path: string): string => join(dist, 'src', path);

/** Packages that few runs need: of these an import gives what loads them when it is first used. */
const seldomUsed: Plugin = {
  name: 'seldom used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@noble\/curves\/nist\.js|asn1js)$/ }, ({ path, pluginData }) =>
      pluginData === 'itself' ? undefined : { path, namespace: 'seldom-used' },
    );
    onLoad({ filter: /.*/, namespace: 'seldom-used' }, ({ path }) => ({
      // esbuild copies what it sees, and keeps the prototype
      contents: `const load = () => require(${JSON.stringify(path)});
        module.exports = Object.create(new Proxy({}, { get: (_, name) => load()[name] }));`,
      resolveDir: dist,
      pluginData: 'itself',
    }));
  },
};

rmSync(out, { recursive: true, force: true });
// scripts, of which V8 can keep what it has compiled; the launcher gives them their place
const script = {
  ...common,
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': '__url', 'import.meta.dirname': '__directory' },
  banner: { js: '(function (require, module, __url, __directory) { "use strict";' },
  footer: { js: '})' },
  plugins: [seldomUsed],
} satisfies BuildOptions;
await build({ ...script, entryPoints: [entry('cli/main.js')] });
// each command alone: what is never loaded later need not be wrapped, nor found when it is called
for (const file of readdirSync(entry('cli/commands'))) {
  const name = /^([a-z]+)\.js$/.exec(file)?.[1];
  if (name === undefined) continue;
  const contents = `import { ${name}Command } from './commands/${file}';
    import { runCommandOf } from './command-line.js';
    export const runCommandLine = (argv) => runCommandOf({ ${name}: ${name}Command }, argv);`;
  await build({ ...script, stdin: { contents, resolveDir: entry('cli') }, entryNames: `command-${name}` });
}
await build({
  ...common,
  entryPoints: [entry('node/launch.js')],
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.dirname': '__dirname' },
});
for (const thread of ['region-thread-main', 'background-thread-main'])
  await build({ ...common, entryPoints: [entry(`node/${thread}.js`)], define: { 'import.meta.dirname': '__dirname' } });
writeFileSync(join(out, 'package.json'), '{ "type": "commonjs" }\n');

const digest = createHash('sha256');
for (const folder of engineFolders) {
  const path = join(dist, 'src', folder);
  for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort())
    if (file.endsWith('.js') && !file.endsWith('.test.js')) digest.update(file).update(readFileSync(join(path, file)));
}
writeFileSync(join(out, 'engine-digest'), digest.digest('hex'));
