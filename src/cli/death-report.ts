/** Why a TD is dead, in words: cause, place, what led there, how to see it again. */

import { hex } from '../bits/index.ts';
import { type CrossingRecorder, describeCrossing, type SymbolLookup } from '../debug/index.ts';
import type { TdEnd } from '../machine/index.ts';
import type { GuestConsole } from './guest-console.ts';

/** One sentence if this end is a death, else undefined. */
export function causeOfDeath(end: TdEnd, console: GuestConsole): string | undefined {
  const { panic } = console;
  switch (end.cause) {
    case 'fatal-error':
      return `The guest reported a fatal error (code ${hex(end.code)})${end.message === '' ? '' : `: ${end.message}`}.`;
    case 'triple-fault':
      return `Triple fault on vCPU ${end.vcpu}${panic === undefined ? '' : ` after a kernel panic: ${panic}`}.`;
    case 'unhandled-exit':
      return `vCPU ${end.vcpu} left the TD for a reason this host does not serve: ${end.sentence}.`;
    case 'reset':
      return panic === undefined ? undefined : `Kernel panic: ${panic}.`;
    case 'idle':
      return panic === undefined ? 'Every vCPU waits for an interrupt, and none will come.' : `Kernel panic: ${panic}.`;
    default:
      return undefined;
  }
}

export interface DeathScene {
  readonly cause: string;
  readonly crossings: CrossingRecorder;
  readonly symbols: SymbolLookup;
  /** where the guest's own last words say it was */
  readonly guestPlace: string | undefined;
  readonly replay: string;
}

export function formatDeath(scene: DeathScene): string {
  const last = scene.crossings.last();
  const lastRip = last.findLast(({ rip }) => rip !== 0n)?.rip;
  const named = (rip: bigint): string => {
    const symbol = scene.symbols(rip);
    return `${hex(rip, 16)}${symbol === undefined ? '' : ` (${symbol})`}`;
  };
  const lines = [`The TD died. ${scene.cause}`];
  if (lastRip !== undefined) lines.push(`RIP at the last crossing ${named(lastRip)}`);
  if (scene.guestPlace !== undefined) lines.push(`The guest printed RIP ${scene.guestPlace}`);
  if (last.length > 0)
    lines.push('', `Last ${last.length} crossings:`, ...last.map((one) => `  ${describeCrossing(one)}`));
  lines.push('', `To see it again: ${scene.replay}`);
  return lines.join('\n');
}
