/** One event of a trace as a line for people. */

import type { NamedValues, TraceEvent } from './event.ts';

const TICKS_PER_SECOND = 1e9;

function values(named: NamedValues | undefined): string {
  return Object.entries(named ?? {})
    .map(([name, value]) => `${name.split(':')[0]} ${value}`)
    .join(', ');
}

/** "0.000378556 s vCPU 0 handled by the module CPUID (EAX 0x0: EAX 0x23, EBX ...)". */
export function traceLine(event: TraceEvent): string {
  const { ticks, vcpu, kind, name, details, status, ledTo, symbol, rip } = event;
  const who = vcpu === undefined ? 'host' : `vCPU ${vcpu}`;
  const given = values(event.in);
  const results = values(event.out);
  const parts = [
    `${(ticks / TICKS_PER_SECOND).toFixed(9)} s`,
    who.padEnd(6),
    `${kind} ${name}`,
    ...(given === '' ? [] : [`(${given})`]),
    ...(details === undefined ? [] : [`(${details})`]),
    ...(event.gpa === undefined || details?.includes(event.gpa) || given.includes(event.gpa)
      ? []
      : [`GPA ${event.gpa}`]),
    ...(status === undefined ? [] : [status]),
    ...(results === '' ? [] : [`gives ${results}`]),
    ...(ledTo === undefined || ledTo.length === 0 ? [] : [`led to ${ledTo.join(', ')}`]),
    ...(rip === undefined ? [] : [`at ${symbol ?? rip}`]),
  ];
  return parts.join(' ');
}
