/** Instruction.IO: a port access. R12 = size, R13 = 0 read, 1 write, R14 = port, R15 = data; read data in R11. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { isAccessSize, type Tdvmcall, type TdvmcallRow } from './tdvmcall.ts';

const PORT_COUNT = 0x1_0000n;

export const instructionIo: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_IO,
  section: 'TDG.VP.VMCALL<Instruction.IO>',
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const size = registers.u64[Gpr.R12]!;
    const direction = registers.u64[Gpr.R13]!;
    const portNumber = registers.u64[Gpr.R14]!;
    if (!isAccessSize(size, 4) || direction > 1n || portNumber >= PORT_COUNT) return TdvmcallStatus.INVALID_OPERAND;
    if (direction === 0n) registers.set(Gpr.R11, td.ports.read(Number(portNumber), Number(size)), 0);
    else {
      const mask = 2 ** (8 * Number(size)) - 1;
      td.ports.write(Number(portNumber), Number(size), (registers.low(Gpr.R15) & mask) >>> 0);
    }
    return TdvmcallStatus.SUCCESS;
  },
};
