/** Instruction.IO: a port access. R12 = size, R13 = 0 read, 1 write, R14 = port, R15 = data; read data in R11. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { isAccessSize, lowBytes, type Tdvmcall, type TdvmcallRow } from './tdvmcall.ts';

const PORT_COUNT = 0x1_0000;

export const instructionIo: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_IO,
  section: 'TDG.VP.VMCALL<Instruction.IO>',
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const sizeBytes = registers.number(Gpr.R12);
    const direction = registers.number(Gpr.R13);
    const port = td.profile.cutsWideOperands ? registers.low(Gpr.R14) & 0xffff : registers.number(Gpr.R14);
    if (!isAccessSize(sizeBytes, 4) || direction > 1 || port >= PORT_COUNT) return TdvmcallStatus.INVALID_OPERAND;
    if (direction === 0) registers.set(Gpr.R11, td.ports.read(port, sizeBytes), 0);
    else td.ports.write(port, sizeBytes, lowBytes(registers.low(Gpr.R15), sizeBytes));
    return TdvmcallStatus.SUCCESS;
  },
};
