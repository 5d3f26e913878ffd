/** Random executions of forms on the host's processor and on the simulated one, compared. One call runs any number of cases. */
import { Batch, type StateRecord, WINDOW_BYTES } from './batch.ts';
import { type Encoded, encode } from './encode.ts';
import type { NativeProcessor } from './native.ts';
import { Random } from './random.ts';
import { SimulatedProcessor } from './simulated.ts';

/** One case in the making. */
export interface Setting {
  readonly input: StateRecord;
  readonly encoded: Encoded;
  readonly slot: number;
  readonly random: Random;
}

/** An instruction under test, as a template of encode.ts. */
export interface FormUnderTest {
  readonly name: string;
  readonly template: string;
  readonly modes: readonly (32 | 64)[];
  /** Makes the whole input state. */
  readonly prepare: (setting: Setting) => void;
  /** flags whose value after it is not defined */
  readonly undefinedFlags: (setting: Setting) => number;
  /** Hides from the comparison what else is not defined, by making `native` and `simulated` equal there. */
  readonly forgive?: (setting: Setting, native: StateRecord, simulated: StateRecord) => void;
}

export interface Amount {
  readonly seed: number;
  readonly encodingsPerForm: number;
  readonly casesPerEncoding: number;
  readonly mode: 32 | 64;
  /** executions of a slot after which the simulated processor compiles it; 0 or absent: never */
  readonly compileAfter?: number;
  /** the records carry x87 and XMM registers */
  readonly withFx: boolean;
}

const STATUS_FLAGS = 0x8d5;
const DF = 0x400;
const REGISTERS = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
];
const END_OF_CASE = 3;

const hex = (value: number | bigint): string => value.toString(16);
const bytesText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What differs between two results of one case, as text; empty if nothing does. */
function differences(native: StateRecord, simulated: StateRecord, undefinedFlags: number, mode: 32 | 64): string[] {
  const found: string[] = [];
  const check = (what: string, ours: number | bigint, theirs: number | bigint): void => {
    if (ours !== theirs) found.push(`${what} is ${hex(ours)}, should be ${hex(theirs)}`);
  };
  check('vector', simulated.vector, native.vector);
  if (native.vector !== END_OF_CASE && native.vector === simulated.vector)
    check('error code', simulated.errorCode, native.errorCode);
  check('RIP offset', simulated.rip, native.rip);
  const mask = (STATUS_FLAGS | DF) & (native.vector === END_OF_CASE ? ~undefinedFlags : -1);
  check('flags', simulated.rflags & mask, native.rflags & mask);
  // the upper halves after 32-bit code, and the registers it cannot name, are nobody's
  const registers = mode === 64 ? 16 : 8;
  for (let i = 0; i < registers; i++) {
    const [ours, theirs] = [simulated.gpr(i), native.gpr(i)];
    check(
      REGISTERS[i]!,
      mode === 64 ? ours : BigInt.asUintN(32, ours),
      mode === 64 ? theirs : BigInt.asUintN(32, theirs),
    );
  }
  for (let i = 0; i < WINDOW_BYTES; i++) check(`window[${i}]`, simulated.window[i]!, native.window[i]!);
  if (native.fx.length > 0) {
    for (const [what, at, length] of fxFields()) {
      const [ours, theirs] = [simulated.fx.subarray(at, at + length), native.fx.subarray(at, at + length)];
      if (Buffer.compare(ours, theirs) !== 0)
        found.push(`${what} is ${bytesText(ours)}, should be ${bytesText(theirs)}`);
    }
    for (let i = 0; i < registers; i++) {
      const [ours, theirs] = [simulated.upper, native.upper].map((each) =>
        bytesText(each.subarray(16 * i, 16 * i + 16)),
      );
      if (ours !== theirs) found.push(`the upper half of YMM${i} is ${ours}, should be ${theirs}`);
    }
  }
  return found;
}

function* fxFields(): Iterable<readonly [string, number, number]> {
  yield ['FCW', 0, 2];
  yield ['FSW', 2, 2];
  yield ['FTW', 4, 1];
  yield ['MXCSR', 24, 4];
  for (let i = 0; i < 8; i++) yield [`ST(${i})`, 32 + 16 * i, 10];
  for (let i = 0; i < 16; i++) yield [`XMM${i}`, 160 + 16 * i, 16];
}

function describe(encoded: Encoded, input: StateRecord): string {
  const registers = REGISTERS.map((name, i) => `${name}=${hex(input.gpr(i))}`).join(' ');
  const { memory } = encoded;
  const at = memory === undefined ? '' : ` window@${hex(input.windowAddress)}=${bytesText(input.window)}`;
  const { reg, rm, vvvv } = encoded;
  const vectors = [...new Set([reg, vvvv, rm, memory?.vectorIndex ?? -1])]
    .filter((register) => register >= 0 && input.fx.length > 0)
    .map((register) => {
      const halves = [input.fx.subarray(160 + 16 * register), input.upper.subarray(16 * register)];
      return ` YMM${register}=${halves.map((half) => bytesText(half.subarray(0, 16))).join('|')}`;
    });
  return `${encoded.text} from flags ${hex(input.rflags)} ${registers}${at}${vectors.join('')}`;
}

/** Runs `forms` on both processors; the result names the forms that differ, each with its number of bad cases and its first one. */
export function compareForms(
  forms: readonly FormUnderTest[],
  native: NativeProcessor,
  amount: Amount,
): { cases: number; failures: string[] } {
  const random = new Random(amount.seed);
  const slots: { form: FormUnderTest; encoded: Encoded }[] = [];
  for (const form of forms.filter(({ modes }) => modes.includes(amount.mode)))
    for (let i = 0; i < amount.encodingsPerForm; i++)
      slots.push({ form, encoded: encode(random, form.name, form.template, amount.mode, slots.length) });
  const batch = new Batch(
    slots.map(({ encoded }) => encoded),
    slots.length * amount.casesPerEncoding,
    amount.withFx,
  );
  const settingOf = (index: number): Setting => {
    const slot = Math.floor(index / amount.casesPerEncoding);
    return { input: batch.input(index), encoded: slots[slot]!.encoded, slot, random };
  };
  for (let index = 0; index < batch.cases; index++) {
    const setting = settingOf(index);
    slots[setting.slot]!.form.prepare(setting);
  }

  const expected = native.run(batch);
  const simulated = SimulatedProcessor.run(batch, amount.compileAfter ?? 0);
  const badCases = new Map<FormUnderTest, { count: number; first: string }>();
  for (let index = 0; index < batch.cases; index++) {
    const setting = settingOf(index);
    const { form } = slots[setting.slot]!;
    const theirs = batch.at(expected, index);
    const ours = batch.at(simulated, index);
    form.forgive?.(setting, theirs, ours);
    const found = differences(theirs, ours, form.undefinedFlags(setting), setting.encoded.mode);
    if (found.length === 0) continue;
    const known = badCases.get(form);
    if (known !== undefined) known.count++;
    else
      badCases.set(form, {
        count: 1,
        first: `${found.slice(0, 6).join('; ')}\n    ${describe(setting.encoded, setting.input)}`,
      });
  }
  const perForm = amount.encodingsPerForm * amount.casesPerEncoding;
  const failures = [...badCases].map(
    ([form, { count, first }]) => `${form.name} [${form.template}]: ${count} of ${perForm} cases differ; ${first}`,
  );
  return { cases: batch.cases, failures };
}
