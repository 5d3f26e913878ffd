/** Reads traces back: both forms hold the same events. */

import type { TraceEvent } from './event.ts';

/** A file that is no trace of ours: one sentence. */
export class TraceFormatError extends Error {
  override readonly name = 'TraceFormatError';
}

function isEvent(value: unknown): value is TraceEvent {
  const event = value as Partial<TraceEvent> | null;
  return typeof event === 'object' && typeof event?.n === 'number' && typeof event.kind === 'string';
}

/** The events of a `.ndjson` or `.json` trace, in their order. @throws TraceFormatError */
export function readTrace(text: string, name: string): TraceEvent[] {
  const wrong = (why: string) => new TraceFormatError(`${name} is no trace of seamulator: ${why}`);
  const parse = (json: string, where: string): unknown => {
    try {
      return JSON.parse(json);
    } catch {
      throw wrong(`${where} is no JSON`);
    }
  };
  if (text.startsWith('{"displayTimeUnit"')) {
    const { traceEvents } = parse(text, 'it') as { traceEvents?: { args?: unknown }[] };
    if (!Array.isArray(traceEvents)) throw wrong('it has no traceEvents');
    return traceEvents.map(({ args }) => args).filter(isEvent);
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      const event = parse(line, `line ${index + 1}`);
      if (!isEvent(event)) throw wrong(`line ${index + 1} is no crossing`);
      return event;
    });
}
