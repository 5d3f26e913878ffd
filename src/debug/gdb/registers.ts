/**
 * The registers that gdb sees, made from the rows of the processor's state: the features that gdb knows first, then every other
 * row as a system register. Source: "Debugging with GDB", appendix "Target Descriptions", section "i386 Features".
 */
import { GPR_NAMES, SEGMENT_NAMES, STATE_ROWS } from '../../cpu/index.ts';

/** The state of one processor by rows, as far as a target may see it. Bytes are little-endian. */
export interface RowView {
  /** undefined: not to be seen */
  read(row: string): Uint8Array | undefined;
  /** false: not to be written */
  write(row: string, bytes: Uint8Array): boolean;
}

/** RFLAGS whole, which the rows of the state keep in parts. */
export const RFLAGS_ROW = 'RFLAGS';

export const Feature = {
  core: 'org.gnu.gdb.i386.core',
  sse: 'org.gnu.gdb.i386.sse',
  avx: 'org.gnu.gdb.i386.avx',
  segments: 'org.gnu.gdb.i386.segments',
  system: 'org.seamulator.system',
} as const;

export interface GdbRegister {
  readonly name: string;
  readonly bits: number;
  readonly type: string;
  readonly group?: string;
  readonly feature: string;
  readonly read: (view: RowView) => Uint8Array | undefined;
  readonly write: (view: RowView, bytes: Uint8Array) => boolean;
}

/** Rows that belong to the engine and not to the guest. */
const ENGINE_ROWS: ReadonlySet<string> = new Set([
  'zero',
  'flagsResult',
  'flagsAux',
  'rflagsSystem',
  'codePage',
  'exitRecord',
  'remaining',
  'interruptPending',
  'faultVector',
  'faultErrorCode',
  'dataTlb',
  'codeTlb',
  'jumpCache',
  'jumpFills',
  'bounce',
  'tscAtEnd',
]);

