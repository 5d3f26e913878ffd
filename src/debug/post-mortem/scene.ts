/** Everything a diagnosis may look at. */

import type { TdEnd } from '../../machine/index.ts';
import type { SymbolLookup } from '../symbols.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { ConsoleWords } from './console-words.ts';
import type { GuestView } from './guest-view.ts';

export interface Scene {
  readonly end: TdEnd;
  readonly vcpu: number;
  readonly guest: GuestView;
  /** the last crossings, oldest first */
  readonly events: readonly TraceEvent[];
  readonly console: ConsoleWords;
  readonly symbols: SymbolLookup;
  /** virtual time now, and at the last crossing that the guest made itself: nanoseconds */
  readonly nowTicks: number;
  readonly lastCrossingTicks: number;
}

/** What was found out. */
export interface Diagnosis {
  /** one sentence */
  readonly cause: string;
  /** what was not kept, by document and section title */
  readonly rule: { readonly document: string; readonly section: string };
  readonly advice: readonly string[];
  /** the address that it is about: linear, or guest physical with its shared bit */
  readonly address?: { readonly linear: bigint } | { readonly gpa: number };
}

export const ABI = 'Intel TDX Module 1.5 ABI Definition';
export const BASE = 'Intel TDX Module 1.5 Base Architecture Specification';
export const GHCI = 'Guest-Host Communication Interface (GHCI) for Intel TDX 1.5';
export const SDM = 'Intel Software Developer Manual, volume 3';

/** The value of a register in the operands of an event. */
export function operand(event: TraceEvent, register: string): bigint | undefined {
  const found = Object.entries({ ...event.in }).find(([name]) => name.split(':')[0] === register);
  return found === undefined ? undefined : BigInt(found[1]);
}

/** "0xffffffff81000010 (start_kernel+0x10)". */
export function place(address: bigint, symbols: SymbolLookup): string {
  const symbol = symbols(address);
  const text = `0x${address.toString(16)}`;
  return symbol === undefined ? text : `${text} (${symbol})`;
}
