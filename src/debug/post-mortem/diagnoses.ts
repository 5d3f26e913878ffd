/** Classic deaths, a row each. The first row that recognises the scene names the cause; the last ones know less and take anything. */

import { Gpr, withSharedBit } from '../../abi/index.ts';
import { hex } from '../../bits/index.ts';
import { formatInstruction, vectorName } from '../../isa/index.ts';
import { describeCause } from './cause-words.ts';
import { firstFault } from './first-fault.ts';
import { ABI, BASE, type Diagnosis, GHCI, operand, place, type Scene, SDM } from './scene.ts';

export interface DiagnosisRow {
  readonly id: string;
  readonly recognise: (scene: Scene) => Diagnosis | undefined;
}

const VECTOR_VE = 20;
const NEVER_EXPOSED: readonly (keyof typeof Gpr)[] = ['RAX', 'RCX', 'RSP'];

const tripleFault = (scene: Scene) => scene.end.cause === 'triple-fault';

/** Crossings of the vCPU that died, without what its host and its timer did, oldest first. */
function ownCrossings({ events, vcpu }: Scene): Scene['events'] {
  return events.filter((event) => event.vcpu === vcpu && event.kind !== 'interrupt posted');
}

/** The #VE that was never read: nothing but its failed delivery came after it. */
function unreadException(scene: Scene) {
  const own = ownCrossings(scene);
  const index = own.findLastIndex(({ kind }) => kind === '#VE');
  const later = own.slice(index + 1);
  const untouched = later.every(
    ({ kind, name }) => kind === 'exception' || (kind === 'TD exit' && name === 'TRIPLE_FAULT'),
  );
  return index >= 0 && untouched ? { exception: own[index]!, before: own.slice(0, index), later } : undefined;
}

/** Events have their address without its shared bit; in words they say whether it had one. */
function gpaOf(gpa: number, details: string | undefined, { guest }: Scene): number {
  return details?.endsWith(', shared') === true ? withSharedBit(gpa, guest.gpaw) : gpa;
}

function noHandler({ guest }: Scene): string {
  return guest.handlerOf(VECTOR_VE) === undefined
    ? 'its interrupt table has no gate for vector 20'
    : 'its handler could not be entered';
}