const RAX_TO_RSP = ['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'RBP', 'RSP'] as const;
const TYPE_OF: Readonly<Record<string, string>> = { RIP: 'code_ptr', RSP: 'data_ptr', RBP: 'data_ptr' };
const XMM_BYTES = 16;
const X87_BYTES = 10;
const X87_REGISTERS = 8;

/** Bytes `from` to `from + bytes` of a row; of a narrower row, zero-extended. */
function ofRow(row: string, bytes: number, from = 0): Pick<GdbRegister, 'read' | 'write'> {
  return {
    read(view) {
      const whole = view.read(row);
      if (whole === undefined) return undefined;
      const part = new Uint8Array(bytes);
      part.set(whole.subarray(from, from + bytes));
      return part;
    },
    write(view, value) {
      const whole = view.read(row)?.slice();
      if (whole === undefined) return false;
      whole.set(value.subarray(0, Math.min(bytes, whole.length - from)), from);
      return view.write(row, whole);
    },
  };
}

const word = (view: RowView, row: string): number | undefined => {
  const bytes = view.read(row);
  return bytes === undefined ? undefined : bytes[0]! | (bytes[1]! << 8);
};

/** The row of ST(i): physical register (TOP + i) modulo 8. */
function stackRow(view: RowView, i: number): string | undefined {
  const status = word(view, 'FSW');
  return status === undefined ? undefined : `R${((status >> 11) + i) & 7}_80`;
}

function stack(i: number): Pick<GdbRegister, 'read' | 'write'> {
  return {
    read(view) {
      const row = stackRow(view, i);
      return row === undefined ? undefined : view.read(row)?.slice(0, X87_BYTES);
    },
    write(view, value) {
      const row = stackRow(view, i);
      return row !== undefined && ofRow(row, X87_BYTES).write(view, value);
    },
  };
}

const Tag = { valid: 0, zero: 1, special: 2, empty: 3 } as const;

/** The two tag bits of a physical register, from its content. */
function tagOf(bytes: Uint8Array): number {
  const exponent = (bytes[8]! | (bytes[9]! << 8)) & 0x7fff;
  const fraction = bytes.subarray(0, 8);
  if (exponent === 0 && fraction.every((byte) => byte === 0)) return Tag.zero;
  return exponent !== 0 && exponent !== 0x7fff && (fraction[7]! & 0x80) !== 0 ? Tag.valid : Tag.special;
}

/** The tag word in full; the state has one bit a register, as FXSAVE. */
const fullTag: Pick<GdbRegister, 'read' | 'write'> = {
  read(view) {
    const abridged = word(view, 'FTW');
    if (abridged === undefined) return undefined;
    let tags = 0;
    for (let i = 0; i < X87_REGISTERS; i++) {
      const tag = (abridged >> i) & 1 ? tagOf(view.read(`R${i}_80`)!) : Tag.empty;
      tags |= tag << (2 * i);
    }
    return Uint8Array.of(tags & 0xff, tags >> 8, 0, 0);
  },
  write(view, value) {
    const tags = value[0]! | (value[1]! << 8);
    let abridged = 0;
    for (let i = 0; i < X87_REGISTERS; i++) if (((tags >> (2 * i)) & 3) !== Tag.empty) abridged |= 1 << i;
    return view.write('FTW', Uint8Array.of(abridged, 0, 0, 0));
  },
};

/** Selectors that CPUs which are no longer made kept with the x87 pointers. */
const alwaysZero: Pick<GdbRegister, 'read' | 'write'> = { read: () => new Uint8Array(4), write: () => false };

const used = new Set<string>(ENGINE_ROWS);
const general = (row: string): GdbRegister => {
  used.add(row);
  return { name: row.toLowerCase(), bits: 64, type: TYPE_OF[row] ?? 'int64', feature: Feature.core, ...ofRow(row, 8) };
};
const float = (name: string, source: Pick<GdbRegister, 'read' | 'write'>): GdbRegister => ({
  name,
  bits: 32,
  type: 'int',
  group: 'float',
  feature: Feature.core,
  ...source,
});
const floatRow = (name: string, row: string): GdbRegister => {
  used.add(row);
  return float(name, ofRow(row, 4));
};

const core: readonly GdbRegister[] = [
  ...RAX_TO_RSP.map(general),
  ...GPR_NAMES.slice(8).map(general),
  general('RIP'),
  { name: 'eflags', bits: 32, type: 'i386_eflags', feature: Feature.core, ...ofRow(RFLAGS_ROW, 4) },
  ...['CS', 'SS', 'DS', 'ES', 'FS', 'GS'].map((segment): GdbRegister => {
    used.add(`${segment}.selector`);
    return {
      name: segment.toLowerCase(),
      bits: 32,
      type: 'int32',
      feature: Feature.core,
      ...ofRow(`${segment}.selector`, 4),
    };
  }),
  ...Array.from({ length: X87_REGISTERS }, (_, i): GdbRegister => {
    used.add(`R${i}_80`);
    return { name: `st${i}`, bits: 80, type: 'i387_ext', feature: Feature.core, ...stack(i) };
  }),
  floatRow('fctrl', 'FCW'),
  floatRow('fstat', 'FSW'),
  floatRow('ftag', 'FTW'),
  float('fiseg', alwaysZero),
  floatRow('fioff', 'FIP'),
  float('foseg', alwaysZero),
  floatRow('fooff', 'FDP'),
  floatRow('fop', 'FOP'),
].map((register) => (register.name === 'ftag' ? { ...register, ...fullTag } : register));

const vector = Array.from({ length: GPR_NAMES.length }, (_, i) => {
  used.add(`YMM${i}`);
  return `YMM${i}`;
});
used.add('MXCSR');
const sse: readonly GdbRegister[] = [
  ...vector.map(
    (row, i): GdbRegister => ({
      name: `xmm${i}`,
      bits: 128,
      type: 'vec128',
      feature: Feature.sse,
      ...ofRow(row, XMM_BYTES),
    }),
  ),
  {
    name: 'mxcsr',
    bits: 32,
    type: 'i386_mxcsr',
    group: 'vector',
    feature: Feature.sse,
    ...ofRow('MXCSR', 4),
  },
];
const avx = vector.map(
  (row, i): GdbRegister => ({
    name: `ymm${i}h`,
    bits: 128,
    type: 'uint128',
    feature: Feature.avx,
    ...ofRow(row, XMM_BYTES, XMM_BYTES),
  }),
);
const bases = SEGMENT_NAMES.slice(4).map((segment): GdbRegister => {
  used.add(`${segment}.base`);
  return {
    name: `${segment.toLowerCase()}_base`,
    bits: 64,
    type: 'int',
    feature: Feature.segments,
    ...ofRow(`${segment}.base`, 8),
  };
});
const system = STATE_ROWS.filter(({ name, width }) => !used.has(name) && width <= 8).map(
  ({ name, width }): GdbRegister => ({
    name: gdbName(name),
    bits: width * 8,
    type: `uint${width * 8}`,
    group: 'system',
    feature: Feature.system,
    ...ofRow(name, width),
  }),
);

/** "ES.descriptorBase" to "es_descriptor_base". */
function gdbName(row: string): string {
  return row
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace('.', '_')
    .toLowerCase();
}

/** In the order of their numbers. */
export const GDB_REGISTERS: readonly GdbRegister[] = [...core, ...sse, ...avx, ...bases, ...system];
