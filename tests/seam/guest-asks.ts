/** What a guest gets when it asks: CPUID, RDMSR, WRMSR and other exits of a scripted processor. */
import { Gpr } from '../../src/abi/index.ts';
import { ExitReason } from '../../src/cpu/index.ts';
import { type Bench, exits, type ScriptedProcessor, type Step } from './scripted-td.ts';

const CPUID_LENGTH = 2;
/** EAX EBX ECX EDX of a leaf. */
export function cpuid(cpu: ScriptedProcessor, bench: Bench, leaf: number, subleaf = 0): number[] | '#VE' {
  const injections = cpu.injected.length;
  cpu.virtualizationException.valid = false;
  cpu.set(Gpr.RAX, leaf);
  cpu.set(Gpr.RCX, subleaf);
  bench.enter([exits(ExitReason.Cpuid, { instructionLength: CPUID_LENGTH })]);
  if (cpu.injected.length > injections) return '#VE';
  return [Gpr.RAX, Gpr.RBX, Gpr.RCX, Gpr.RDX].map((register) => Number(cpu.get(register)));
}

const VECTORS: Readonly<Record<number, string>> = { 20: '#VE', 13: '#GP', 6: '#UD', 8: '#DF' };

/** What became of one exit: the exception, or undefined when the guest goes on. */
export function outcome(cpu: ScriptedProcessor, bench: Bench, step: Step): string | undefined {
  const injections = cpu.injected.length;
  cpu.virtualizationException.valid = false;
  bench.enter([step]);
  const injection = cpu.injected[injections];
  return injection === undefined ? undefined : VECTORS[injection.vector];
}

export function rdmsr(cpu: ScriptedProcessor, bench: Bench, msr: number): bigint | string {
  cpu.set(Gpr.RCX, msr);
  cpu.set(Gpr.RAX, 0);
  cpu.set(Gpr.RDX, 0);
  return (
    outcome(cpu, bench, exits(ExitReason.Rdmsr, { instructionLength: 2 })) ??
    (cpu.get(Gpr.RDX) << 32n) | cpu.get(Gpr.RAX)
  );
}

export function wrmsr(cpu: ScriptedProcessor, bench: Bench, msr: number, value: bigint): string | undefined {
  cpu.set(Gpr.RCX, msr);
  cpu.set(Gpr.RAX, value & 0xffff_ffffn);
  cpu.set(Gpr.RDX, value >> 32n);
  return outcome(cpu, bench, exits(ExitReason.Wrmsr, { instructionLength: 2 }));
}
