/** The user's cache: what can be made anew at any time. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** $XDG_CACHE_HOME/seamulator, else ~/.cache/seamulator (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'seamulator');
}

/** Removes all but the `count` files of a folder that were written last. */
export function keepNewest(directory: string, count: number): void {
  const files = readdirSync(directory).map((name) => join(directory, name));
  const newestFirst = files.map((path) => ({ path, time: statSync(path).mtimeMs })).sort((a, b) => b.time - a.time);
  for (const { path } of newestFirst.slice(count)) rmSync(path, { force: true });
}
