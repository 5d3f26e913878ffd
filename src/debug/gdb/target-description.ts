/** The target description: gdb learns from it which registers there are. Source: "Debugging with GDB", appendix "Target Descriptions". */
import { Feature, GDB_REGISTERS, type GdbRegister } from './registers.ts';

const flags = (id: string, names: Readonly<Record<number, string>>): string =>
  [
    `<flags id="${id}" size="4">`,
    ...Object.entries(names).map(([bit, name]) => `<field name="${name}" start="${bit}" end="${bit}"/>`),
    '</flags>',
  ].join('');

const RFLAGS = {
  0: 'CF',
  1: '',
  2: 'PF',
  4: 'AF',
  6: 'ZF',
  7: 'SF',
  8: 'TF',
  9: 'IF',
  10: 'DF',
  11: 'OF',
  14: 'NT',
  16: 'RF',
  17: 'VM',
  18: 'AC',
  19: 'VIF',
  20: 'VIP',
  21: 'ID',
};
const MXCSR = {
  0: 'IE',
  1: 'DE',
  2: 'ZE',
  3: 'OE',
  4: 'UE',
  5: 'PE',
  6: 'DAZ',
  7: 'IM',
  8: 'DM',
  9: 'ZM',
  10: 'OM',
  11: 'UM',
  12: 'PM',
  15: 'FZ',
};

const LANES: readonly (readonly [id: string, type: string, count: number])[] = [
  ['v4_float', 'ieee_single', 4],
  ['v2_double', 'ieee_double', 2],
  ['v16_int8', 'int8', 16],
  ['v8_int16', 'int16', 8],
  ['v4_int32', 'int32', 4],
  ['v2_int64', 'int64', 2],
];
const VEC128 = [
  ...LANES.map(([id, type, count]) => `<vector id="${id}" type="${type}" count="${count}"/>`),
  '<union id="vec128">',
  ...LANES.map(([id]) => `<field name="${id}" type="${id}"/>`),
  '<field name="uint128" type="uint128"/></union>',
].join('');

/** Types that a feature's registers need, before them. */
const TYPES: Readonly<Record<string, string>> = {
  [Feature.core]: flags('i386_eflags', RFLAGS),
  [Feature.sse]: VEC128 + flags('i386_mxcsr', MXCSR),
};

function register({ name, bits, type, group }: GdbRegister): string {
  return `<reg name="${name}" bitsize="${bits}" type="${type}"${group === undefined ? '' : ` group="${group}"`}/>`;
}

/** target.xml: every feature with its registers, in the order of their numbers. */
export const TARGET_DESCRIPTION: string = [
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0"><architecture>i386:x86-64</architecture>',
  ...Object.values(Feature).map((feature) => {
    const registers = GDB_REGISTERS.filter((one) => one.feature === feature);
    return `<feature name="${feature}">${TYPES[feature] ?? ''}${registers.map(register).join('')}</feature>`;
  }),
  '</target>',
].join('\n');
