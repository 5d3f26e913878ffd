/** gdb's remote serial protocol, served. Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol". */
import type { Watch } from '../../cpu/index.ts';
import { type MonitorCommand, runMonitor } from './monitor.ts';
import { framed, fromHex, PacketReader, toHex } from './packet.ts';
import { GDB_REGISTERS, type GdbRegister } from './registers.ts';
import type { RunControl, StopReport } from './run-control.ts';
import { type DebugTarget, readLinear, rowValue, writeLinear } from './target.ts';
import { TARGET_DESCRIPTION } from './target-description.ts';

/** Longest payload, in characters, that is taken or sent. */
const PACKET_CHARACTERS = 0x4000;
const Signal = { INT: 2, TRAP: 5, SEGV: 11 } as const;
const READ = 1;
const WRITE = 2;

/** Accesses of Z2, Z3 and Z4, and how a stop for them is called. */
const WATCH_KINDS: Readonly<Record<string, number>> = { 2: WRITE, 3: READ, 4: READ | WRITE };
const WATCH_NAMES: Readonly<Record<number, string>> = { [WRITE]: 'watch', [READ]: 'rwatch', [READ | WRITE]: 'awatch' };

const RIP_NUMBER = GDB_REGISTERS.findIndex(({ name }) => name === 'rip');

const OK = 'OK';
/** an operand that makes no sense */
const BAD = 'E16';
/** an address that cannot be accessed, a register that cannot be written */
const FAULT = 'E0e';
const NO_STOPS = 'the host of a production TD can set no breakpoint and make no step';
/** no packet of ours */
const UNKNOWN = '';

export interface StubOptions {
  readonly target: DebugTarget;
  readonly control: RunControl;
  readonly monitor: readonly MonitorCommand[];
  readonly send: (bytes: Uint8Array) => void;
  /** gdb is done with us */
  readonly close: () => void;
}

export class GdbStub {
  readonly #options: StubOptions;
  readonly #reader = new PacketReader();
  #acknowledges = true;
  /** gdb from version 16 on takes errors in words for every packet; older ones fall over those about memory */
  #takesWords = false;
  #last: Uint8Array | undefined;
  /** threads chosen by H: for registers and memory, and for going on */
  #thread = 0;
  #goThread = 0;
  /** gdb waits for a stop */
  #owesStop = false;
  #gone: StopReport | undefined;
  #lastReport: StopReport | undefined;
  /** addresses of Z0 and of Z1, which stop in the same way */
  readonly #breakpoints: readonly [Set<bigint>, Set<bigint>] = [new Set(), new Set()];

  constructor(options: StubOptions) {
    this.#options = options;
    const { control } = options;
    control.onStop = (report) => this.#stopped(report);
    control.attach();
    this.#thread = control.vcpu;
  }

