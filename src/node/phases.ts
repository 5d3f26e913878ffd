/**
 * Where the time of a run goes, by V8's own sampling profiler: nothing is measured, and nothing costs anything, unless it is started. What a function
 * works for is known by its source file, or by that of its nearest caller that says so.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

/** In the order of the table. */
export const PHASES = [
  ['compiled', 'running compiled regions'],
  ['interpreted', 'interpreting'],
  ['walks', 'page walks and accesses that miss the TLB'],
  ['decode', 'decoding, making handlers'],
  ['translate', 'translating hot regions'],
  ['webAssembly', "V8's WebAssembly compiler"],
  ['host', 'instructions that the host executes, events'],
  ['leaving', 'leaving and entering generated code'],
  ['module', 'the TDX module'],
  ['vmm', 'the VMM'],
  ['devices', 'devices'],
  ['observers', 'traces, counters, reports'],
  ['start', 'reading the guest, building the TD'],
  ['loading', 'loading our own code'],
  ['garbage', 'garbage collection'],
  ['other', 'other'],
] as const;
export type Phase = (typeof PHASES)[number][0];

/** Milliseconds by phase. */
export type PhaseTimes = Readonly<Record<Phase, number>>;

const SAMPLE_MICROSECONDS = 500;

/** By path of the source file, the first that fits. Files that serve several phases are not here: their callers say. */
const BY_FILE: readonly (readonly [RegExp, Phase])[] = [
  [/^cpu\/(mmu\/|second-level|guest-access)/, 'walks'],
  [/^cpu\/engine\/(region-|regions-|hot-code|generated-code)/, 'translate'],
  [
    /^cpu\/engine\/(code-|record-|block-heads|binder|predecoder|host-steps|straddling|handlers|engine|common-shapes)|^isa\/decode/,
    'decode',
  ],
  [/^cpu\/exec\/host\/|^cpu\/(events|stack|segments|control-registers|msr|vector-state)/, 'host'],
  [/^cpu\/(fpu|virtual-apic|virtualization-exception)/, 'host'],
  [/^cpu\/cpu\./, 'leaving'],
  [/^seam\//, 'module'],
  [/^vmm\//, 'vmm'],
  [/^devices\//, 'devices'],
  [/^(debug|probe)\//, 'observers'],
  [/^(loader|machine|digest)\//, 'start'],
  [/^(node|cli)\//, 'other'],
];
/** By name of a generated module. */
const BY_MODULE: ReadonlyMap<string, Phase> = new Map([
  ['regions', 'compiled'],
  ['interpreter', 'interpreted'],
  ['walks', 'walks'],
]);
/** Methods of the processor that are not what most of it is. */
const CPU_METHODS: ReadonlyMap<string, Phase> = new Map([
  ['#codeEntry', 'walks'],
  ['flushTlb', 'walks'],
]);
/** V8's own functions that stand for a phase wherever they are called. */
const BY_BUILTIN: ReadonlyMap<string, Phase> = new Map([
  ['(garbage collector)', 'garbage'],
  ['Module', 'webAssembly'],
  ['Instance', 'webAssembly'],
  ['compileSourceTextModule', 'loading'],
  ['wrapSafe', 'loading'],
]);

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** What the profiler says, as far as it is used (Chrome DevTools Protocol, "Profiler.Profile"). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** Path of a frame's source below src: of the file itself, or in a bundle of the module that the line belongs to. */
class Sources {
  readonly #bundles = new Map<string, readonly (readonly [line: number, path: string])[]>();

  pathOf({ url, lineNumber }: CallFrame): string | undefined {
    const own = /\/src\/(.+)$/.exec(url);
    if (own !== null) return own[1];
    if (!url.startsWith('file:') || !url.includes('/bundle/')) return undefined;
    const modules = this.#bundles.get(url) ?? modulesOf(url);
    this.#bundles.set(url, modules);
    return modules.findLast(([line]) => line <= lineNumber)?.[1];
  }
}

/** Where modules begin in a bundle: esbuild names each in a comment. */
function modulesOf(url: string): (readonly [number, string])[] {
  const modules: (readonly [number, string])[] = [];
  const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
  for (const [line, text] of lines.entries()) {
    const path = /^\/\/ (?:.*\/)?src\/(\S+)$/.exec(text)?.[1];
    if (path !== undefined) modules.push([line, path]);
  }
  return modules;
}

function ownPhase(frame: CallFrame, sources: Sources): Phase | undefined {
  const { functionName, url } = frame;
  if (url.startsWith('wasm:')) return BY_MODULE.get(/([a-z]+)-[^/]*$/.exec(url)?.[1] ?? '');
  if (url === '' || url.startsWith('node:')) return BY_BUILTIN.get(functionName);
  const path = sources.pathOf(frame);
  if (path === undefined) return undefined;
  const phase = BY_FILE.find(([file]) => file.test(path))?.[1];
  return phase === 'leaving' ? (CPU_METHODS.get(functionName) ?? phase) : phase;
}

/** Adds the profile's samples up by phase. */
export function phasesOf({ nodes, samples = [], timeDeltas = [] }: CpuProfile): PhaseTimes {
  const sources = new Sources();
  const times = Object.fromEntries(PHASES.map(([phase]) => [phase, 0])) as Record<Phase, number>;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const phases = new Map<number, Phase>();
  const visit = (id: number, callers: Phase): void => {
    const node = byId.get(id)!;
    const phase = ownPhase(node.callFrame, sources) ?? callers;
    phases.set(id, phase);
    for (const child of node.children ?? []) visit(child, phase);
  };
  if (nodes[0] !== undefined) visit(nodes[0].id, 'other');
  samples.forEach((id, i) => {
    times[phases.get(id) ?? 'other'] += (timeDeltas[i] ?? 0) / 1000;
  });
  return times;
}

/** Runs from `start` to `stop`. */
export class PhaseSampler {
  readonly #session = new Session();

  private constructor() {
    this.#session.connect();
  }

  static start(): PhaseSampler {
    const sampler = new PhaseSampler();
    sampler.#session.post('Profiler.enable');
    sampler.#session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
    sampler.#session.post('Profiler.start');
    return sampler;
  }

  stop(): PhaseTimes {
    let profile: CpuProfile | undefined;
    this.#session.post('Profiler.stop', (error, result) => {
      if (error === null) profile = result.profile as CpuProfile;
    });
    this.#session.disconnect();
    // the session answers before `post` returns
    if (profile === undefined) throw new Error("V8's profiler gave no profile");
    return phasesOf(profile);
  }
}
