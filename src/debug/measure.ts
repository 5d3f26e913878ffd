/** What a TD will measure, before it is built: MRTD by the steps the host takes, RTMRs by the events that extend them. */
import { DIGEST_BYTES, RTMR_COUNT } from '../abi/index.ts';
import { type Bytes, piecesOf, readBytes } from '../bits/index.ts';
import { sha384 } from '../digest/index.ts';
import {
  type FirmwareEvent,
  firmwareEvents,
  inOrderOfAddition,
  type LoadPlan,
  type MeasuredEvent,
  PAGE_BYTES,
  regionBytes,
  type TdvfSection,
} from '../loader/index.ts';
import { EXTEND_CHUNK_BYTES, extendRtmr, Mrtd } from '../seam/index.ts';

/**
 * How a host measures a section: page by page, as today's QEMU with KVM does, or first adding all of its pages and then measuring all
 * of them, as Intel's QEMU 8 did. The digests differ.
 */
export const PAGE_ORDERS = ['page-by-page', 'add-then-measure'] as const;
export type PageOrder = (typeof PAGE_ORDERS)[number];

export interface MeasuredPart {
  readonly name: string;
  readonly startGpa: number;
  readonly lengthBytes: number;
  /** the rest of the part is zeros */
  readonly content: Bytes;
  /** not added: the guest accepts it, and MRTD knows nothing of it */
  readonly treatment: 'measured' | 'added' | 'accepted';
}

export interface Measurements {
  readonly parts: readonly MeasuredPart[];
  readonly order: PageOrder;
  readonly mrtd: Uint8Array;
  /** undefined: firmware measures, and what it does depends on more than the image */
  readonly events: readonly MeasuredEvent[] | undefined;
  /** what of it the image tells */
  readonly firmwareEvents?: readonly FirmwareEvent[];
  readonly rtmrs: readonly Uint8Array[] | undefined;
}

/** A TD that is built from a plan. */
export function measurePlan({ regions, events = [] }: LoadPlan): Measurements {
  const parts = inOrderOfAddition(regions).map((region): MeasuredPart => {
    const { name, startGpa, lengthBytes, treatment } = region;
    const treatments = { 'added-measured': 'measured', added: 'added', pending: 'accepted' } as const;
    return { name, startGpa, lengthBytes, content: regionBytes(region), treatment: treatments[treatment] };
  });
  const order = PAGE_ORDERS[0];
  return { parts, order, mrtd: mrtdOf(parts, order), events, rtmrs: replay(events) };
}

/** A TD that starts with a firmware, on a host that describes its memory as QEMU does. */
export function measureFirmware(sections: readonly TdvfSection[], order: PageOrder, memoryBytes: number): Measurements {
  const parts = sections.map(
    ({ isAdded, isMeasured, name, startGpa, lengthBytes, content }): MeasuredPart => ({
      name,
      startGpa,
      lengthBytes,
      content,
      treatment: isAdded ? (isMeasured ? 'measured' : 'added') : 'accepted',
    }),
  );
  return {
    parts,
    order,
    mrtd: mrtdOf(parts, order),
    events: undefined,
    firmwareEvents: firmwareEvents(sections, memoryBytes),
    rtmrs: undefined,
  };
}

/** The same, with the log of a boot: its events complete those that the image decides, and the registers follow. */
export function withEventLog(measurements: Measurements, events: readonly MeasuredEvent[]): Measurements {
  return { ...measurements, events, rtmrs: replay(events) };
}

export function mrtdOf(parts: readonly MeasuredPart[], order: PageOrder): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const mrtd = new Mrtd(page);
  const measurePage = ({ treatment, startGpa, content }: MeasuredPart, offset: number): void => {
    if (treatment !== 'measured') return;
    page.fill(0);
    page.set(readBytes(content, offset, offset + PAGE_BYTES));
    for (let at = 0; at < PAGE_BYTES; at += EXTEND_CHUNK_BYTES) mrtd.extend(startGpa + offset + at, at);
    mrtd.gather();
  };
  for (const part of parts) {
    if (part.treatment === 'accepted') continue;
    const pages = Array.from({ length: part.lengthBytes / PAGE_BYTES }, (_, index) => index * PAGE_BYTES);
    for (const offset of pages) {
      mrtd.addPage(part.startGpa + offset);
      if (order === 'page-by-page') measurePage(part, offset);
    }
    if (order === 'add-then-measure') for (const offset of pages) measurePage(part, offset);
  }
  mrtd.finalize();
  return mrtd.digest;
}

/** The registers after these events. */
export function replay(events: readonly MeasuredEvent[]): Uint8Array[] {
  const rtmrs = Array.from({ length: RTMR_COUNT }, () => new Uint8Array(DIGEST_BYTES));
  for (const { rtmr, digest } of events) if (rtmr >= 0) extendRtmr(rtmrs[rtmr]!, digest);
  return rtmrs;
}

/** SHA-384 of a part's content as the file has it, without the zeros behind it; undefined where it has none. */
export function contentDigest({ content }: MeasuredPart): Uint8Array | undefined {
  return content.length === 0 ? undefined : sha384(piecesOf(content));
}
