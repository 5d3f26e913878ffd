/**
 * Service: a command buffer to a service named by a GUID, a response buffer back. R12, R13 = their shared GPAs, R14 = vector that
 * tells when the response is there (0: the call waits), R15 = milliseconds after which nobody waits any more (0: no limit).
 */
import { Gpr, isSharedGpa, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { PAGE_4K_BYTES } from '../host-pages.ts';
import type { TdHost } from '../td-host.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** Command: GUID, length with this header, reserved. Response: GUID, length with this header, status. */
const Header = { guid: 0, length: 16, status: 20, bytes: 24 } as const;
const GUID_BYTES = 16;
const LONGEST_BUFFER_BYTES = 128 << 10;

/** GHCI, "TDG.VP.VMCALL<Service>", status of the response */
export const ServiceStatus = {
  SUCCESS: 0,
  BAD_COMMAND_SIZE: 4,
  BAD_RESPONSE_SIZE: 5,
  UNSUPPORTED: 0xffff_fffe,
  IN_FLIGHT: 0xffff_ffff,
} as const;

/** In the order of bytes in memory: the first three fields are little-endian. */
function guid(text: string): string {
  const [a, b, c, ...rest] = text.split('-') as [string, string, string, ...string[]];
  const reversed = (hex: string) => hex.match(/../g)!.reverse().join('');
  return [a, b, c].map(reversed).join('') + rest.join('');
}

/** GHCI, "Service GUIDs" */
export const SERVICE_QUERY = guid('fb6fc5e1-3378-4acb-8964-fa5ee43b9c8a');

/** The only service there is: which services are there? */
const Query = { version: 0, command: 1, status: 2, guid: 4, bytes: 20 } as const;
const QueryStatus = { SUPPORTED: 0, UNSUPPORTED: 1 } as const;
const SERVICES: ReadonlySet<string> = new Set([SERVICE_QUERY]);

/** What the service takes: virtual nanoseconds, less than any limit in R15. */
const SERVICE_TICKS = 100_000;

interface Reply {
  readonly status: number;
  readonly data: Uint8Array;
}

export const service: TdvmcallRow = {
  leaf: TdvmcallLeaf.SERVICE,
  section: 'TDG.VP.VMCALL<Service>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    const commandGpa = registers.number(Gpr.R12);
    const responseGpa = registers.number(Gpr.R13);
    const vector = registers.number(Gpr.R14);
    if (!isSharedGpa(commandGpa, td.gpaw) || !isSharedGpa(responseGpa, td.gpaw)) return TdvmcallStatus.INVALID_OPERAND;
    if (vector !== 0 && (vector < 32 || vector > 255)) return TdvmcallStatus.INVALID_OPERAND;
    if (commandGpa % PAGE_4K_BYTES !== 0 || responseGpa % PAGE_4K_BYTES !== 0) return TdvmcallStatus.ALIGN_ERROR;
    const command = readBuffer(td, commandGpa);
    const response = readBuffer(td, responseGpa);
    if (command === undefined || response === undefined) return TdvmcallStatus.INVALID_OPERAND;

    const reply = answer(command, response);
    if (vector === 0) {
      respond(td, responseGpa, command, reply);
      return TdvmcallStatus.SUCCESS;
    }
    respond(td, responseGpa, command, { status: ServiceStatus.IN_FLIGHT, data: new Uint8Array() });
    td.clock.schedule(td.clock.nowTicks + SERVICE_TICKS, () => {
      respond(td, responseGpa, command, reply);
      td.post(vcpu, vector);
    });
    return TdvmcallStatus.SUCCESS;
  },
};

interface Buffer {
  readonly guid: string;
  /** undefined: its length field makes no sense */
  readonly data: Uint8Array | undefined;
  readonly header: Uint8Array;
}

/** undefined where the memory is not shared. */
function readBuffer(td: TdHost, gpa: number): Buffer | undefined {
  const header = td.sharedMemory.read(gpa, Header.bytes);
  if (header === undefined) return undefined;
  const lengthBytes = new DataView(header.buffer).getUint32(Header.length, true);
  const legal = lengthBytes >= Header.bytes && lengthBytes <= LONGEST_BUFFER_BYTES;
  const whole = legal ? td.sharedMemory.read(gpa, lengthBytes) : undefined;
  const guid = Array.from(header.subarray(0, GUID_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { guid, header, data: whole?.subarray(Header.bytes) };
}

function answer(command: Buffer, response: Buffer): Reply {
  const failed = (status: number): Reply => ({ status, data: new Uint8Array() });
  if (command.data === undefined) return failed(ServiceStatus.BAD_COMMAND_SIZE);
  if (response.data === undefined) return failed(ServiceStatus.BAD_RESPONSE_SIZE);
  if (command.guid !== SERVICE_QUERY) return failed(ServiceStatus.UNSUPPORTED);
  if (command.data.length < Query.bytes) return failed(ServiceStatus.BAD_COMMAND_SIZE);
  if (response.data.length < Query.bytes) return failed(ServiceStatus.BAD_RESPONSE_SIZE);
  if (command.data[Query.version] !== 0 || command.data[Query.command] !== 0) return failed(ServiceStatus.UNSUPPORTED);
  const data = command.data.slice(0, Query.bytes);
  const asked = Array.from(data.subarray(Query.guid), (byte) => byte.toString(16).padStart(2, '0')).join('');
  data[Query.status] = SERVICES.has(asked) ? QueryStatus.SUPPORTED : QueryStatus.UNSUPPORTED;
  return { status: ServiceStatus.SUCCESS, data };
}

/** The data comes before the header that says it is there. */
function respond(td: TdHost, gpa: number, command: Buffer, { status, data }: Reply): void {
  const header = new Uint8Array(Header.bytes);
  header.set(command.header.subarray(0, GUID_BYTES));
  const view = new DataView(header.buffer);
  view.setUint32(Header.length, Header.bytes + data.length, true);
  view.setUint32(Header.status, status, true);
  if (td.sharedMemory.write(gpa + Header.bytes, data)) td.sharedMemory.write(gpa, header);
}
