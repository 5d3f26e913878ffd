/** The report of a death: cause, place, registers, the address in question, the last crossings, the rule, what to try. */

import { hex } from '../../bits/index.ts';
import { GPR_NAMES } from '../../cpu/index.ts';
import { formatInstruction, rflagsText } from '../../isa/index.ts';
import type { Td, TdEnd, TdxPlatform } from '../../machine/index.ts';
import type { CrossingRecorder } from '../crossing-recorder.ts';
import { placeText, type SourcePlace, type SourcePlaces } from '../source-lines/source-places.ts';
import type { SymbolLookup } from '../symbols.ts';
import type { TraceEvent } from '../trace/event.ts';
import { traceLine } from '../trace/line.ts';
import { type ConsoleWords, consoleWords } from './console-words.ts';
import { diagnose, QUIET_TICKS, quietSentence, whereabouts } from './diagnoses.ts';
import { GuestView } from './guest-view.ts';
import type { PageChange, PageHistory } from './page-history.ts';
import type { Diagnosis, Scene } from './scene.ts';

const CROSSINGS = 20;
const LINES_BEFORE = 4;
const LINES_AFTER = 5;
const CONTROL_NAMES = ['RIP', 'RFLAGS', 'CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'IDTR.base', 'IDTR.limit'] as const;
const LEVEL_NAMES = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'] as const;

export interface CodeLine {
  readonly address: string;
  readonly symbol: string | null;
  /** line of source; null where none is known */
  readonly source: SourceReport | null;
  readonly bytes: string;
  readonly text: string;
  readonly isCurrent: boolean;
}

export interface SourceReport {
  readonly file: string;
  readonly line: number;
  /** what it says; null where the file is not there */
  readonly text: string | null;
}

export interface AddressReport {
  readonly linear: string | null;
  /** without its shared bit; null: the page tables do not lead anywhere */
  readonly gpa: string | null;
  readonly isShared: boolean;
  readonly pageTables: readonly string[];
  readonly secureEpt: readonly string[];
  readonly history: readonly string[];
}

/** What `--json` holds; its form has a version of its own. */
export interface PostMortem {
  readonly version: 1;
  /** id of the row of diagnoses */
  readonly id: string;
  /** one sentence */
  readonly cause: string;
  readonly rule: Diagnosis['rule'];
  readonly advice: readonly string[];
  readonly vcpu: number;
  readonly rip: string;
  readonly symbol: string | null;
  readonly source: SourceReport | null;
  readonly mode: 16 | 32 | 64;
  /** current privilege level */
  readonly privilege: number;
  readonly instructionsRetired: number;
  readonly virtualSeconds: number;
  readonly code: readonly CodeLine[];
  readonly registers: Readonly<Record<string, string>>;
  readonly address: AddressReport | null;
  readonly lastCrossings: readonly TraceEvent[];
  readonly console: ConsoleWords;
}

export interface PostMortemInput {
  readonly platform: TdxPlatform;
  readonly td: Td;
  readonly end: TdEnd;
  readonly crossings: CrossingRecorder;
  readonly pages: PageHistory;
  readonly symbols: SymbolLookup;
  /** default: no lines of source are known */
  readonly sources?: SourcePlaces;
  /** the end of what the guest printed */
  readonly consoleText: string;
}

function sceneOf({ platform, td, end, crossings, symbols, consoleText }: Omit<PostMortemInput, 'pages'>): Scene {
  const vcpu = 'vcpu' in end ? end.vcpu : Math.max(0, td.host.turn.vcpu);
  let events: Scene['events'] | undefined;
  return {
    end,
    vcpu,
    guest: new GuestView(platform, td, vcpu),
    // naming places may mean to search the guest's memory for names: not for an end that is no death
    get events() {
      events ??= crossings.recent(symbols);
      return events;
    },
    console: consoleWords(consoleText),
    symbols,
    nowTicks: platform.clock.nowTicks,
    lastCrossingTicks: crossings.lastGuestCrossingTicks,
  };
}

/** undefined: this end is no death. */
export function postMortem(input: PostMortemInput): PostMortem | undefined {
  const scene = sceneOf(input);
  const diagnosis = diagnose(scene);
  if (diagnosis === undefined) return undefined;
  const { guest, symbols } = scene;
  const { sources = () => undefined } = input;
  const rip = guest.instructionPointer;
  return {
    version: 1,
    id: diagnosis.id,
    cause: `${diagnosis.cause}.`,
    rule: diagnosis.rule,
    advice: diagnosis.advice,
    vcpu: scene.vcpu,
    rip: hex(rip),
    symbol: symbols(rip) ?? null,
    source: sourceReport(sources(rip)),
    mode: guest.mode,
    privilege: guest.privilege,
    instructionsRetired: guest.retired,
    virtualSeconds: scene.nowTicks / 1e9,
    code: codeAround(guest, symbols, sources),
    registers: Object.fromEntries([...GPR_NAMES, ...CONTROL_NAMES].map((name) => [name, hex(guest.register(name))])),
    address: diagnosis.address === undefined ? null : addressReport(input, guest, diagnosis.address),
    lastCrossings: scene.events.slice(-CROSSINGS),
    console: scene.console,
  };
}

/** As `quietSentence`, for a TD that still runs. @param leastTicks without a crossing that are called quiet; default 10 s */
export function quietTd(input: Omit<PostMortemInput, 'end' | 'pages'>, leastTicks = QUIET_TICKS): string | undefined {
  const { platform, td, crossings } = input;
  const ticks = platform.clock.nowTicks - crossings.lastGuestCrossingTicks;
  if (ticks < leastTicks || td.host.vcpus.every(({ halted }) => halted)) return undefined;
  const sentence = quietSentence(sceneOf({ ...input, end: { cause: 'stopped' } }), leastTicks);
  return sentence === undefined ? undefined : `${sentence}.`;
}

/** "at 0x1000 (start_kernel+0x10), last crossing VMM call Instruction.IO": where a TD is that goes on or was stopped. */
export function whereTdIs(input: Omit<PostMortemInput, 'end' | 'pages'>): string {
  const { at, last } = whereabouts(sceneOf({ ...input, end: { cause: 'stopped' } }));
  return `${at}, ${last}`;
}

function sourceReport(place: SourcePlace | undefined): SourceReport | null {
  return place === undefined ? null : { file: place.file, line: place.line, text: place.text ?? null };
}

function codeAround(guest: GuestView, symbols: SymbolLookup, sources: SourcePlaces): CodeLine[] {
  const rip = guest.instructionPointer;
  return guest.around(rip, LINES_BEFORE, LINES_AFTER).map(({ address, bytes, instruction }) => ({
    address: hex(address),
    symbol: symbols(address) ?? null,
    source: sourceReport(sources(address)),
    bytes: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' '),
    text: instruction === undefined ? '(no instruction)' : formatInstruction(instruction, { address, symbol: symbols }),
    isCurrent: address === rip,
  }));
}

