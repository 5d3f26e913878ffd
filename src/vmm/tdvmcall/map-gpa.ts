/** MapGPA: the guest asks for a range to be shared or private. R12 = start (its shared bit is the wish), R13 = length; R11 = where to go on. */
import {
  Gpr,
  isSharedGpa,
  sharedBitOf,
  stripSharedBit,
  TdvmcallLeaf,
  TdvmcallStatus,
  withSharedBit,
} from '../../abi/index.ts';
import { PAGE_4K_BYTES } from '../host-pages.ts';
import type { TdHost } from '../td-host.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

const GPA_LIMIT = 1n << 52n;

/**
 * To shared: the private pages go, with what was in them, and zeroed host pages appear behind the shared EPT.
 * To private: those go, and the guest gets private pages when it accepts them. Where there is no RAM nothing changes hands.
 */
export const mapGpa: TdvmcallRow = {
  leaf: TdvmcallLeaf.MAP_GPA,
  section: 'TDG.VP.VMCALL<MapGPA>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    const start = registers.u64[Gpr.R12]!;
    const length = registers.u64[Gpr.R13]!;
    registers.u64[Gpr.R11] = start;
    if (length === 0n || start + length > GPA_LIMIT) return TdvmcallStatus.INVALID_OPERAND;
    const toShared = isSharedGpa(Number(start), td.gpaw);
    const startGpa = stripSharedBit(Number(start), td.gpaw);
    const endGpa = startGpa + Number(length);
    if (endGpa > sharedBitOf(td.gpaw)) return TdvmcallStatus.INVALID_OPERAND;
    if (startGpa % PAGE_4K_BYTES !== 0 || endGpa % PAGE_4K_BYTES !== 0) return TdvmcallStatus.ALIGN_ERROR;

    const { mapGpa: manner } = td.profile;
    const stretchBytes = Math.min(manner.chunkBytes, td.mapGpaChunkBytes);
    const asIs = (gpa: number) => (toShared ? withSharedBit(gpa, td.gpaw) : gpa);
    for (let gpa = startGpa; ; ) {
      const stopGpa = Math.min(endGpa, gpa + stretchBytes);
      const inUse = manner.protectsBuffersInUse ? firstInUse(td, gpa, stopGpa) : undefined;
      if (inUse !== undefined) {
        registers.setNumber(Gpr.R11, asIs(inUse));
        return TdvmcallStatus.GPA_INUSE;
      }
      convert(td, gpa, stopGpa, toShared);
      if (stopGpa === endGpa) return TdvmcallStatus.SUCCESS;
      gpa = stopGpa;
      if (Number.isFinite(td.mapGpaChunkBytes) || (manner.stopsForInterrupts && vcpu.posted)) {
        registers.setNumber(Gpr.R11, asIs(gpa));
        return TdvmcallStatus.RETRY;
      }
    }
  },
};

/** The first page of a range that a request in flight will write to. */
function firstInUse(td: TdHost, startGpa: number, endGpa: number): number | undefined {
  const starts = [...td.buffersInUse]
    .filter((buffer) => buffer.startGpa < endGpa && buffer.endGpa > startGpa)
    .map((buffer) => Math.max(buffer.startGpa, startGpa));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

function convert(td: TdHost, startGpa: number, endGpa: number, toShared: boolean): void {
  for (const { startGpa: first, lengthBytes } of td.privateMemory.ramWithin(startGpa, endGpa - startGpa)) {
    if (!toShared) {
      for (let gpa = first; gpa < first + lengthBytes; gpa += PAGE_4K_BYTES) td.sharedMemory.unmap(gpa);
      continue;
    }
    td.privateMemory.remove(first, lengthBytes);
    for (let gpa = first; gpa < first + lengthBytes; gpa += PAGE_4K_BYTES) td.sharedMemory.map(gpa);
  }
}
