/** SWAPGS and the FS/GS base instructions: frequent, so generated. */
import { Cr4 } from '../../architecture.ts';
import { Segment } from '../../segments.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable, Place, Sem, Val } from '../sem.ts';

const GS_BASE = S.segmentBase + Segment.Gs * 8;
const FS_BASE = S.segmentBase + Segment.Fs * 8;

/** #UD unless CR4.FSGSBASE is set. */
function check(b: Sem): void {
  b.if(b.eqz(b.and(b.state(S.cr4, 'i32'), b.i32(Cr4.FsGsBase))), () => b.raise(6));
}

function read(row: number): Operation {
  return {
    emit: (b: Sem, target?: Place) => {
      check(b);
      const base = b.state(row, 'i64');
      target!.write(target!.width === 64 ? base : b.wrap(base));
    },
  };
}

function write(row: number): Operation {
  return {
    emit: (b: Sem, source?: Place) => {
      check(b);
      const value: Val = b.extendU(source!.read());
      // canonical: bits 63:47 all alike
      if (source!.width === 64) b.if(b.ne(b.shrS(b.shl(value, 16), 16), value), () => b.raise(13, 0));
      b.setState(row, value);
    },
  };
}

export const segmentBaseOperations: OperationTable = {
  SWAPGS: {
    emit: (b) => {
      b.if(b.state(S.cpl, 'i32'), () => b.raise(13, 0));
      const [outer, inner] = [b.state(GS_BASE, 'i64'), b.state(S.kernelGsBase, 'i64')];
      b.setState(GS_BASE, inner);
      b.setState(S.kernelGsBase, outer);
    },
  },
  RDFSBASE: read(FS_BASE),
  RDGSBASE: read(GS_BASE),
  WRFSBASE: write(FS_BASE),
  WRGSBASE: write(GS_BASE),
};