const entryFlags: readonly [bit: bigint, name: string][] = [
  [1n << 0n, 'present'],
  [1n << 1n, 'writable'],
  [1n << 2n, 'user'],
  [1n << 7n, 'large'],
  [1n << 63n, 'no execution'],
];

function addressReport(
  { platform, td, pages }: PostMortemInput,
  guest: GuestView,
  address: NonNullable<Diagnosis['address']>,
): AddressReport {
  const linear = 'linear' in address ? address.linear : guest.linearOf(address.gpa);
  const walk = linear === undefined ? undefined : guest.walk(linear);
  const found = 'gpa' in address ? address.gpa : walk?.gpa === undefined ? undefined : Number(walk.gpa);
  const { address: gpa, isShared } =
    found === undefined ? { address: undefined, isShared: false } : guest.splitGpa(found);
  const page = gpa === undefined ? 0 : gpa - (gpa % 4096);
  return {
    linear: linear === undefined ? null : hex(linear),
    gpa: gpa === undefined ? null : hex(gpa),
    isShared,
    pageTables: (walk?.steps ?? []).map(({ level, entryGpa, entry }) => {
      const flags = entry === undefined ? 'cannot be read' : flagText(entry, guest);
      return `${LEVEL_NAMES[level]} entry at ${hex(entryGpa)}: ${entry === undefined ? '?' : hex(entry, 16)} (${flags})`;
    }),
    secureEpt:
      gpa === undefined
        ? []
        : platform.module
            .secureEptWalk(td.host.tdrHpa, page)
            .map(
              ({ level, state, hpa }) =>
                `level ${level}: ${state}${hpa === undefined ? '' : `, host page ${hex(hpa)}`}`,
            ),
    history: gpa === undefined ? [] : pages.of(page).map(changeText),
  };
}

