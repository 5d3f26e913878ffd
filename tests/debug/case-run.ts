/** Runs a case as a bare TD and asks why it died. */
import type { CaseGuest } from '../../guests/index.ts';
import {
  CrossingRecorder,
  PageHistory,
  type PostMortem,
  postMortem,
  quietTd,
  tracedPlatform,
} from '../../src/debug/index.ts';
import { Assembler } from '../../src/isa/index.ts';
import { type LoadPlan, planBareTd } from '../../src/loader/index.ts';
import {
  buildShimRom,
  HOST_PROFILES,
  MINIMAL_PROFILE,
  type Td,
  type TdEnd,
  TdxPlatform,
} from '../../src/machine/index.ts';
import { type CrossingObserver, observeAll } from '../../src/probe/index.ts';

/** a host that repairs nothing: each mistake shows where it is made */
const STRICT = HOST_PROFILES.find(({ name }) => name === 'strict')!;
const PROGRAM_GPA = 0x1_0000;
const MAILBOX_GPA = 0x8000;
const MEMORY_BYTES = 8 << 20;
const PAGE_BYTES = 0x1000;

function plan({ name, program, unacceptedGpa }: CaseGuest): LoadPlan {
  const a = new Assembler({ origin: PROGRAM_GPA });
  program(a);
  const bare = planBareTd({
    name,
    pieces: [{ startGpa: PROGRAM_GPA, content: a.assemble().bytes }],
    entryGpa: PROGRAM_GPA,
    memoryBytes: unacceptedGpa ?? MEMORY_BYTES,
    vcpus: 1,
    mailboxGpa: MAILBOX_GPA,
    shim: buildShimRom(),
  });
  if (unacceptedGpa === undefined) return bare;
  const page = {
    name: 'RAM',
    startGpa: unacceptedGpa,
    lengthBytes: PAGE_BYTES,
    content: 'zero',
    treatment: 'pending',
  } as const;
  return { ...bare, regions: [...bare.regions, page].sort((x, y) => x.startGpa - y.startGpa) };
}

export interface CaseRun {
  readonly platform: TdxPlatform;
  readonly td: Td;
  /** undefined: it did not die */
  readonly report: PostMortem | undefined;
  /** its report if it had ended so */
  readonly reportOf: (end: TdEnd) => PostMortem | undefined;
  /** quietTd, at the end of the run */
  readonly quiet: (leastTicks: number) => string | undefined;
}

/** A case before its first instruction. @param observe who else looks on */
export function startCase(
  guest: CaseGuest,
  observe: (observer: CrossingObserver) => CrossingObserver = (observer) => observer,
) {
  const crossings = new CrossingRecorder();
  const pages = new PageHistory();
  const { withoutFeature, mapGpaChunkBytes } = guest;
  const features = MINIMAL_PROFILE.features.filter((feature) => feature !== withoutFeature);
  const platform = new TdxPlatform({
    memoryBytes: MEMORY_BYTES,
    hostProfile: STRICT,
    observer: observe(observeAll(crossings, pages)),
    cpu: { ...MINIMAL_PROFILE, features },
  });
  const console = { text: '' };
  const td = platform.buildTd(plan(guest), {
    consoleOutput: (byte) => (console.text += String.fromCharCode(byte)),
    ...(mapGpaChunkBytes === undefined ? {} : { mapGpaChunkBytes }),
  });
  crossings.attach(tracedPlatform(platform, td));
  pages.attach(platform.clock);
  return { platform, td, crossings, pages, console };
}

/** @param observe who else looks on */
export function caseRun(guest: CaseGuest, observe?: (observer: CrossingObserver) => CrossingObserver): CaseRun {
  const { platform, td, crossings, pages, console } = startCase(guest, observe);
  const { end } = td.run({ instructions: 1_000_000 });
  const symbols = () => undefined;
  const seen = { platform, td, crossings, pages, symbols, consoleText: console.text };
  const reportOf = (how: TdEnd) => postMortem({ ...seen, end: how });
  return { platform, td, report: reportOf(end), reportOf, quiet: (leastTicks) => quietTd(seen, leastTicks) };
}

/** The report of its death. */
export function runCase(guest: CaseGuest): PostMortem | undefined {
  return caseRun(guest).report;
}
