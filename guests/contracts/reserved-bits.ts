import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { vmcall } from '../cases/parts.ts';
import type { ContractTd } from './contract-guest.ts';

const SERIAL_PORT = 0x3f8;

export const reservedBits: ContractTd = {
  rule: 'reserved-bits',
  breaks: (a) => {
    vmcall(a, TdvmcallLeaf.INSTRUCTION_IO, [1, 1, 0xffff_0000 + SERIAL_PORT, 0x41]);
    a.hlt();
  },
  keeps: (a) => {
    vmcall(a, TdvmcallLeaf.INSTRUCTION_IO, [1, 1, SERIAL_PORT, 0x41]);
    a.hlt();
  },
};
