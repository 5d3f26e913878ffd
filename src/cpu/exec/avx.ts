/** AVX and AVX2: which SSE operation each VEX form is, and where it is not quite that. */
import { S } from '../state.ts';
import { dotProductOperations } from './dot-product.ts';
import { halfPrecisionOperations } from './half-precision.ts';
import { joinTables } from './join-tables.ts';
import { maskedMoveOperations } from './masked-move.ts';
import { permuteOperations } from './permute.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import { sseOperations } from './sse.ts';
import { comparison, SUFFIXES } from './sse-float.ts';
import { testBits } from './sse-integer.ts';
import { alignedAddress, halvesOf, splat, zeroVector } from './vector-operand.ts';
import { type VexShape, vex, writeHalves } from './vex.ts';

/** SSE operations without a VEX form: on MMX or general registers. */
const LEGACY_ONLY = /^(MOVNTI|MOVNTQ|MOVQ2DQ|MOVDQ2Q|MASKMOVQ|PSHUFW|CVTT?P[SD]2PI|CVTPI2P)/;

const shapes = (names: string, shape: VexShape): Record<string, VexShape> =>
  Object.fromEntries(names.split(' ').map((name) => [name, shape]));

const SHAPES: Readonly<Record<string, VexShape>> = {
  ...shapes('PSLLW PSLLD PSLLQ PSLLDQ PSRLW PSRLD PSRLQ PSRLDQ PSRAW PSRAD', { merges: true }),
  ...shapes('PMOVSXBW PMOVSXWD PMOVSXDQ PMOVZXBW PMOVZXWD PMOVZXDQ CVTPS2PD CVTDQ2PD', { widensFrom: 8 }),
  ...shapes('PMOVSXBD PMOVSXWQ PMOVZXBD PMOVZXWQ', { widensFrom: 4 }),
  ...shapes('PMOVSXBQ PMOVZXBQ', { widensFrom: 2 }),
  ...shapes('CVTPD2PS CVTPD2DQ CVTTPD2DQ', { narrows: true }),
  ...shapes('SHUFPD BLENDPD', { immediateShift: 2 }),
  ...shapes('MPSADBW', { immediateShift: 3 }),
  ...shapes('BLENDPS', { immediateShift: 4 }),
};

const vexForms = joinTables(
  ...Object.entries(sseOperations)
    .filter(([name]) => !LEGACY_ONLY.test(name))
    .map(([name, operation]) => ({ [`V${name}`]: vex(operation, SHAPES[name]) })),
);

/** Moves of whole registers; aligned ones check memory for the operand's own size. */
const move = (aligned: boolean): Operation => ({
  emit: (b, target, source) => {
    const address = (place: Place): Val => (aligned ? alignedAddress(b, place) : b.linear(place));
    if (target!.kind !== 'memory') writeHalves(b, target!, load(b, source!, address));
    else {
      const [lower, upper] = halvesOf(b, source!);
      if (upper === undefined) b.store(128, address(target!), lower!);
      else b.storePair(address(target!), lower!, upper);
    }
  },
});

function load(b: Sem, source: Place, address: (place: Place) => Val): readonly Val[] {
  if (source.kind !== 'memory') return halvesOf(b, source);
  const linear = address(source);
  return source.width === 256 ? b.loadPair(linear) : [b.load(128, linear)];
}

const moves = (names: string, operation: Operation): OperationTable =>
  Object.fromEntries(names.split(' ').map((name) => [name, operation]));

/** All vector registers of the mode, or all their upper halves. */
const zeroAll = (whole: boolean): Operation => ({
  varies: ['mode'],
  emit: (b) => {
    const zero = zeroVector(b);
    for (let register = 0; register < (b.facts.mode === 64 ? 16 : 8); register++) {
      if (whole) b.setState(S.vector + 32 * register, zero);
      b.setState(S.vector + 32 * register + 16, zero);
    }
  },
});

const others: OperationTable = {
  ...moves('VMOVAPS VMOVAPD VMOVDQA VMOVNTPS VMOVNTPD VMOVNTDQ VMOVNTDQA', move(true)),
  ...moves('VMOVUPS VMOVUPD VMOVDQU VLDDQU', move(false)),
  ...Object.fromEntries(SUFFIXES.map((suffix) => [`VCMP${suffix}`, vex(comparison(suffix, 5))])),
  // no register is written
  ...Object.fromEntries(['COMISS', 'COMISD', 'UCOMISS', 'UCOMISD'].map((name) => [`V${name}`, sseOperations[name]!])),
  VPTEST: { emit: testBits(halvesOf) },
  VTESTPS: { emit: testBits(halvesOf, (b) => splat(b, 4, 1 << 31)) },
  VTESTPD: { emit: testBits(halvesOf, (b) => splat(b, 8, 1n << 63n)) },
  VZEROUPPER: zeroAll(false),
  VZEROALL: zeroAll(true),
};

export const avxOperations = joinTables(
  vexForms,
  others,
  permuteOperations,
  maskedMoveOperations,
  halfPrecisionOperations,
  dotProductOperations,
);
