/**
 * GetQuote: R12 = shared GPA of a buffer with a TDREPORT, R13 = its length. The call only hands the request over; the answer is in the
 * buffer, later.
 */
import { Gpr, isSharedGpa, stripSharedBit, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { PAGE_4K_BYTES } from '../host-pages.ts';
import type { GpaSpan, TdHost } from '../td-host.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** The 24 bytes before the data (GHCI, "TDG.VP.VMCALL<GetQuote>", "TD Quote request buffer"). */
const Header = { version: 0, status: 8, inputLength: 16, outputLength: 20, bytes: 24 } as const;
const VERSION = 1n;
/** "GetQuote Status Code" */
const QuoteStatus = {
  SUCCESS: 0n,
  IN_FLIGHT: 0xffff_ffff_ffff_ffffn,
  ERROR: 0x8000_0000_0000_0000n,
  SERVICE_UNAVAILABLE: 0x8000_0000_0000_0001n,
} as const;
const LONGEST_BUFFER_BYTES = 128n << 10n;
/** as QEMU has it (target/i386/kvm/tdx.c) */
const MOST_IN_FLIGHT = 16;
/** what a quoting service takes, about: virtual nanoseconds */
const QUOTING_TICKS = 5_000_000;

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
    if (td.quoting === undefined) {
      writeHeader(td, gpa, QuoteStatus.SERVICE_UNAVAILABLE, 0);
      notify(td);
      return TdvmcallStatus.SUCCESS;
    }
    if (td.quotesInFlight >= MOST_IN_FLIGHT) return TdvmcallStatus.RETRY;

    // the guest may change the buffer from now on: what it asked is what was in it at the call
    const startGpa = stripSharedBit(gpa, td.gpaw);
    const request: Request = {
      buffer: { startGpa, endGpa: startGpa + buffer.length },
      gpa,
      roomBytes: buffer.length - Header.bytes,
      input: buffer.slice(Header.bytes, Header.bytes + inputLength),
    };
    writeHeader(td, gpa, QuoteStatus.IN_FLIGHT, 0);
    td.quotesInFlight++;
    td.buffersInUse.add(request.buffer);
    td.clock.schedule(td.clock.nowTicks + QUOTING_TICKS, () => finish(td, request));
    return TdvmcallStatus.SUCCESS;
  },
};

interface Request {
  readonly buffer: GpaSpan;
  readonly gpa: number;
  readonly roomBytes: number;
  readonly input: Uint8Array;
}

/** The data comes before the header that says it is there. A buffer that is no longer shared gets nothing. */
function finish(td: TdHost, { buffer, gpa, roomBytes, input }: Request): void {
  td.quotesInFlight--;
  td.buffersInUse.delete(buffer);
  const quote = td.quoting?.quote(input);
  if (quote === undefined || quote.length > roomBytes) writeHeader(td, gpa, QuoteStatus.ERROR, 0);
  else if (td.sharedMemory.write(gpa + Header.bytes, quote)) writeHeader(td, gpa, QuoteStatus.SUCCESS, quote.length);
  notify(td);
}

/** GHCI, "TDG.VP.VMCALL<SetupEventNotifyInterrupt>". */
function notify(td: TdHost): void {
  const { notifyVcpu } = td;
  if (notifyVcpu !== undefined) td.post(notifyVcpu, notifyVcpu.eventNotifyVector);
}

function writeHeader(td: TdHost, gpa: number, status: bigint, outputLength: number): void {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, status, true);
  if (!td.sharedMemory.write(gpa + Header.status, new Uint8Array(bytes.buffer))) return;
  bytes.setUint32(0, outputLength, true);
  td.sharedMemory.write(gpa + Header.outputLength, new Uint8Array(bytes.buffer, 0, 4));
}
