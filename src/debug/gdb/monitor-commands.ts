/** The commands of `monitor`, in the order of the help. */
import { exitReasonName } from '../../abi/index.ts';
import { hex, join64 } from '../../bits/index.ts';
import type { LogicalProcessor } from '../../cpu/index.ts';
import { createInstruction, DecodeResult, Decoder, formatInstruction } from '../../isa/index.ts';
import type { Td, TdxPlatform } from '../../machine/index.ts';
import { describeCrossing } from '../crossing-names.ts';
import type { CrossingRecorder } from '../crossing-recorder.ts';
import { decodeNumber } from '../decode/decode.ts';
import { formatDecoded } from '../decode/decoded.ts';
import { hostField, readHostField } from './host-fields.ts';
import { type MonitorCommand, operandNumber } from './monitor.ts';
import { type DebugTarget, physicalOf, readLinear, rowValue } from './target.ts';

export interface MonitorSources {
  readonly platform: TdxPlatform;
  readonly td: Td;
  readonly crossings: CrossingRecorder;
}

const EFER_LMA = 1n << 10n;
const RIGHTS_LONG = 1n << 13n;
const RIGHTS_BIG = 1n << 14n;
const LONGEST_INSTRUCTION = 15;
const DEFAULT_LINES = 8;
const DEFAULT_BYTES = 64;
const LINE_BYTES = 16;
const PAGE_BYTES = 4096;
const DEFAULT_CROSSINGS = 20;

