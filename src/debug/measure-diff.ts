/** A prediction against what was reported: a TDREPORT, a quote, or an event log. */
import { DIGEST_BYTES, REPORT_TYPE_TDX, TDINFO_LAYOUT, TDREPORT_BYTES, TDREPORT_LAYOUT } from '../abi/index.ts';
import { parseQuote, QuoteFormatError, quoteField } from '../attestation/index.ts';
import { bytesEqual } from '../bits/index.ts';
import { EventType, eventTypeName, type FirmwareEvent, type MeasuredEvent, parseEventLog } from '../loader/index.ts';
import { type Measurements, mrtdOf, PAGE_ORDERS, replay } from './measure.ts';

export type Reported =
  | { readonly kind: 'TDREPORT' | 'quote'; readonly mrtd: Uint8Array; readonly rtmrs: readonly Uint8Array[] }
  | { readonly kind: 'event log'; readonly events: readonly MeasuredEvent[] };

/** undefined: these bytes are nothing of the three. */
export function readReported(bytes: Uint8Array): Reported | undefined {
  const events = parseEventLog(bytes);
  if (events !== undefined) return { kind: 'event log', events };
  const registers = (at: (name: string) => Uint8Array) => ({
    mrtd: at('MRTD'),
    rtmrs: [0, 1, 2, 3].map((index) => at(`RTMR${index}`)),
  });
  if (bytes.length === TDREPORT_BYTES && bytes[TDREPORT_LAYOUT.type] === REPORT_TYPE_TDX) {
    const tdInfo = bytes.subarray(TDREPORT_LAYOUT.tdInfo);
    const offsetOf = (name: string) =>
      name === 'MRTD' ? TDINFO_LAYOUT.mrtd : TDINFO_LAYOUT.rtmr + Number(name.at(-1)) * DIGEST_BYTES;
    return {
      kind: 'TDREPORT',
      ...registers((name) => tdInfo.subarray(offsetOf(name), offsetOf(name) + DIGEST_BYTES)),
    };
  }
  try {
    const quote = parseQuote(bytes);
    return { kind: 'quote', ...registers((name) => quoteField(quote, name)!) };
  } catch (error) {
    if (error instanceof QuoteFormatError) return undefined;
    throw error;
  }
}

/** The first difference in a sentence; undefined where there is none, or nothing to compare. */
export function firstDifference(predicted: Measurements, reported: Reported): string | undefined {
  if (reported.kind === 'event log')
    return predicted.firmwareEvents === undefined
      ? differentEvent(predicted.events ?? [], reported.events)
      : differentFirmwareEvent(predicted.firmwareEvents, reported.events);
  const { kind } = reported;
  if (!bytesEqual(predicted.mrtd, reported.mrtd)) {
    const other = PAGE_ORDERS.find(
      (order) => order !== predicted.order && bytesEqual(mrtdOf(predicted.parts, order), reported.mrtd),
    );
    const hint =
      other === undefined ? tellingRegisters(predicted, reported.rtmrs) : `; it is that of the page order ${other}`;
    return `MRTD is ${hexOf(predicted.mrtd)} here and ${hexOf(reported.mrtd)} in the ${kind}${hint}`;
  }
  for (const [index, rtmr] of (predicted.rtmrs ?? []).entries()) {
    const theirs = reported.rtmrs[index]!;
    if (!bytesEqual(rtmr, theirs))
      return `RTMR${index} is ${hexOf(rtmr)} here and ${hexOf(theirs)} in the ${kind}${missing(predicted.events!, index, theirs)}`;
  }
  return undefined;
}

/** Contents that changed show in the registers of direct boot too, and there part by part. */
function tellingRegisters({ rtmrs = [], events = [] }: Measurements, theirs: readonly Uint8Array[]): string {
  const different = [...rtmrs.keys()].filter((index) => !bytesEqual(rtmrs[index]!, theirs[index]!));
  const parts = different.map((index) => {
    const texts = events.filter(({ rtmr }) => rtmr === index).map(({ data }) => `"${eventText(data)}"`);
    return texts.length === 0 ? registerName(index) : `${registerName(index)} (${texts.join(', ')})`;
  });
  return parts.length === 0 ? '' : `; ${parts.join(' and ')} ${parts.length === 1 ? 'differs' : 'differ'} too`;
}

