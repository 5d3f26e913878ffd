/** RDPKRU and WRPKRU (SDM vol. 2). */
import { Cr4 } from '../../architecture.ts';
import type { HostOperation, Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { invalidOpcode } from './operand.ts';

const RAX = S.gpr;
const RCX = S.gpr + 8;
const RDX = S.gpr + 16;

function requireKeys(cpu: Processor): void {
  if ((cpu.state.low(S.cr4) & Cr4.PKE) === 0) throw invalidOpcode();
  if (cpu.state.low(RCX) !== 0) throw generalProtection(0);
}

const readPkru: HostOperation = (cpu) => {
  requireKeys(cpu);
  cpu.state.set(RAX, cpu.state.low(S.pkru), 0);
  cpu.state.set(RDX, 0, 0);
};

const writePkru: HostOperation = (cpu) => {
  requireKeys(cpu);
  if (cpu.state.low(RDX) !== 0) throw generalProtection(0);
  cpu.writePkru(cpu.state.low(RAX));
};

export const protectionKeyOperations: OperationTable = { RDPKRU: { host: readPkru }, WRPKRU: { host: writePkru } };
