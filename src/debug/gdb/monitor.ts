/** What gdb's `monitor` asks of us: a table of commands. */
import type { RunControl } from './run-control.ts';
import type { DebugTarget } from './target.ts';

export interface MonitorContext {
  readonly control: RunControl;
  readonly target: DebugTarget;
  /** the vCPU that gdb looks at */
  readonly vcpu: number;
}

export interface MonitorCommand {
  readonly name: string;
  /** operands, as the help shows them */
  readonly operands: string;
  readonly help: string;
  /** it shows what no host could see: not for the TD view */
  readonly isBenchOnly?: boolean;
  /** Returns lines for the user; throws a RangeError with a sentence for operands that make no sense. */
  readonly run: (operands: readonly string[], context: MonitorContext) => readonly string[];
}

/** The answer to one line. */
export function runMonitor(commands: readonly MonitorCommand[], line: string, context: MonitorContext): string {
  const [name = '', ...operands] = line.trim().split(/\s+/);
  const command = commands.find((one) => one.name === name);
  if (command === undefined) return help(commands).join('\n');
  try {
    return command.run(operands, context).join('\n');
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function help(commands: readonly MonitorCommand[]): string[] {
  const rows = commands.map(({ name, operands, help: text }) => [`${name} ${operands}`.trim(), text] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, text]) => `${left.padEnd(width)}  ${text}`);
}

/** An address or value as gdb's user writes it. */
export function operandNumber(text: string | undefined, what: string): bigint {
  if (text === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new RangeError(`Give ${what}, like 0x1000.`);
  return BigInt(text);
}
