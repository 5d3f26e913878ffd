/** GetQuote: R12 = shared GPA of a buffer with a TDREPORT, R13 = its length. The answer is in the buffer's header. */
import { Gpr, isSharedGpa, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { PAGE_4K_BYTES } from '../host-pages.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** The 24 bytes before the data (GHCI, "TDG.VP.VMCALL<GetQuote>", "TD Quote request buffer"). */
const Header = { version: 0, status: 8, inputLength: 16, outputLength: 20, bytes: 24 } as const;
const VERSION = 1n;
const QUOTE_SERVICE_UNAVAILABLE = 0x8000_0000_0000_0001n;
const LONGEST_BUFFER_BYTES = 128n << 10n;

/** This host has no quoting service, and says so the way a host says it: the call succeeds, the buffer's status does not. */
export const getQuote: TdvmcallRow = {
  leaf: TdvmcallLeaf.GET_QUOTE,
  section: 'TDG.VP.VMCALL<GetQuote>',
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const gpa = registers.number(Gpr.R12);
    const length = registers.u64[Gpr.R13]!;
    if (length === 0n || length > LONGEST_BUFFER_BYTES || !isSharedGpa(gpa, td.gpaw))
      return TdvmcallStatus.INVALID_OPERAND;
    if (gpa % PAGE_4K_BYTES !== 0 || length % BigInt(PAGE_4K_BYTES) !== 0n) return TdvmcallStatus.ALIGN_ERROR;

    const buffer = td.sharedMemory.read(gpa, Number(length));
    if (buffer === undefined) return TdvmcallStatus.INVALID_OPERAND;
    const header = new DataView(buffer.buffer, 0, Header.bytes);
    const inputLength = header.getUint32(Header.inputLength, true);
    if (header.getBigUint64(Header.version, true) !== VERSION) return TdvmcallStatus.INVALID_OPERAND;
    if (inputLength > buffer.length - Header.bytes) return TdvmcallStatus.INVALID_OPERAND;

    header.setBigUint64(Header.status, QUOTE_SERVICE_UNAVAILABLE, true);
    header.setUint32(Header.outputLength, 0, true);
    td.sharedMemory.write(gpa, buffer.subarray(0, Header.bytes));
    if (td.notifyVcpu !== undefined) td.post(td.notifyVcpu, td.notifyVcpu.eventNotifyVector);
    return TdvmcallStatus.SUCCESS;
  },
};
