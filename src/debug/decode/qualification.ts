/** Exit qualifications in words. Source: SDM vol. 3, "Basic VM-Exit Information", tables of exit qualifications. */

import { hex } from '../../bits/index.ts';
import { ExitReason } from '../../cpu/index.ts';
import { gprName, msrName } from '../../isa/index.ts';

const CONTROL_ACCESS = ['MOV to', 'MOV from', 'CLTS', 'LMSW'] as const;

function io(qualification: number): string {
  const size = (qualification & 7) + 1;
  const direction = (qualification & 8) !== 0 ? 'IN from' : 'OUT to';
  const form = (qualification & 0x10) !== 0 ? ', string' : '';
  const rep = (qualification & 0x20) !== 0 ? ', REP' : '';
  return `${direction} port ${hex(qualification >>> 16)}, ${size} ${size === 1 ? 'byte' : 'bytes'}${form}${rep}`;
}

function controlRegister(qualification: number): string {
  const type = (qualification >>> 4) & 3;
  const register = `CR${qualification & 15}`;
  const other = gprName((qualification >>> 8) & 15, 64).toUpperCase();
  if (type === 0) return `MOV to ${register} from ${other}`;
  if (type === 1) return `MOV from ${register} to ${other}`;
  return CONTROL_ACCESS[type]!;
}

function eptViolation(qualification: number): string {
  const kinds = ['read', 'write', 'fetch'].filter((_, bit) => (qualification & (1 << bit)) !== 0);
  const rights = ['readable', 'writable', 'executable'].filter((_, bit) => (qualification & (8 << bit)) !== 0);
  const page = rights.length === 0 ? 'not mapped' : `mapped ${rights.join(', ')}`;
  const walk = (qualification & 0x180) === 0x80 ? ', while walking the page tables' : '';
  return `${kinds.join(' and ') || 'access'}, ${page}${walk}`;
}

function debugRegister(qualification: number): string {
  const direction = (qualification & 0x10) !== 0 ? 'from' : 'to';
  return `MOV ${direction} DR${qualification & 7}`;
}

const byReason: ReadonlyMap<number, (qualification: number) => string> = new Map<number, (q: number) => string>([
  [ExitReason.IoInstruction, io],
  [ExitReason.CrAccess, controlRegister],
  [ExitReason.DrAccess, debugRegister],
  [ExitReason.EptViolation, eptViolation],
]);

/** What an exit qualification says for its reason; '' where the reason has none. */
export function describeQualification(reason: number, qualification: number): string {
  return byReason.get(reason)?.(qualification) ?? (qualification === 0 ? '' : `qualification ${hex(qualification)}`);
}

/** "MSR IA32_EFER" or, for one without a name, "MSR 0x12345". */
export function describeMsr(msr: number): string {
  return `MSR ${msrName(msr >>> 0) ?? hex(msr)}`;
}