export const DIAGNOSES: readonly DiagnosisRow[] = [
  {
    id: 'report-fatal-error',
    recognise: ({ end }) => {
      if (end.cause !== 'fatal-error') return undefined;
      const message = end.message === '' ? 'without a message' : `"${end.message}"`;
      return {
        cause: `The guest gave up with ReportFatalError: ${message} (code ${hex(end.code)})`,
        rule: { document: GHCI, section: 'TDG.VP.VMCALL<ReportFatalError>' },
        advice: ['The guest decided this itself: look for the message in its sources, and at the crossings before it.'],
      };
    },
  },
  {
    id: 'kernel-panic',
    recognise: ({ console, end }) => {
      if (console.panic === null) return undefined;
      const after = end.cause === 'triple-fault' ? ', and then a triple fault' : '';
      const oops = console.oops === null ? '' : ` after "${console.oops}"`;
      return {
        cause: `Kernel panic: ${console.panic}${oops}${after}`,
        rule: { document: 'The guest kernel', section: 'panic()' },
        advice: [
          'The console says more: run without "quiet", with --verbose or --append "ignore_loglevel earlyprintk=ttyS0".',
        ],
      };
    },
  },
  {
    id: 'unaccepted-page',
    recognise: ({ end, guest }) => {
      if (end.cause !== 'unhandled-exit' || end.why !== 'not-accepted') return undefined;
      return {
        cause: `The guest used private page ${hex(end.gpa)} before it accepted it with TDG.MEM.PAGE.ACCEPT`,
        rule: { document: ABI, section: 'TDG.MEM.PAGE.ACCEPT Leaf' },
        advice: [
          'Accept every page of RAM that the loader did not add, before its first use; with SEPT_VE_DISABLE there is no #VE to repair it in.',
          `The access is at ${hex(guest.instructionPointer)}; look at who handed that memory out.`,
        ],
        address: { gpa: end.gpa },
      };
    },
  },
  {
    id: 'shared-bit-forgotten',
    recognise: ({ end }) => {
      if (end.cause !== 'unhandled-exit' || end.why !== 'made-shared') return undefined;
      return {
        cause: `The guest used page ${hex(end.gpa)} without its shared bit after MapGPA had made it shared`,
        rule: { document: GHCI, section: 'TDG.VP.VMCALL<MapGPA>' },
        advice: [
          'Set the shared bit in the page table entry of every mapping of that page, and flush it from the TLB.',
          'Or give it back with MapGPA without the shared bit, and accept it again.',
        ],
        address: { gpa: end.gpa },
      };
    },
  },
  {
    id: 'no-memory-there',
    recognise: ({ end }) => {
      if (end.cause !== 'unhandled-exit' || end.why !== 'no-memory') return undefined;
      return {
        cause: `The guest used private address ${hex(end.gpa)}, where it has no memory`,
        rule: { document: BASE, section: 'EPT Violation' },
        advice: ['A device is reached with the shared bit set; RAM is what the memory map says, and nothing else.'],
        address: { gpa: end.gpa },
      };
    },
  },
  {
    id: 've-within-ve',
    recognise: (scene) => {
      const unread = tripleFault(scene) ? unreadException(scene) : undefined;
      if (unread === undefined || !unread.later.some(({ kind, name }) => kind === 'exception' && name === '#DF'))
        return undefined;
      const first = unread.before.findLast(({ kind }) => kind === '#VE');
      const firstWords = first === undefined ? 'the one before' : `the first (${describeCause(first)})`;
      return {
        cause: `A second #VE (${describeCause(unread.exception)}) came before the guest had read ${firstWords} with TDG.VP.VEINFO.GET: that is a double fault, and it ended in a triple fault`,
        rule: { document: ABI, section: 'TDG.VP.VEINFO.GET Leaf' },
        advice: [
          'Let the handler of #VE call TDG.VP.VEINFO.GET before anything that can be #VE itself: port I/O, CPUID, MSRs, shared memory.',
          `The second one came at ${place(BigInt(unread.exception.rip ?? 0), scene.symbols)}.`,
        ],
      };
    },
  },
  {
    id: 'map-gpa-retry-ignored',
    recognise: (scene) => {
      const unread = tripleFault(scene) ? unreadException(scene) : undefined;
      if (unread?.exception.name !== 'EPT_VIOLATION' || unread.exception.gpa === undefined) return undefined;
      const gpa = Number(unread.exception.gpa);
      const asked = unread.before.findLast(
        (event) => event.name === 'MapGPA' && gpa >= Number(event.gpa) && gpa < Number(event.gpa) + event.gpaBytes!,
      );
      if (asked?.status !== 'RETRY') return undefined;
      const from = Object.values(asked.out ?? {})[0] ?? '0x0';
      return {
        cause: `The guest used shared page ${hex(gpa)}, which MapGPA had not reached: the host answered RETRY, to go on from ${hex(scene.guest.splitGpa(Number(from)).address)}, and the guest did not go on`,
        rule: { document: GHCI, section: 'TDG.VP.VMCALL<MapGPA>' },
        advice: ['While R10 is RETRY (1), call MapGPA again with R12 = R11 of the answer and the length that is left.'],
        address: { gpa: withSharedBit(gpa, scene.guest.gpaw) },
      };
    },
  },
  {
    id: 'efer-write',
    recognise: (scene) => {
      const unread = tripleFault(scene) ? unreadException(scene) : undefined;
      if (unread?.exception.name !== 'WRMSR' || operand(unread.exception, 'ECX') !== 0xc000_0080n) return undefined;
      const value = operand(unread.exception, 'EAX') ?? 0n;
      const old = scene.guest.register('EFER');
      return {
        cause: `The guest wrote ${hex(value)} to IA32_EFER (it holds ${hex(old)}): all of it but SCE belongs to the module, so that is #VE, and ${noHandler(scene)}`,
        rule: { document: ABI, section: 'MSR Virtualization' },
        advice: [
          'A TD starts with LME and NXE set: change nothing but SCE, or leave the write out where the value is already right.',
        ],
      };
    },
  },
  {
    id: 've-before-a-handler',
    recognise: (scene) => {
      const unread = tripleFault(scene) ? unreadException(scene) : undefined;
      if (unread === undefined) return undefined;
      const { gpa, details } = unread.exception;
      return {
        cause: `#VE (${describeCause(unread.exception)}) at ${place(BigInt(unread.exception.rip ?? 0), scene.symbols)} before the guest had a handler: ${noHandler(scene)}, and the fault became a triple fault`,
        rule: { document: BASE, section: 'Exceptions Injected by the TDX Module' },
        advice: [
          'Install a handler for vector 20 before the first instruction that a TD may not execute natively.',
          'Or call the service directly, with TDG.VP.VMCALL, where there is no handler yet.',
        ],
        ...(gpa === undefined ? {} : { address: { gpa: gpaOf(Number(gpa), details, scene) } }),
      };
    },
  },
  {
    id: 'wrong-rcx-mask',
    recognise: (scene) => {
      const last = ownCrossings(scene).findLast(({ kind }) => kind === 'module call' || kind === 'VMM call');
      if (last?.name !== 'TDG.VP.VMCALL' || last.status?.includes('(RCX)') !== true) return undefined;
      const mask = operand(last, 'RCX') ?? 0n;
      const named = NEVER_EXPOSED.filter((name) => ((mask >> BigInt(Gpr[name])) & 1n) === 1n);
      const why =
        named.length > 0
          ? `exposes ${named.join(' and ')}, which never ${named.length === 1 ? 'crosses' : 'cross'}`
          : mask >> 32n !== 0n
            ? 'has bits above 31'
            : 'exposes RBP, which this TD keeps to itself (NO_RBP_MOD)';
      return {
        cause: `TDG.VP.VMCALL was refused because RCX ${hex(mask)} ${why}: ${last.status}, and the guest stopped at ${place(scene.guest.instructionPointer, scene.symbols)}`,
        rule: { document: ABI, section: 'TDG.VP.VMCALL Leaf' },
        advice: [
          'RCX is the mask of what crosses: R10 to R15 are bits 10 to 15 (0xfc00). RAX, RCX and RSP are never in it.',
        ],
      };
    },
  },
  {
    id: 'instruction-not-there',
    recognise: (scene) => {
      if (!tripleFault(scene)) return undefined;
      const fault = firstFault(scene);
      if (fault?.vector !== 6 || fault.missing === undefined) return undefined;
      return {
        cause: `${fault.missing.name} at ${place(scene.guest.instructionPointer, scene.symbols)} is #UD: this processor does not have it (${fault.missing.cpuid}), and the guest has no handler`,
        rule: { document: SDM, section: 'Interrupt 6, Invalid Opcode Exception (#UD)' },
        advice: ['Ask CPUID before the first use, and do without where the bit is 0.'],
      };
    },
  },
  {
    id: 'triple-fault',
    recognise: (scene) => {
      if (!tripleFault(scene)) return undefined;
      const { guest, symbols } = scene;
      const [at] = guest.decode(guest.instructionPointer, 1);
      const code =
        at?.instruction === undefined ? '' : `, ${formatInstruction(at.instruction, { address: at.address })}`;
      const fault = firstFault(scene);
      const gate = fault !== undefined && guest.handlerOf(fault.vector) === undefined;
      const why =
        fault === undefined
          ? ''
          : `: ${fault.words}${gate ? `, and there is no handler of ${vectorName(fault.vector)}` : ''}`;
      return {
        cause: `Triple fault on vCPU ${scene.vcpu} at ${place(guest.instructionPointer, symbols)}${code}${why}`,
        rule: { document: SDM, section: 'Interrupt 8, Double Fault Exception (#DF)' },
        advice: [
          'Load an interrupt table before anything can fault; the first fault is what to repair.',
          ...(fault?.linear === undefined ? [] : ['See the walk below for where the mapping ends.']),
        ],
        ...(fault?.linear === undefined ? {} : { address: { linear: fault.linear } }),
      };
    },
  },
  {
    id: 'unhandled-exit',
    recognise: ({ end }) =>
      end.cause !== 'unhandled-exit'
        ? undefined
        : {
            cause: `vCPU ${end.vcpu} left the TD for a reason this host does not serve: ${end.sentence}`,
            rule: { document: ABI, section: 'TDH.VP.ENTER Leaf' },
            advice: ['The exit is not one that a guest should cause: look at the instruction.'],
            ...(end.gpa === 0 ? {} : { address: { gpa: end.gpa } }),
          },
  },
  {
    id: 'nothing-will-wake-it',
    recognise: (scene) => {
      if (scene.end.cause !== 'idle') return undefined;
      const halt = ownCrossings(scene).findLast(({ name }) => name === 'Instruction.HLT');
      const blocked = halt !== undefined && operand(halt, 'R12') !== 0n;
      const how = blocked ? ' with its interrupts blocked' : '';
      return {
        cause: `vCPU ${scene.vcpu} waits in Instruction.HLT${how}, and nothing will wake it: no timer is set and no interrupt is pending`,
        rule: { document: GHCI, section: 'TDG.VP.VMCALL<Instruction.HLT>' },
        advice: [
          blocked
            ? 'With R12 = 1 only an NMI ends the wait: say 0 where interrupts are enabled, and enable them (STI) directly before the call.'
            : 'Set a timer (TSC deadline) or another source of interrupts before the last vCPU halts.',
        ],
      };
    },
  },
  {
    id: 'reset',
    recognise: ({ end }) =>
      end.cause !== 'reset'
        ? undefined
        : {
            cause: 'The guest asked for a reset, which a TD cannot have: its host would build it anew',
            rule: { document: BASE, section: 'TD Build' },
            advice: [
              'Let the guest power off instead; a Linux guest that should reboot was perhaps told to by panic=.',
            ],
          },
  },
  {
    id: 'quiet',
    recognise: (scene) => {
      if (scene.end.cause !== 'instruction-limit') return undefined;
      const quiet = quietSentence(scene);
      return quiet === undefined
        ? undefined
        : {
            cause: quiet,
            rule: { document: 'None', section: 'a loop that never leaves the TD breaks no rule' },
            advice: [
              'The disassembly below is where it goes round; --gdb, or a trace up to the last crossing, shows how it got there.',
            ],
          };
    },
  },
];

