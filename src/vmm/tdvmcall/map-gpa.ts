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
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const start = registers.u64[Gpr.R12]!;
    const length = registers.u64[Gpr.R13]!;
    registers.u64[Gpr.R11] = start;
    if (length === 0n || start + length > GPA_LIMIT) return TdvmcallStatus.INVALID_OPERAND;
    const toShared = isSharedGpa(Number(start), td.gpaw);
    const startGpa = stripSharedBit(Number(start), td.gpaw);
    const endGpa = startGpa + Number(length);
    if (endGpa > sharedBitOf(td.gpaw)) return TdvmcallStatus.INVALID_OPERAND;
    if (startGpa % PAGE_4K_BYTES !== 0 || endGpa % PAGE_4K_BYTES !== 0) return TdvmcallStatus.ALIGN_ERROR;

    const stopGpa = Math.min(endGpa, startGpa + td.mapGpaChunkBytes);
    convert(td, startGpa, stopGpa, toShared);
    if (stopGpa === endGpa) return TdvmcallStatus.SUCCESS;
    registers.setNumber(Gpr.R11, toShared ? withSharedBit(stopGpa, td.gpaw) : stopGpa);
    return TdvmcallStatus.RETRY;
  },
};

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
