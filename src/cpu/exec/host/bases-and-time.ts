/** Frequent system instructions that need no host: SWAPGS, the FS and GS bases, the time stamp counter, SERIALIZE. */
import { Cr4 } from '../../architecture.ts';
import { Gpr } from '../../gpr.ts';
import { Segment } from '../../segments.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable, Sem } from '../sem.ts';

const GS_BASE = S.segmentBase + Segment.Gs * 8;
const FS_BASE = S.segmentBase + Segment.Fs * 8;

function supervisorOnly(b: Sem): void {
  b.if(b.state(S.cpl, 'i32'), () => b.raise(13, 0));
}

function requireCr4(b: Sem, bit: number): void {
  b.if(b.eqz(b.and(b.state(S.cr4, 'i32'), b.i32(bit))), () => b.raise(6));
}

const swapGs: Operation = {
  emit: (b) => {
    supervisorOnly(b);
    const base = b.state(GS_BASE, 'i64');
    b.setState(GS_BASE, b.state(S.kernelGsBase, 'i64'));
    b.setState(S.kernelGsBase, base);
  },
};

function readBase(row: number): Operation {
  return {
    emit: (b, target) => {
      requireCr4(b, Cr4.FSGSBASE);
      const base = b.state(row, 'i64');
      target!.write(target!.width === 64 ? base : b.wrap(base));
    },
  };
}

function writeBase(row: number): Operation {
  return {
    emit: (b, source) => {
      requireCr4(b, Cr4.FSGSBASE);
      const value = b.extendU(source!.read());
      if (source!.width === 64) {
        const bits = b.select(b.ne(b.and(b.state(S.cr4, 'i32'), b.i32(Cr4.LA57)), b.i32(0)), b.i64(56), b.i64(47));
        const sign = b.shrS(value, bits);
        b.if(b.ne(b.add(sign, b.i64(1)), b.and(b.add(sign, b.i64(1)), b.i64(1))), () => b.raise(13, 0));
      }
      b.setState(row, value);
    },
  };
}

/** EDX:EAX = TSC; CR4.TSD keeps it from privilege levels above 0. */
function timeStamp(b: Sem): void {
  const forbidden = b.and(
    b.ne(b.and(b.state(S.cr4, 'i32'), b.i32(Cr4.TSD)), b.i32(0)),
    b.ne(b.state(S.cpl, 'i32'), b.i32(0)),
  );
  b.if(forbidden, () => b.raise(13, 0));
  const tsc = b.tsc();
  b.setGpr(Gpr.Rax, 32, b.wrap(tsc));
  b.setGpr(Gpr.Rdx, 32, b.wrap(b.shrU(tsc, 32)));
}

export const baseAndTimeOperations: OperationTable = {
  SWAPGS: swapGs,
  RDFSBASE: readBase(FS_BASE),
  RDGSBASE: readBase(GS_BASE),
  WRFSBASE: writeBase(FS_BASE),
  WRGSBASE: writeBase(GS_BASE),
  RDTSC: { emit: timeStamp },
  RDTSCP: {
    emit: (b) => {
      timeStamp(b);
      b.setGpr(Gpr.Rcx, 32, b.state(S.tscAux, 'i32'));
    },
  },
  SERIALIZE: { emit: () => {} },
};