  receive(bytes: Uint8Array): void {
    for (const incoming of this.#reader.read(bytes)) {
      switch (incoming.kind) {
        case 'packet': {
          if (this.#acknowledges) this.#options.send(Uint8Array.of(0x2b));
          const reply = this.#serve(incoming.payload);
          if (reply !== undefined) this.#reply(reply);
          break;
        }
        case 'damaged':
          this.#options.send(Uint8Array.of(0x2d));
          break;
        case 'again':
          if (this.#last !== undefined) this.#options.send(this.#last);
          break;
        case 'interrupt':
          this.#options.control.interrupt();
          break;
        case 'acknowledged':
          break;
      }
    }
  }

  #reply(payload: string): void {
    this.#last = framed(payload);
    this.#options.send(this.#last);
  }

  /** A stop is told when gdb has asked to go on, or has just come and asked why we stand. */
  #stopped(report: StopReport): void {
    if (report.kind === 'gone') this.#gone = report;
    if ('vcpu' in report) this.#thread = report.vcpu;
    this.#lastReport = report;
    if (!this.#owesStop) return;
    this.#owesStop = false;
    this.#reply(this.#stopReply(report));
  }

  /** The reply, or undefined if it comes later or never. */
  #serve(payload: string): string | undefined {
    const { control } = this.#options;
    switch (payload[0]) {
      case '?':
        return this.#whyStopped();
      case 'g':
        return this.#readAll();
      case 'G':
        return this.#writeAll(payload.slice(1));
      case 'p':
        return this.#readRegister(payload.slice(1));
      case 'P':
        return this.#writeRegister(payload.slice(1));
      case 'm':
        return this.#readMemory(payload.slice(1));
      case 'M':
      case 'X':
        return this.#writeMemory(payload);
      case 'Z':
      case 'z':
        return this.#breakpoint(payload);
      case 'H':
        return this.#chooseThread(payload);
      case 'T':
        return this.#threadIndex(payload.slice(1)) === undefined ? BAD : OK;
      case 'c':
        return this.#go(() => control.resume());
      case 's':
        return this.#stepped(this.#goThread);
      case 'b':
        if (!this.#options.target.isBench) return UNKNOWN;
        if (payload === 'bs') return this.#go(() => control.stepBack(this.#goThread));
        return payload === 'bc' ? this.#go(() => control.resumeBack()) : UNKNOWN;
      case 'v':
        return this.#verbose(payload);
      case 'q':
      case 'Q':
        return this.#query(payload);
      case 'D':
        this.#reply(OK);
        this.#options.close();
        return undefined;
      case 'k':
        this.#options.close();
        return undefined;
      case '!':
        return OK;
      default:
        return UNKNOWN;
    }
  }

  #whyStopped(): string | undefined {
    const { control } = this.#options;
    if (!control.isRunning) return this.#stopReply(this.#lastReport ?? { kind: 'step', vcpu: control.vcpu });
    this.#owesStop = true;
    return undefined;
  }

  #go(start: () => void): string | undefined {
    if (this.#gone !== undefined) return this.#stopReply(this.#gone);
    this.#owesStop = true;
    start();
    return undefined;
  }

