/** Runs one function of an object in a TD that exists for this call only. */
import { MODULE_1_5, TdAttribute } from '../../abi/index.ts';
import { hex, type Stateful } from '../../bits/index.ts';
import {
  endOf,
  type LinkedObject,
  LoadError,
  linkObject,
  type NamedFile,
  PAGE_BYTES,
  parseElf,
  planBareTd,
} from '../../loader/index.ts';
import { observeAll } from '../../probe/index.ts';
import { MINIMAL_PROFILE } from '../../seam/index.ts';
import type { TdEnd } from '../../vmm/index.ts';
import { buildShimRom } from '../shim/shim-rom.ts';
import type { Td } from '../td.ts';
import { TdxPlatform } from '../tdx-platform.ts';
import { describe } from './describe.ts';
import type { FunctionCall, FunctionResult } from './function-call.ts';
import { assembleLauncher, ExecLayout } from './launcher.ts';
import { placeStructures } from './structures.ts';
import { Watch } from './watch.ts';

const MINIMUM_MEMORY_BYTES = 4 << 20;
const MAXIMUM_MEMORY_BYTES = 1 << 30;
const DEFAULT_INSTRUCTIONS = 10_000_000;

/** A call whose TD is built and has not run yet. */
export interface PreparedFunction {
  readonly platform: TdxPlatform;
  readonly td: Td;
  readonly maxInstructions: number;
  /** private memory of the TD */
  readonly memoryBytes: number;
  readonly object: LinkedObject;
  /** Notes what the call has done so far; the result takes it back to that. */
  readonly keep: () => () => void;
  /** What is no part of the platform, for snapshots. */
  readonly seen: Stateful;
  /** What the function did, once its TD has ended. */
  readonly finish: (end: TdEnd) => FunctionResult;
}

/** @throws LoadError when the object, the symbol or an argument cannot be used */
export function runFunction(call: FunctionCall): FunctionResult {
  const { td, maxInstructions, finish } = prepareFunction(call);
  return finish(td.run({ instructions: maxInstructions }).end);
}

/** For whoever runs the TD himself. @throws LoadError as runFunction */
export function prepareFunction(call: FunctionCall): PreparedFunction {
  const structures = placeStructures(call.args);
  const object = 'bytes' in call.object ? linkForExec(call.object) : call.object;
  const cpu = call.cpu ?? MINIMAL_PROFILE;
  const values = call.args.map((arg) => (typeof arg === 'bigint' ? arg : BigInt(structures.addressOf.get(arg)!)));
  const launcher = assembleLauncher(addressOfFunction(object, call), values, cpu.features.includes('XSAVE'));
  const pieces = [...launcher.pieces, ...structures.pieces, ...object.pieces];
  checkOverlap(call, object);
  const plan = planBareTd({
    name: call.symbol,
    pieces,
    entryGpa: launcher.entryGpa,
    memoryBytes: Math.min(Math.max(MINIMUM_MEMORY_BYTES, endOf(pieces)), MAXIMUM_MEMORY_BYTES),
    vcpus: 1,
    mailboxGpa: ExecLayout.mailbox,
    shim: buildShimRom(),
  });

  const watch = new Watch(call);
  const memoryBytes = plan.memoryMap[0]!.lengthBytes;
  const platform = new TdxPlatform({
    memoryBytes,
    hostHooks: watch.hooks,
    observer: call.observer === undefined ? watch : observeAll(watch, call.observer),
    moduleVersion: call.moduleVersion ?? MODULE_1_5,
    ...(call.hostProfile === undefined ? {} : { hostProfile: call.hostProfile }),
    cpu,
  });
  const td = platform.buildTd(plan, { params: { attributes: TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE } });
  return {
    platform,
    td,
    maxInstructions: call.maxInstructions ?? DEFAULT_INSTRUCTIONS,
    memoryBytes,
    object,
    keep: () => watch.keep(),
    seen: watch,
    finish: (end) => describe(td.host, launcher, watch, end, structures),
  };
}

/** An object as its functions are called here. @throws LoadError when it cannot be linked */
export function linkForExec({ name, bytes }: NamedFile): LinkedObject {
  const { provided } = assembleLauncher(0, []);
  return linkObject(parseElf(bytes, name), { name, baseGpa: ExecLayout.object, provided });
}

function nameOf(call: FunctionCall): string {
  return 'bytes' in call.object ? call.object.name : 'the code';
}

function addressOfFunction(object: LinkedObject, call: FunctionCall): number {
  const address = object.symbols.get(call.symbol);
  if (address !== undefined) return address;
  const names = [...object.symbols.keys()].filter((name) => !name.startsWith('.L')).slice(0, 8);
  throw new LoadError(`${nameOf(call)} has no symbol ${call.symbol}: it has ${names.join(', ') || 'none at all'}`);
}

/** An executable brings its own addresses; they must not be those of the launcher, its stack and the structures. */
function checkOverlap(call: FunctionCall, object: LinkedObject): void {
  const used = { startGpa: ExecLayout.launcher, endGpa: ExecLayout.structuresEnd };
  const clash = object.pieces.find(
    ({ startGpa, content }) =>
      (startGpa < used.endGpa && startGpa + content.length > used.startGpa) ||
      (startGpa < ExecLayout.mailbox + PAGE_BYTES && startGpa + content.length > ExecLayout.mailbox),
  );
  if (clash)
    throw new LoadError(
      `${nameOf(call)} is linked below ${hex(ExecLayout.structuresEnd)}, where its TD has its stack: link it higher`,
    );
}
