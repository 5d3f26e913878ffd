/** Looking at a run from outside: counts, the last crossings, symbols, the report. */

export { crossingName, describeCrossing } from './crossing-names.ts';
export { type Crossing, CrossingRecorder } from './crossing-recorder.ts';
export { formatRunReport, type NamedCounts, type RunFacts, type RunReport, runReport } from './run-report.ts';
export { type SymbolLookup, symbolsOf } from './symbols.ts';
