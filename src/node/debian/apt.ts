/**
 * Debian packages by the machine's own apt, with state of our own: nothing is installed, the machine's configuration is
 * only read, and every index and package is verified by apt against the keys the machine's own sources name.
 */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProgramNotFound, runProgram } from '../child-process.ts';
import { writeWhole } from '../files.ts';
import type { OnProgress } from '../progress.ts';
import {
  type DebianArchive,
  findDebianArchive,
  parseSourceList,
  parseSourceParagraphs,
  sourcesFor,
} from './sources.ts';

/** Debian packages cannot be had here; the message is one sentence that says why. */
export class AptUnavailable extends Error {
  override readonly name = 'AptUnavailable';
}

/** apt's own complaint, shortened to its first sentence. */
function complaint(stderr: string): string {
  const line = stderr.split('\n').find((text) => /^(E|W|Err):/.test(text)) ?? stderr.split('\n')[0] ?? '';
  return line
    .replace(/^(E|W|Err):\s*/, '')
    .replace(/\s+/g, ' ')
    .replace(/\.?\s*$/, '');
}

async function sourceFile(path: string): Promise<ReturnType<typeof parseSourceList>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return path.endsWith('.sources') ? parseSourceParagraphs(text) : parseSourceList(text);
}

/** Finds the Debian archive in the machine's sources; throws AptUnavailable where there is no apt or no such archive. */
export async function machineArchive(): Promise<DebianArchive> {
  const paths = await runProgram('apt-config', [
    'shell',
    'LIST',
    'Dir::Etc::sourcelist/f',
    'PARTS',
    'Dir::Etc::sourceparts/d',
  ]).catch((error: unknown) => {
    if (error instanceof ProgramNotFound)
      throw new AptUnavailable('This machine has no apt to fetch Debian packages with.');
    throw error;
  });
  const value = (name: string): string => new RegExp(`^${name}='(.*)'$`, 'm').exec(paths.stdout)?.[1] ?? '';
  const parts = value('PARTS');
  const names = (await readdir(parts).catch(() => [])).filter((name) => /\.(list|sources)$/.test(name)).sort();
  const files = [value('LIST'), ...names.map((name) => join(parts, name))];
  const archive = findDebianArchive((await Promise.all(files.map(sourceFile))).flat());
  if (archive === undefined) throw new AptUnavailable("This machine's apt sources name no Debian archive.");
  return archive;
}

/** One record of a package index. */
export type PackageRecord = ReadonlyMap<string, string>;

/** apt with its state in a directory of ours, looking at one suite and its security updates. */
export class PrivateApt {
  readonly suite: string;
  readonly #archive: DebianArchive;
  readonly #directory: string;
  readonly #onProgress: OnProgress;

  constructor(archive: DebianArchive, suite: string, directory: string, onProgress: OnProgress = () => {}) {
    this.suite = suite;
    this.#archive = archive;
    this.#directory = directory;
    this.#onProgress = onProgress;
  }

  get #options(): string[] {
    const at = (name: string): string => join(this.#directory, name);
    return Object.entries({
      'Dir::State': at(''),
      'Dir::State::Lists': at('lists'),
      'Dir::State::status': at('status'),
      'Dir::Cache': at('cache'),
      'Dir::Etc::SourceList': '/dev/null',
      'Dir::Etc::SourceParts': at('sources'),
      'Dir::Etc::Preferences': '/dev/null',
      'Dir::Etc::PreferencesParts': at('preferences'),
      'APT::Architecture': 'amd64',
      'APT::Architectures': 'amd64',
      'APT::Sandbox::User': 'root',
      'APT::Update::Error-Mode': 'any',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '2',
      'Acquire::http::Timeout': '30',
    }).flatMap(([name, setting]) => ['-o', `${name}=${setting}`]);
  }

  /** Fetches the suite's indexes. */
  async update(): Promise<void> {
    for (const name of ['lists/partial', 'cache/archives/partial', 'sources', 'preferences', 'packages']) {
      await mkdir(join(this.#directory, name), { recursive: true });
    }
    await writeWhole(join(this.#directory, 'status'), '');
    await writeWhole(join(this.#directory, 'sources', 'debian.sources'), sourcesFor(this.#archive, this.suite));
    const finished = await this.#fetch(['update'], `Reading the index of Debian ${this.suite}`);
    if (finished.status !== 0) {
      throw new AptUnavailable(
        `apt could not read Debian ${this.suite} from ${this.#archive.uri}: ${complaint(finished.stderr)}.`,
      );
    }
  }

  /** The candidate's record, or undefined where the suite has no such package. */
  async show(name: string): Promise<PackageRecord | undefined> {
    const { stdout } = await runProgram('apt-cache', [...this.#options, 'show', '--no-all-versions', name]);
    const fields = [...stdout.matchAll(/^([\w-]+): (.*)$/gm)].map(([, key, value]) => [key!, value!] as const);
    return fields.length === 0 ? undefined : new Map(fields);
  }

  /** Downloads a package, going on where an interrupted download stopped, and returns the path of the .deb. */
  async download(name: string): Promise<string> {
    const record = await this.show(name);
    if (record === undefined) throw new AptUnavailable(`Debian ${this.suite} has no package ${name}.`);
    const megabytes = (Number(record.get('Size')) / 1e6).toFixed(1);
    const finished = await this.#fetch(
      ['download', name],
      `Fetching ${name} ${record.get('Version')} (${megabytes} MB)`,
    );
    if (finished.status !== 0) throw new AptUnavailable(`apt could not fetch ${name}: ${complaint(finished.stderr)}.`);
    const version = record.get('Version')!.replaceAll(':', '%3a');
    const path = join(this.#directory, 'packages', `${name}_${version}_${record.get('Architecture')}.deb`);
    if (!existsSync(path)) throw new AptUnavailable(`apt fetched ${name} but left no ${path}.`);
    return path;
  }

  #fetch(command: readonly string[], step: string): ReturnType<typeof runProgram> {
    this.#onProgress(step, 0);
    return runProgram('apt-get', [...this.#options, '-o', 'APT::Status-Fd=3', ...command], {
      directory: join(this.#directory, 'packages'),
      onStatusLine: (line) => {
        const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
        if (percent !== undefined) this.#onProgress(step, Number(percent) / 100);
      },
    });
  }
}

/** Unpacks a package into a directory. */
export async function unpack(packagePath: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const { status, stderr } = await runProgram('dpkg-deb', ['-x', packagePath, directory]);
  if (status !== 0) throw new AptUnavailable(`dpkg-deb could not unpack ${packagePath}: ${complaint(stderr)}.`);
}
