/** Looking at a run from outside: counts, the last crossings, symbols, the report. */

export { crossingName, describeCrossing } from './crossing-names.ts';
export { type Crossing, CrossingRecorder } from './crossing-recorder.ts';
export { decodeName, decodeNumber } from './decode/decode.ts';
export { type Decoded, formatDecoded } from './decode/decoded.ts';
export { metadataFieldName } from './decode/field-id.ts';
export { decodeQualification, NUMBER_KINDS, type NumberKind } from './decode/kinds.ts';
export { describeQualification } from './decode/qualification.ts';
export { decodeStructure } from './decode/structures.ts';
export { BenchTarget } from './gdb/bench-target.ts';
export type { MonitorCommand } from './gdb/monitor.ts';
export { type MonitorSources, monitorCommands } from './gdb/monitor-commands.ts';
export { RunControl, type StopReport } from './gdb/run-control.ts';
export { GdbStub, type StubOptions } from './gdb/stub.ts';
export type { DebugTarget } from './gdb/target.ts';
export { formatRunReport, type NamedCounts, type RunFacts, type RunReport, runReport } from './run-report.ts';
export { type CodeSymbol, parseSystemMap, type SymbolLookup, symbolLookup, symbolsIn, symbolsOf } from './symbols.ts';
export { diffTraces, formatDifference, type TraceDifference } from './trace/diff.ts';
export type { NamedValues, TraceEvent } from './trace/event.ts';
export type { TraceFilter } from './trace/filter.ts';
export { traceLine } from './trace/line.ts';
export { drawTrace } from './trace/picture.ts';
export { readTrace, TraceFormatError } from './trace/read.ts';
export { formatSummary, summarizeTrace, type TraceSummary } from './trace/summary.ts';
export { TraceEventFormatWriter } from './trace/trace-event-format.ts';
export { type TracedPlatform, Tracer, type TracerOptions, tracedPlatform } from './trace/tracer.ts';
export { NdjsonWriter, type TraceWriter } from './trace/writer.ts';
