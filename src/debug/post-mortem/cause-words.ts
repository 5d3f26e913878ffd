/** What a #VE was about, in a few words. */

import { hex } from '../../bits/index.ts';
import type { TraceEvent } from '../trace/event.ts';
import { operand } from './scene.ts';

/** "CPUID leaf 0x40000000", "IO_INSTRUCTION: OUT to port 0x3f8, 1 byte", "EPT_VIOLATION at shared page 0x1000". */
export function describeCause({ name, details, gpa, ...event }: TraceEvent): string {
  const leaf = name === 'CPUID' ? operand({ name, ...event }, 'EAX') : undefined;
  if (leaf !== undefined) return `CPUID leaf ${hex(leaf)}`;
  if (gpa !== undefined) return `${name} at GPA ${gpa}`;
  return details === undefined ? name : `${name}: ${details}`;
}
