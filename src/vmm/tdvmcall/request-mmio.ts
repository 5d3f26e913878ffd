/** #VE.RequestMMIO: a device access. R12 = size, R13 = 0 read, 1 write, R14 = shared GPA, R15 = data; read data in R11. */
import { Gpr, isSharedGpa, stripSharedBit, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { isAccessSize, lowBytes, type Tdvmcall, type TdvmcallRow } from './tdvmcall.ts';

/** GPAs have at most 52 bits. */
const GPA_LIMIT = 2 ** 52;

/** RAM is no device: a success there would let a guest believe it had read its memory. Nothing at all reads as all ones. */
export const requestMmio: TdvmcallRow = {
  leaf: TdvmcallLeaf.REQUEST_MMIO,
  section: 'TDG.VP.VMCALL<#VE.RequestMMIO>',
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const sizeBytes = registers.number(Gpr.R12);
    const direction = registers.number(Gpr.R13);
    const sharedGpa = registers.number(Gpr.R14);
    if (!isAccessSize(sizeBytes, 8) || direction > 1 || sharedGpa >= GPA_LIMIT) return TdvmcallStatus.INVALID_OPERAND;
    if (!isSharedGpa(sharedGpa, td.gpaw)) return TdvmcallStatus.INVALID_OPERAND;
    const address = stripSharedBit(sharedGpa, td.gpaw);
    if (td.privateMemory.touchesRam(address, sizeBytes)) return TdvmcallStatus.INVALID_OPERAND;

    const partBytes = Math.min(sizeBytes, 4);
    if (direction === 0) {
      const low = td.mmio.read(address, partBytes);
      registers.set(Gpr.R11, low, sizeBytes === 8 ? td.mmio.read(address + 4, 4) : 0);
    } else {
      td.mmio.write(address, partBytes, lowBytes(registers.low(Gpr.R15), partBytes));
      if (sizeBytes === 8) td.mmio.write(address + 4, 4, registers.high(Gpr.R15));
    }
    return TdvmcallStatus.SUCCESS;
  },
};
