/**
 * Starts the bundled command. What V8 has compiled of it is kept for the next run of the same subcommand, because compiling costs more than
 * all else that a start needs; and Node's larger modules are loaded when they are first used.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { cacheDirectory, keepNewest } from './cache-directory.ts';
import { setEngineFlags } from './v8-flags.ts';

/** Subcommands and builds whose compiled code is kept. */
const MOST_FILES = 16;
const DIGEST_BYTES = 32;
/** Of processor time: what such a run has compiled is kept although that of a shorter one is there, which may have shown help. */
const LONG_RUN_MICROSECONDS = 1e6;
/** Helps where no command is named. A script is a function of what it needs to know; no more than ASCII. */
const NO_COMMAND = 'main.cjs';
const RARELY_NEEDED = new Set(
  ['child_process', 'fs/promises', 'inspector', 'net', 'timers/promises', 'worker_threads'].map(
    (name) => `node:${name}`,
  ),
);

interface Command {
  runCommandLine(argv: readonly string[]): Promise<number>;
}
type Wrapper = (require: NodeJS.Require, module: { exports: unknown }, url: string, directory: string) => void;

/** Runs the command line; gives the exit code. */
export async function launch(argv: readonly string[]): Promise<number> {
  // first: V8 refuses compiled code that was made under other flags
  setEngineFlags();
  // what ran once, at the start, is part of what is kept: by the end of a boot V8 would have forgotten it
  setFlagsFromString('--no-flush-bytecode');
  const bundle = bundleOf(argv[2] ?? '');
  const kept = keptCodePath(bundle);
  const keptByLongRun = `${kept}-long`;
  const longRunsData = readIfWhole(keptByLongRun);
  const cachedData = longRunsData ?? readIfWhole(kept);
  const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle, ...(cachedData && { cachedData }) });
  const module = { exports: {} };
  (script.runInThisContext() as Wrapper)(
    lazyRequire(createRequire(bundle)),
    module,
    pathToFileURL(bundle).href,
    import.meta.dirname,
  );
  const exitCode = await (module.exports as Command).runCommandLine(argv);
  const isLongRun = process.cpuUsage().user > LONG_RUN_MICROSECONDS;
  if (cachedData === undefined || script.cachedDataRejected === true || (isLongRun && longRunsData === undefined))
    keep(isLongRun ? keptByLongRun : kept, script);
  return exitCode;
}

/** The script of a subcommand, which holds nothing else. */
function bundleOf(subcommand: string): string {
  const own = join(import.meta.dirname, `command-${subcommand}.cjs`);
  return /^[a-z]+$/.test(subcommand) && existsSync(own) ? own : join(import.meta.dirname, NO_COMMAND);
}

/** Another bundle, or another Node, has another file. */
function keptCodePath(bundle: string): string {
  const { size, mtimeMs } = statSync(bundle);
  const name = basename(bundle, '.cjs').replace('command-', '');
  return join(cacheDirectory(), 'command', `${name}-${process.version}-${size}-${Math.floor(mtimeMs)}`);
}

/** The file: a digest, because V8 trusts what it is given and ends the process over a damaged byte; then the code. */
function readIfWhole(path: string): Buffer | undefined {
  try {
    const file = readFileSync(path);
    const code = file.subarray(DIGEST_BYTES);
    return digestOf(code).equals(file.subarray(0, DIGEST_BYTES)) ? code : undefined;
  } catch {
    return undefined;
  }
}

const digestOf = (code: Uint8Array): Buffer => createHash('sha256').update(code).digest();

/** A directory that cannot be written costs the next run some milliseconds, and nothing else. */
function keep(path: string, script: Script): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}`;
    const code = script.createCachedData();
    writeFileSync(temporary, Buffer.concat([digestOf(code), code]));
    renameSync(temporary, path);
    keepNewest(dirname(path), MOST_FILES);
  } catch {
    return;
  }
}

function lazyRequire(require: NodeJS.Require): NodeJS.Require {
  const load = (name: string): unknown =>
    RARELY_NEEDED.has(name)
      ? new Proxy(
          {},
          {
            get: (_, key) => Reflect.get(require(name), key),
            has: (_, key) => Reflect.has(require(name), key),
            ownKeys: () => Reflect.ownKeys(require(name)),
            getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(require(name), key),
          },
        )
      : require(name);
  return Object.assign(load, require);
}