/** @param target what may be seen: commands that show more are left out */
export function monitorCommands(
  { platform, td, crossings }: MonitorSources,
  { isBench }: DebugTarget,
): readonly MonitorCommand[] {
  const all: readonly MonitorCommand[] = [
    {
      name: 'status',
      operands: '',
      help: 'where each vCPU is, and how far the run has come',
      run: (_, { control, target }) => [
        target.banner,
        `position ${control.stops.position}, virtual time ${platform.clock.nowTicks} ns`,
        ...control.processors.map((processor, index) => {
          const value = (row: string) => rowValue(target, index, row);
          const halted = td.host.vcpus[index]!.halted ? ', waits in HLT' : '';
          const rip = value('RIP');
          const run = `${processor.retired} instructions${halted}`;
          if (rip === undefined) return `vCPU ${index}: ${target.refusal ?? 'RIP cannot be seen'}; ${run}`;
          return `vCPU ${index}: RIP ${hex(rip, 16)}, ${modeOf(value)}-bit code, CPL ${value('CPL') ?? '?'}, ${run}`;
        }),
      ],
    },
    {
      name: 'crossings',
      isBenchOnly: true,
      operands: '[COUNT]',
      help: 'the last crossings of the TD border, oldest first',
      run: ([count]) => {
        const wanted = count === undefined ? DEFAULT_CROSSINGS : Number(operandNumber(count, 'a count'));
        const last = crossings.last().slice(-Math.max(1, wanted));
        return last.length === 0 ? ['no crossing yet'] : last.map(describeCrossing);
      },
    },
    {
      name: 've',
      isBenchOnly: true,
      operands: '',
      help: 'the #VE information that the handler has not fetched yet',
      run: (_, { control, vcpu }) => virtualizationException(control.processors[vcpu]!),
    },
    {
      name: 'sept',
      operands: 'GPA',
      help: 'the Secure EPT entries towards a private guest physical address',
      run: ([address], { target }) => {
        const gpa = operandNumber(address, 'a guest physical address');
        const steps = target.secureEptWalk(Number(gpa));
        if (steps.length === 0) return [target.refusal ?? `${hex(gpa)} is no private address`];
        return steps.map(
          ({ level, state, hpa }) => `level ${level}: ${state}${hpa === undefined ? '' : `, host page ${hex(hpa)}`}`,
        );
      },
    },
    {
      name: 'field',
      operands: 'NAME',
      help: 'metadata of the TD or of this vCPU by its name in the ABI, as a host reads it: TDH.MNG.RD, TDH.VP.RD',
      run: (words, { vcpu }) => {
        const name = words.join(' ');
        const field = hostField(name);
        if (field === undefined) throw new RangeError('Give the name of a field, like ATTRIBUTES or Guest RIP.');
        const answer = readHostField(td.host, field, vcpu);
        return ['value' in answer ? `${field.name} ${hex(answer.value)}` : answer.refusal];
      },
    },
    {
      name: 'translate',
      operands: 'ADDRESS',
      help: 'the guest physical address of a linear one, by the page tables of this vCPU',
      run: ([address], { target, vcpu }) => {
        const linear = operandNumber(address, 'a linear address');
        const gpa = physicalOf(target, vcpu, linear);
        return [
          gpa === undefined
            ? (target.refusal ?? `${hex(linear)} is not mapped`)
            : `${hex(linear)} is at guest physical ${hex(gpa)}`,
        ];
      },
    },
    {
      name: 'physical',
      operands: 'GPA [BYTES]',
      help: 'memory by guest physical address, with the shared bit where shared memory is meant',
      run: ([address, count], { target }) => {
        const gpa = operandNumber(address, 'a guest physical address');
        const wanted = count === undefined ? DEFAULT_BYTES : Number(operandNumber(count, 'a number of bytes'));
        const bytes = target.readPhysical(gpa, Math.min(wanted, PAGE_BYTES - Number(gpa % BigInt(PAGE_BYTES))));
        if (bytes === undefined) return [target.refusal ?? `${hex(gpa)} is no memory`];
        return Array.from({ length: Math.ceil(bytes.length / LINE_BYTES) }, (_, line) => {
          const part = bytes.subarray(line * LINE_BYTES, (line + 1) * LINE_BYTES);
          const digits = Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
          return `${hex(gpa + BigInt(line * LINE_BYTES))}  ${digits}`;
        });
      },
    },
    {
      name: 'decode',
      operands: 'VALUE',
      help: 'everything that a 64-bit value can say: statuses, leaves, exit reasons, fields, masks',
      run: ([text]) => {
        const value = operandNumber(text, 'a value');
        const all = decodeNumber(value);
        return all.length === 0 ? [`${hex(value)} is nothing that has a name`] : all.map(formatDecoded);
      },
    },
    {
      name: 'disassemble',
      operands: '[ADDRESS [COUNT]]',
      help: 'instructions as the vCPU reads them in its present mode (gdb itself always thinks of 64 bits)',
      run: ([address, count], { target, vcpu }) => {
        const value = (row: string) => rowValue(target, vcpu, row);
        let at = address === undefined ? (value('RIP') ?? 0n) : operandNumber(address, 'a linear address');
        const lines: string[] = [];
        const wanted = count === undefined ? DEFAULT_LINES : Number(operandNumber(count, 'a count'));
        const mode = modeOf(value);
        const decoder = new Decoder();
        const instruction = createInstruction();
        while (lines.length < wanted) {
          const bytes = readLinear(target, vcpu, at, LONGEST_INSTRUCTION);
          if (decoder.decode(bytes, 0, bytes.length, mode, instruction) !== DecodeResult.Ok) {
            const why = target.refusal ?? 'not mapped';
            lines.push(`${hex(at)}  (${bytes.length === 0 ? why : 'no instruction'})`);
            break;
          }
          lines.push(`${hex(at)}  ${formatInstruction(instruction, { address: at })}`);
          at += BigInt(instruction.length);
        }
        return lines;
      },
    },
  ];
  return all.filter(({ isBenchOnly = false }) => isBench || !isBenchOnly);
}

function modeOf(value: (row: string) => bigint | undefined): 16 | 32 | 64 {
  const rights = value('CS.rights') ?? 0n;
  if (((value('EFER') ?? 0n) & EFER_LMA) !== 0n && (rights & RIGHTS_LONG) !== 0n) return 64;
  return (rights & RIGHTS_BIG) !== 0n ? 32 : 16;
}

function virtualizationException({ virtualizationException: info }: LogicalProcessor): string[] {
  const linear = join64(info.guestLinearLow, info.guestLinearHigh);
  if (!info.valid && info.exitReason === 0) return ['no #VE so far'];
  return [
    info.valid ? 'a #VE waits for TDG.VP.VEINFO.GET:' : 'no #VE waits; the last one was:',
    `  exit reason ${info.exitReason} (${exitReasonName(info.exitReason)}), qualification ${hex(info.qualificationLow)}`,
    `  linear address ${hex(linear)}, guest physical address ${hex(info.guestPhysical)}`,
  ];
}
