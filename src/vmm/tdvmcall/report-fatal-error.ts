/** ReportFatalError: the guest's last words. R12 = code; the text is in registers, or at the shared GPA in R13. */
import { Gpr, isSharedGpa, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { TdHost } from '../td-host.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** R12 bit 63: R13 is the address of a zero-terminated text. */
const HAS_TEXT_ADDRESS = 1n << 63n;
const LONGEST_TEXT_BYTES = 4096;
/** Eight bytes each, in this order, of those the guest exposed. */
const TEXT_REGISTERS = [Gpr.R14, Gpr.R15, Gpr.RBX, Gpr.RDI, Gpr.RSI, Gpr.R8, Gpr.R9, Gpr.RDX] as const;

export const reportFatalError: TdvmcallRow = {
  leaf: TdvmcallLeaf.REPORT_FATAL_ERROR,
  section: 'TDG.VP.VMCALL<ReportFatalError>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    const code = registers.u64[Gpr.R12]!;
    if ((code & td.profile.fatalErrorReservedBits) !== 0n) {
      td.stop({ cause: 'fatal-error', vcpu: vcpu.index, code, message: '' });
      return TdvmcallStatus.SUCCESS;
    }
    const bytes = (code & HAS_TEXT_ADDRESS) !== 0n ? textAt(td, registers.number(Gpr.R13)) : textIn(registers);
    td.stop({ cause: 'fatal-error', vcpu: vcpu.index, code, message: printable(bytes) });
    return TdvmcallStatus.SUCCESS;
  },
};

/** RCX is the mask of the registers the guest exposed. */
function textIn(registers: Tdvmcall['registers']): Uint8Array {
  const bytes = new Uint8Array(TEXT_REGISTERS.length * 8);
  const view = new DataView(bytes.buffer);
  let length = 0;
  for (const register of TEXT_REGISTERS) {
    if ((registers.low(Gpr.RCX) & (1 << register)) === 0) continue;
    view.setBigUint64(length, registers.u64[register]!, true);
    length += 8;
  }
  return bytes.subarray(0, length);
}

function textAt(td: TdHost, gpa: number): Uint8Array {
  const bytes: number[] = [];
  while (isSharedGpa(gpa, td.gpaw) && bytes.length < LONGEST_TEXT_BYTES) {
    const byte = td.sharedMemory.read(gpa + bytes.length, 1)?.[0] ?? 0;
    if (byte === 0) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Up to the first zero byte; what is not printable ASCII becomes a dot: it goes to somebody's terminal. */
function printable(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Array.from(end < 0 ? bytes : bytes.subarray(0, end), (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('');
}
