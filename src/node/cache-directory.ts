import { homedir } from 'node:os';
import { join } from 'node:path';

/** $XDG_CACHE_HOME/seamulator, else ~/.cache/seamulator (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'seamulator');
}
