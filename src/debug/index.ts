/** Looking at a run from outside: counts, the last crossings, symbols, the report. */

export {
  type CheckedFunction,
  checkFunction,
  type FunctionToCheck,
  functionsWithTdcall,
  type TriedFunction,
} from './check/check-function.ts';
export { Checker, type CheckerOptions } from './check/checker.ts';
export type { CheckRule } from './check/events.ts';
export type { Finding } from './check/finding.ts';
export type { HelperCalls } from './check/flow/flow-tracker.ts';
export { CHECK_FORMATS, type CheckFormat, type CheckReport } from './check/formats/index.ts';
export type { Rule, Severity } from './check/rule.ts';
export { RULES } from './check/rules/index.ts';
export { SIGNATURES, type Signature, signatureOf } from './check/signatures.ts';
export { TRIALS, type Trial } from './check/trials.ts';
export type { Crossing } from './crossing.ts';
export { crossingName, describeCrossing } from './crossing-names.ts';
export { CrossingRecorder } from './crossing-recorder.ts';
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
export { TdTarget } from './gdb/td-target.ts';
export { GuestProfile } from './guest-profile.ts';
export type { LinearPages } from './linear-pages.ts';
export { LIVE_VIEW_LINES, type LiveFacts, liveView, type Phase, phaseOf } from './live-view.ts';
export {
  contentDigest,
  type Measurements,
  measureFirmware,
  measurePlan,
  PAGE_ORDERS,
  type PageOrder,
  withEventLog,
} from './measure.ts';
export { eventText, firstDifference, hexOf, type Reported, readReported, registerName } from './measure-diff.ts';
export { PageCounts } from './page-counts.ts';
export { type ConsoleWords, consoleWords } from './post-mortem/console-words.ts';
export { DIAGNOSES, type DiagnosisRow, diagnose } from './post-mortem/diagnoses.ts';
export { GuestSymbols, readGuestSymbols } from './post-mortem/guest-symbols.ts';
export { GuestView } from './post-mortem/guest-view.ts';
export { PageHistory } from './post-mortem/page-history.ts';
export { formatPostMortem, type PostMortem, postMortem, quietTd, whereTdIs } from './post-mortem/report.ts';
export { formatRunReport, type NamedCounts, type RunFacts, type RunReport, runReport } from './run-report.ts';
export { linkedSourceLines, type SourceLine, type SourceLookup, sourceLines } from './source-lines/source-lines.ts';
export { placeText, type SourcePlace, type SourcePlaces, sourcePlaces } from './source-lines/source-places.ts';
export { type CodeSymbol, parseSystemMap, type SymbolLookup, symbolLookup, symbolsIn } from './symbols.ts';
export { diffTraces, formatDifference, type TraceDifference } from './trace/diff.ts';
export type { NamedValues, TraceEvent } from './trace/event.ts';
export type { TraceFilter } from './trace/filter.ts';
export { traceLine } from './trace/line.ts';
export { drawTrace } from './trace/picture.ts';
export { readTrace, TraceFormatError } from './trace/read.ts';
export { formatSummary, summarizeTrace, type TraceSummary } from './trace/summary.ts';
export { TraceEventFormatWriter } from './trace/trace-event-format.ts';
export { type TracedPlatform, tracedPlatform } from './trace/traced-platform.ts';
export { Tracer, type TracerOptions } from './trace/tracer.ts';
export { NdjsonWriter, type TraceWriter } from './trace/writer.ts';
export { findOrcTable, type OrcPlaces, orcPlacesInElf } from './unwind/orc-sections.ts';
export type { OrcTable } from './unwind/orc-table.ts';