const TICKS_PER_SECOND = 1e9;
/** A guest that has not crossed for so long is called quiet. */
export const QUIET_TICKS = 10 * TICKS_PER_SECOND;

/** "at 0x1000 (start_kernel+0x10)" and "last crossing VMM call Instruction.IO". */
export function whereabouts(scene: Scene): { readonly at: string; readonly last: string } {
  const last = ownCrossings(scene).findLast(({ name }) => name !== 'EXTERNAL_INTERRUPT');
  return {
    at: `at ${place(scene.guest.instructionPointer, scene.symbols)}`,
    last: last === undefined ? 'no crossing yet' : `last crossing ${last.kind} ${last.name}`,
  };
}

/** "The guest is quiet: ..." where it has not crossed for long. */
export function quietSentence(scene: Scene, leastTicks = QUIET_TICKS): string | undefined {
  const ticks = scene.nowTicks - scene.lastCrossingTicks;
  if (ticks < leastTicks) return undefined;
  const { at, last } = whereabouts(scene);
  const seconds = (ticks / TICKS_PER_SECOND).toPrecision(3).replace(/\.?0+$/, '');
  return `The guest is quiet: running ${at} for ${seconds} s of guest time, ${last}`;
}

/** The first diagnosis that fits; undefined: this end is no death, as a power-off never is. */
export function diagnose(scene: Scene): (Diagnosis & { readonly id: string }) | undefined {
  if (scene.end.cause === 'power-off' || scene.end.cause === 'stopped') return undefined;
  for (const { id, recognise } of DIAGNOSES) {
    const diagnosis = recognise(scene);
    if (diagnosis !== undefined) return { id, ...diagnosis };
  }
  return undefined;
}
