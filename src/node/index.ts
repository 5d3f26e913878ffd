/** What needs Node: files, the terminal, other programs. */

export { cacheDirectory } from './cache-directory.ts';
export { ProgramNotFound, type RunOptions, runProgram } from './child-process.ts';
export { CodeStore, kernelKey } from './code-store.ts';
export { ConsoleMarkFilter, type ConsoleReader, consoleMark, type MarkKind } from './console-marks.ts';
export { AptUnavailable } from './debian/apt.ts';
export { cachedDebianGuest, type DebianGuest, type DebianOptions, debianGuest, debianPackage } from './debian/guest.ts';
export { FileError, readUserFile, withLock, writeWhole } from './files.ts';
export { type GdbAddress, type GdbServer, listenForGdb } from './gdb-server.ts';
export { busyboxInitramfs, debianInitramfs } from './initramfs.ts';
export { useNativeDigests } from './native-digest.ts';
export { PHASES, type Phase, PhaseSampler, type PhaseTimes } from './phases.ts';
export { type OnProgress, ProgressLine, type ProgressStream } from './progress.ts';
export { RegionThread } from './region-thread.ts';
export { type OpenSnapshot, openSnapshot, sha256Of, writeSnapshot } from './snapshot-files.ts';
export { hasTerminal, KeyReader, openTerminal, type TerminalCommand, terminalHelp } from './terminal.ts';
export { openUserFile } from './user-file.ts';
export { seamulatorVersion } from './version.ts';
