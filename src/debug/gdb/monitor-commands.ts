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
import { type MonitorCommand, operandNumber } from './monitor.ts';
import { physicalOf, readLinear, rowValue } from './target.ts';

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
const DEFAULT_CROSSINGS = 20;

export function monitorCommands({ platform, td, crossings }: MonitorSources): readonly MonitorCommand[] {
  return [
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
          return `vCPU ${index}: RIP ${hex(value('RIP') ?? 0n, 16)}, ${modeOf(value)}-bit code, CPL ${value('CPL') ?? '?'}, ${processor.retired} instructions${halted}`;
        }),
      ],
    },
    {
      name: 'crossings',
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
      operands: '',
      help: 'the #VE information that the handler has not fetched yet',
      run: (_, { control, vcpu }) => virtualizationException(control.processors[vcpu]!),
    },
    {
      name: 'sept',
      operands: 'GPA',
      help: 'the Secure EPT entries towards a private guest physical address',
      run: ([address]) => {
        const gpa = operandNumber(address, 'a guest physical address');
        return platform.module
          .secureEptWalk(td.host.tdrHpa, Number(gpa))
          .map(
            ({ level, state, hpa }) => `level ${level}: ${state}${hpa === undefined ? '' : `, host page ${hex(hpa)}`}`,
          );
      },
    },
    {
      name: 'translate',
      operands: 'ADDRESS',
      help: 'the guest physical address of a linear one, by the page tables of this vCPU',
      run: ([address], { target, vcpu }) => {
        const linear = operandNumber(address, 'a linear address');
        const gpa = physicalOf(target, vcpu, linear);
        return [gpa === undefined ? `${hex(linear)} is not mapped` : `${hex(linear)} is at guest physical ${hex(gpa)}`];
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
            lines.push(`${hex(at)}  (${bytes.length === 0 ? 'not mapped' : 'no instruction'})`);
            break;
          }
          lines.push(`${hex(at)}  ${formatInstruction(instruction, { address: at })}`);
          at += BigInt(instruction.length);
        }
        return lines;
      },
    },
  ];
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