/** A register that stopped early is the most common of all differences. */
function missing(events: readonly MeasuredEvent[], index: number, theirs: Uint8Array): string {
  const own = events.filter(({ rtmr }) => rtmr === index);
  for (let count = 0; count < own.length; count++)
    if (bytesEqual(replay(own.slice(0, count))[index]!, theirs))
      return `, where it was extended ${count} times instead of ${own.length}`;
  return '';
}

function differentEvent(predicted: readonly MeasuredEvent[], reported: readonly MeasuredEvent[]): string | undefined {
  for (let index = 0; index < Math.max(predicted.length, reported.length); index++) {
    const [ours, theirs] = [predicted[index], reported[index]];
    const of = `event ${index}`;
    if (ours === undefined) return `${of} of the log is one too many: ${describe(theirs!)}`;
    if (theirs === undefined) return `${of} is missing in the log: ${describe(ours)}`;
    if (ours.rtmr !== theirs.rtmr || ours.type !== theirs.type)
      return `${of} is ${describe(ours)} here and ${describe(theirs)} in the log`;
    if (!bytesEqual(ours.digest, theirs.digest))
      return `${of}, ${describe(ours)}, has the digest ${hexOf(ours.digest)} here and ${hexOf(theirs.digest)} in the log (${describe(theirs)})`;
    if (!bytesEqual(ours.data, theirs.data))
      return `${of} is ${describe(ours)} here and ${describe(theirs)} in the log`;
  }
  return undefined;
}

/** Events that the image tells must be in the log, in their order; between them may be what others decide. */
function differentFirmwareEvent(
  predicted: readonly FirmwareEvent[],
  reported: readonly MeasuredEvent[],
): string | undefined {
  let from = 0;
  for (const event of predicted.filter(({ digests }) => digests.length > 0)) {
    const index = reported.findIndex((theirs, at) => at >= from && isAbout(event, theirs));
    const what = `${registerName(event.rtmr)} ${eventTypeName(event.type)}, ${event.name},`;
    if (index < 0) return `${what} is missing in the log`;
    from = index + 1;
    const theirs = reported[index]!.digest;
    if (!event.digests.some(({ digest }) => bytesEqual(digest, theirs)))
      return `${what} has the digest ${event.digests.map(({ digest }) => hexOf(digest)).join(' or ')} here and ${hexOf(theirs)} in the log`;
  }
  return undefined;
}

const VARIABLE_NAME_AT = 32;

/** Same register and type; where it is about a variable, the same one. */
function isAbout({ rtmr, type, variable, name }: FirmwareEvent, theirs: MeasuredEvent): boolean {
  if (theirs.rtmr !== rtmr || theirs.type !== type) return false;
  if (type === EventType.EFI_ACTION) return new TextDecoder().decode(theirs.data).startsWith(name);
  if (variable === undefined) return true;
  const text = new TextDecoder('utf-16le').decode(theirs.data.subarray(VARIABLE_NAME_AT));
  return (
    text.startsWith(variable) &&
    new DataView(theirs.data.buffer, theirs.data.byteOffset).getUint32(16, true) === variable.length
  );
}

function describe({ rtmr, type, data }: MeasuredEvent): string {
  return `${registerName(rtmr)} ${eventTypeName(type)} "${eventText(data)}"`;
}

export function registerName(rtmr: number): string {
  return rtmr < 0 ? 'MRTD' : `RTMR${rtmr}`;
}

/** The readable part of an event's data. */
export function eventText(data: Uint8Array): string {
  return String.fromCharCode(...data.subarray(0, 200)).replace(/[^\x20-\x7e]/g, '.');
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