function flagText(entry: bigint, guest: GuestView): string {
  const names = entryFlags.filter(([bit]) => (entry & bit) !== 0n).map(([, name]) => name);
  const { isShared } = guest.splitGpa(Number(entry & 0x000f_ffff_ffff_f000n));
  return [...(names.includes('present') ? names : ['not present']), ...(isShared ? ['shared bit'] : [])].join(', ');
}

function changeText({ ticks, gpa, bytes, what }: PageChange): string {
  return `${(ticks / 1e9).toFixed(9)} s  ${what} (${hex(gpa)}, ${bytes === 4096 ? '4 KiB' : `${bytes / 2 ** 20} MiB`})`;
}

/** As text for people; the first line is the cause. */
export function formatPostMortem(report: PostMortem): string {
  const { address, console, symbol, code, rule, source } = report;
  const where = `${report.rip}${symbol === null ? '' : ` (${symbol})`}`;
  const lines = [
    `The TD died. ${report.cause}`,
    ...(rule.document === 'None' ? [] : [`Rule: ${rule.document}, "${rule.section}"`]),
    '',
    `vCPU ${report.vcpu} at ${where}${source === null ? '' : `, ${placeText(source)}`}, ${report.mode}-bit code, CPL ${report.privilege}, after ${report.instructionsRetired} instructions, ${report.virtualSeconds.toFixed(6)} s of virtual time`,
    ...codeLines(code),
    '',
    ...registerLines(report.registers),
  ];
  if (address !== null) {
    const what = address.linear === null ? '' : `Linear address ${address.linear}`;
    const gpa = address.gpa === null ? '' : `${address.isShared ? 'shared' : 'private'} GPA ${address.gpa}`;
    lines.push('', `${[what, gpa].filter((part) => part !== '').join(', ')}:`);
    const part = (title: string, texts: readonly string[]) => {
      if (texts.length > 0) lines.push(`  ${title}`, ...texts.map((text) => `    ${text}`));
    };
    part('Page tables', address.pageTables);
    part('Secure EPT', address.secureEpt);
    part('History of the page', address.history);
    if (address.gpa !== null && address.history.length === 0)
      lines.push('  Nobody has ever given or mapped that page.');
  }
  if (console.oops !== null || console.place !== null || console.callTrace.length > 0) {
    lines.push('', 'The guest printed:');
    for (const text of [console.oops, console.place === null ? null : `RIP: ${console.place}`])
      if (text !== null) lines.push(`  ${text}`);
    lines.push(...console.callTrace.slice(0, 10).map((text) => `    ${text}`));
  }
  if (report.lastCrossings.length > 0)
    lines.push(
      '',
      `Last ${report.lastCrossings.length} crossings:`,
      ...report.lastCrossings.map((one) => `  ${traceLine(one)}`),
    );
  lines.push('', 'What to try:', ...report.advice.map((text) => `  - ${text}`));
  return lines.join('\n');
}

/** Instructions, each line of source above those that were made of it. */
function codeLines(code: readonly CodeLine[]): string[] {
  const width = Math.max(0, ...code.map(({ bytes }) => bytes.length));
  return code.flatMap(({ address, bytes, text, isCurrent, source }, index) => {
    const instruction = `${isCurrent ? '=> ' : '   '}${address}  ${bytes.padEnd(width)}  ${text}`;
    const before = code[index - 1]?.source;
    const isSame = source === null || (before?.file === source.file && before.line === source.line);
    return isSame ? [instruction] : [`   ${placeText(source)}  ${source.text ?? ''}`.trimEnd(), instruction];
  });
}

function registerLines(registers: Readonly<Record<string, string>>): string[] {
  const cells = Object.entries(registers).map(([name, value]) => `${name.padEnd(4)} ${value}`.padEnd(26));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 4)
    lines.push(
      cells
        .slice(i, i + 4)
        .join(' ')
        .trimEnd(),
    );
  return [...lines, `RFLAGS holds ${rflagsText(Number(registers.RFLAGS))}`];
}