  #stepped(thread: number): string | undefined {
    const { control, target } = this.#options;
    return target.canStop ? this.#go(() => control.step(thread)) : worded(NO_STOPS);
  }

  /** The answer to an access that could not be: why, where somebody said it and this gdb understands it. */
  #fault(isMemory: boolean): string {
    const { refusal } = this.#options.target;
    return refusal === undefined || (isMemory && !this.#takesWords) ? FAULT : worded(refusal);
  }

  #stopReply(report: StopReport): string {
    if (report.kind === 'gone') return `W${report.end.cause === 'power-off' ? '00' : '01'}`;
    const thread = `${this.#placeHolder(report.vcpu)}thread:${threadId(report.vcpu)};`;
    switch (report.kind) {
      case 'breakpoint':
        return `T${hex2(Signal.TRAP)}${thread}${this.#isHardware(report.vcpu) ? 'hwbreak' : 'swbreak'}:;`;
      case 'watch':
        return `T${hex2(Signal.TRAP)}${thread}${WATCH_NAMES[report.access]}:${report.linear.toString(16)};`;
      case 'step':
        return `T${hex2(Signal.TRAP)}${thread}`;
      case 'beginning':
        return `T${hex2(Signal.TRAP)}${thread}replaylog:begin;`;
      case 'interrupt':
        return `T${hex2(Signal.INT)}${thread}`;
      case 'died':
        return `T${hex2(Signal.SEGV)}${thread}`;
    }
  }

  /** gdb goes nowhere without a program counter: where it may not be read it gets 0 with the stop, and a refusal when it asks. */
  #placeHolder(vcpu: number): string {
    const isSeen = this.#options.target.rows(vcpu).read('RIP') !== undefined;
    return isSeen ? '' : `${RIP_NUMBER.toString(16)}:${'0'.repeat(16)};`;
  }

  #isHardware(vcpu: number): boolean {
    const [software, hardware] = this.#breakpoints;
    const rip = rowValue(this.#options.target, vcpu, 'RIP') ?? 0n;
    return hardware.has(rip) && !software.has(rip);
  }

  // ---- registers

  /** Where not even RIP may be read, none may. */
  #readAll(): string {
    const { target } = this.#options;
    if (target.rows(this.#thread).read('RIP') === undefined && target.refusal !== undefined)
      return worded(target.refusal);
    return GDB_REGISTERS.map((register) => this.#registerHex(register)).join('');
  }

  #registerHex({ bits, read }: GdbRegister): string {
    const bytes = read(this.#options.target.rows(this.#thread));
    return bytes === undefined ? 'x'.repeat(bits / 4) : toHex(bytes);
  }

  #readRegister(number: string): string {
    const register = GDB_REGISTERS[Number.parseInt(number, 16)];
    if (register === undefined) return BAD;
    const digits = this.#registerHex(register);
    const { refusal } = this.#options.target;
    return refusal === undefined ? digits : worded(refusal);
  }

  #writeRegister(text: string): string {
    const [number = '', digits = ''] = text.split('=');
    const register = GDB_REGISTERS[Number.parseInt(number, 16)];
    const bytes = fromHex(digits);
    if (register === undefined || bytes === undefined || bytes.length !== register.bits / 8) return BAD;
    return register.write(this.#options.target.rows(this.#thread), bytes) ? OK : this.#fault(false);
  }

  #writeAll(digits: string): string {
    let at = 0;
    const view = this.#options.target.rows(this.#thread);
    for (const { bits, read, write } of GDB_REGISTERS) {
      const part = digits.slice(at, at + bits / 4);
      at += bits / 4;
      const bytes = fromHex(part);
      if (bytes === undefined || bytes.length !== bits / 8) return at > digits.length || part.includes('x') ? OK : BAD;
      const before = read(view);
      if (before !== undefined && toHex(before) !== part.toLowerCase()) write(view, bytes);
    }
    return OK;
  }

  // ---- memory

  #readMemory(text: string): string {
    const [address, length] = numbers(text);
    if (address === undefined || length === undefined) return BAD;
    const wanted = Math.min(Number(length), PACKET_CHARACTERS / 2);
    const bytes = readLinear(this.#options.target, this.#thread, address, wanted);
    return bytes.length === 0 && wanted > 0 ? this.#fault(true) : toHex(bytes);
  }

  #writeMemory(payload: string): string {
    const colon = payload.indexOf(':');
    const [address, length] = numbers(payload.slice(1, colon));
    const data = payload.slice(colon + 1);
    const bytes = payload[0] === 'M' ? fromHex(data) : Uint8Array.from(data, (character) => character.charCodeAt(0));
    if (address === undefined || bytes === undefined || bytes.length !== Number(length)) return BAD;
    return writeLinear(this.#options.target, this.#thread, address, bytes) ? OK : this.#fault(true);
  }

  // ---- breakpoints

  /** Z0 and Z1 differ only in how a stop is called: an instruction's bytes stay what the guest gave them. */
  #breakpoint(payload: string): string {
    const { control, target } = this.#options;
    const { stops } = control;
    const insert = payload[0] === 'Z';
    if (!target.canStop) return insert ? worded(NO_STOPS) : OK;
    const kind = payload[1]!;
    const [address, length] = numbers(payload.slice(3).split(';')[0]!);
    if (address === undefined || length === undefined) return BAD;
    const low = Number(address & 0xffff_ffffn) | 0;
    const high = Number(address >> 32n) | 0;
    if (kind === '0' || kind === '1') {
      const addresses = this.#breakpoints[kind === '0' ? 0 : 1];
      if (insert) addresses.add(address);
      else addresses.delete(address);
      if (this.#breakpoints.some((each) => each.has(address))) stops.addBreakpoint(low, high);
      else stops.removeBreakpoint(low, high);
      return OK;
    }
    const access = WATCH_KINDS[kind];
    if (access === undefined) return UNKNOWN;
    const watch: Watch = { low, high, lengthBytes: Number(length), access };
    if (insert) stops.addWatch(watch);
    else stops.removeWatch(watch);
    return OK;
  }

  // ---- threads

  /** Index of the vCPU that a thread id names: any for 0 and -1; undefined if there is none. */
  #threadIndex(id: string): number | undefined {
    if (id === '0' || id === '-1') return this.#options.control.vcpu;
    const index = Number.parseInt(id, 16) - 1;
    return this.#options.control.processors[index] === undefined ? undefined : index;
  }

  #chooseThread(payload: string): string {
    const index = this.#threadIndex(payload.slice(2));
    if (index === undefined) return BAD;
    if (payload[1] === 'g') this.#thread = index;
    else this.#goThread = index;
    return OK;
  }

  /** The first action that steps decides; the host's loop says who runs besides. */
  #verbose(payload: string): string | undefined {
    const { control } = this.#options;
    if (payload === 'vCont?') return 'vCont;c;C;s;S;t';
    if (payload.startsWith('vCont;')) {
      const actions = payload.slice('vCont;'.length).split(';');
      const step = actions.find((action) => /^[sS]/.test(action));
      if (step === undefined) return this.#go(() => control.resume());
      const thread = this.#threadIndex(step.split(':')[1] ?? '0');
      return thread === undefined ? BAD : this.#stepped(thread);
    }
    if (payload === 'vCtrlC') {
      control.interrupt();
      return OK;
    }
    if (payload.startsWith('vKill')) {
      this.#reply(OK);
      this.#options.close();
      return undefined;
    }
    return UNKNOWN;
  }

  // ---- queries

  #query(payload: string): string | undefined {
    const { control, target } = this.#options;
    const [name = ''] = payload.split(/[:,]/);
    switch (name) {
      case 'qSupported':
        this.#takesWords = payload.includes('error-message+');
        return [
          `PacketSize=${PACKET_CHARACTERS.toString(16)}`,
          'QStartNoAckMode+',
          'qXfer:features:read+',
          'qXfer:threads:read+',
          'swbreak+',
          'hwbreak+',
          'vContSupported+',
          ...(target.isBench ? ['ReverseStep+', 'ReverseContinue+'] : []),
        ].join(';');
      case 'QStartNoAckMode':
        this.#reply(OK);
        this.#acknowledges = false;
        return undefined;
      case 'qXfer':
        return this.#transfer(payload);
      case 'qAttached':
        return '1';
      case 'qC':
        return `QC${threadId(this.#thread)}`;
      case 'qfThreadInfo':
        return `m${control.processors.map((_, i) => threadId(i)).join(',')}`;
      case 'qsThreadInfo':
        return 'l';
      case 'qThreadExtraInfo': {
        const index = this.#threadIndex(payload.split(',')[1] ?? '');
        return index === undefined ? BAD : textHex(`vCPU ${index}`);
      }
      case 'qSymbol':
        return OK;
      case 'qRcmd':
        return this.#monitor(payload.slice('qRcmd,'.length), target);
      default:
        return UNKNOWN;
    }
  }

  #transfer(payload: string): string {
    const [, object, , annex, range = ''] = payload.split(':');
    const [offset, length] = numbers(range);
    if (offset === undefined || length === undefined) return BAD;
    const text =
      object === 'features' && annex === 'target.xml'
        ? TARGET_DESCRIPTION
        : object === 'threads'
          ? threadList(this.#options.control.processors.length)
          : undefined;
    if (text === undefined) return object === 'features' ? 'E00' : UNKNOWN;
    const part = text.slice(Number(offset), Number(offset) + Math.min(Number(length), PACKET_CHARACTERS - 8));
    return (Number(offset) + part.length < text.length ? 'm' : 'l') + part;
  }

  #monitor(digits: string, target: DebugTarget): string {
    const bytes = fromHex(digits);
    if (bytes === undefined) return BAD;
    const line = String.fromCharCode(...bytes);
    const { control, monitor } = this.#options;
    return textHex(`${runMonitor(monitor, line, { control, target, vcpu: this.#thread })}\n`);
  }
}

/** An error in words, which gdb shows where it shows errors at all. */
const worded = (sentence: string): string => `E.${sentence}`;

/** Hexadecimal numbers with commas between. */
function numbers(text: string): (bigint | undefined)[] {
  return text.split(',').map((digits) => (/^[0-9a-f]+$/i.test(digits) ? BigInt(`0x${digits}`) : undefined));
}

const threadId = (index: number): string => (index + 1).toString(16);
const textHex = (text: string): string => toHex(new TextEncoder().encode(text));

function threadList(count: number): string {
  const threads = Array.from({ length: count }, (_, i) => `<thread id="${threadId(i)}" name="vCPU ${i}"/>`);
  return `<?xml version="1.0"?><threads>${threads.join('')}</threads>`;
}

const hex2 = (value: number): string => value.toString(16).padStart(2, '0');
