/**
 * What the host of a TD may see of it, all of it through the TDX module: registers by TDH.VP.RD and TDH.VP.WR, private memory by
 * TDH.MEM.RD and TDH.MEM.WR, which a debug TD allows and a production TD does not. Shared memory is the host's own.
 */
import { Gpr, isSharedGpa, levelBytes, PageLevel, TdAttribute, TdhLeaf } from '../../abi/index.ts';
import { hex } from '../../bits/index.ts';
import { SEGMENT_NAMES, STATE_ROWS, type StateRow } from '../../cpu/index.ts';
import { SEPT_STATES, type SecureEptStep, SeptState } from '../../seam/index.ts';
import type { TdHost } from '../../vmm/index.ts';
import { type HostField, hostField, readHostField, refusalOf, writeVcpuField } from './host-fields.ts';
import { RFLAGS_ROW, type RowView } from './registers.ts';
import type { DebugTarget } from './target.ts';

/** Rows whose field has another name than the row. Bases of ES, CS, SS and DS are what their descriptors said. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  RIP: 'Guest RIP',
  RSP: 'Guest RSP',
  [RFLAGS_ROW]: 'Guest RFLAGS',
  CR0: 'Guest CR0',
  CR3: 'Guest CR3',
  CR4: 'Guest CR4',
  DR7: 'Guest DR7',
  ...Object.fromEntries(
    [...SEGMENT_NAMES, 'LDTR', 'TR'].flatMap((segment) => [
      [`${segment}.selector`, `Guest ${segment} selector`],
      [`${segment}.rights`, `Guest ${segment} access rights`],
      [`${segment}.limit`, `Guest ${segment} limit`],
      [`${segment}.base`, `Guest ${segment} base`],
    ]),
  ),
  ...Object.fromEntries(
    ['GDTR', 'IDTR'].flatMap((table) => [
      [`${table}.limit`, `Guest ${table} limit`],
      [`${table}.base`, `Guest ${table} base`],
    ]),
  ),
  ...Object.fromEntries(
    ['EFER', 'PAT', 'XSS', 'STAR', 'LSTAR', 'FMASK', 'KERNEL_GS_BASE', 'TSC_AUX', 'SPEC_CTRL', 'DS_AREA']
      .concat(['SYSENTER_CS', 'SYSENTER_ESP', 'SYSENTER_EIP'])
      .map((msr) => [msr, `IA32_${msr}`]),
  ),
};

/** of the rows that somebody has asked for */
const fieldOfRow = new Map<string, HostField | undefined>();
function fieldOf(row: string): HostField | undefined {
  if (!fieldOfRow.has(row)) fieldOfRow.set(row, hostField(FIELD_NAMES[row] ?? row));
  return fieldOfRow.get(row);
}
const WIDTHS: ReadonlyMap<string, number> = new Map([
  ...STATE_ROWS.map(({ name, width }: StateRow) => [name, width] as const),
  [RFLAGS_ROW, 4] as const,
]);

/** Parts of XBUFF, the image of XSAVES in TDVPS: offset and length in bytes. Source: SDM vol. 1, "XSAVE-Managed State". */
type ImagePart = readonly [offset: number, bytes: number];
const X87_STATUS: ImagePart = [2, 2];
const STACK_OFFSET = 32;
const XMM_OFFSET = 160;
const YMM_OFFSET = 576;
const IMAGE_PARTS: ReadonlyMap<string, readonly ImagePart[]> = new Map([
  ['FCW', [[0, 2]]],
  ['FSW', [X87_STATUS]],
  ['FTW', [[4, 1]]],
  ['FOP', [[6, 2]]],
  ['FIP', [[8, 8]]],
  ['FDP', [[16, 8]]],
  ['MXCSR', [[24, 4]]],
  ...Array.from({ length: 16 }, (_, i): [string, ImagePart[]] => [
    `YMM${i}`,
    [
      [XMM_OFFSET + 16 * i, 16],
      [YMM_OFFSET + 16 * i, 16],
    ],
  ]),
]);
const STACK_ROW = /^R([0-7])_80$/;

/** The privilege level is that of SS. Source: SDM vol. 3, "Guest Register State". */
const CPL_ROW = 'CPL';
const SS_RIGHTS_ROW = 'SS.rights';
const WORD_BYTES = 8;
const ENTRY_ADDRESS = 0x000f_ffff_ffff_f000n;

export class TdTarget implements DebugTarget {
  readonly banner: string;
  readonly isBench = false;
  readonly canStop: boolean;
  #refusal: string | undefined;
  readonly #host: TdHost;
  readonly #views: readonly RowView[];

  constructor(host: TdHost) {
    this.#host = host;
    const attributes = readHostField(host, hostField('ATTRIBUTES')!, 0);
    this.canStop = 'value' in attributes && (attributes.value & TdAttribute.DEBUG) !== 0n;
    this.banner = this.canStop
      ? "TD view: a debug TD, seen as its host sees it, through TDH.VP.RD, TDH.MEM.RD and the host's own shared memory."
      : 'TD view: a production TD. Its host sees shared memory, and gets refusals for the rest: "monitor status".';
    this.#views = host.vcpus.map(({ index }) => this.#view(index));
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  rows(vcpu: number): RowView {
    return this.#views[vcpu]!;
  }

  readPhysical(gpa: bigint, length: number): Uint8Array | undefined {
    this.#refusal = undefined;
    const address = Number(gpa);
    if (isSharedGpa(address, this.#host.gpaw)) return this.#host.sharedMemory.read(address, length);
    const bytes = new Uint8Array(length);
    for (let at = address - (address % WORD_BYTES); at < address + length; at += WORD_BYTES) {
      const word = this.#readWord(at);
      if (word === undefined) return undefined;
      overlay(bytes, address, word, at);
    }
    return bytes;
  }

  writePhysical(gpa: bigint, bytes: Uint8Array): boolean {
    this.#refusal = undefined;
    const address = Number(gpa);
    if (isSharedGpa(address, this.#host.gpaw)) return this.#host.sharedMemory.write(address, bytes);
    for (let at = address - (address % WORD_BYTES); at < address + bytes.length; at += WORD_BYTES) {
      const word = this.#readWord(at);
      if (word === undefined) return false;
      overlay(word, at, bytes, address);
      const r8 = new DataView(word.buffer).getBigUint64(0, true);
      const status = this.#host.seamcalls.try(TdhLeaf.MEM_WR, { rcx: at, rdx: this.#host.tdrHpa, r8 });
      this.#refusal = refusalOf('TDH.MEM.WR', `GPA ${hex(at)}`, status);
      if (this.#refusal !== undefined) return false;
    }
    return true;
  }

  secureEptWalk(gpa: number): readonly SecureEptStep[] {
    const { seamcalls, tdrHpa, gpaw } = this.#host;
    const steps: SecureEptStep[] = [];
    for (let level: PageLevel = gpaw === 48 ? PageLevel.PAGE_512G : PageLevel.PAGE_256T; level >= 0; level--) {
      const rcx = gpa - (gpa % levelBytes(level)) + level;
      const status = seamcalls.try(TdhLeaf.MEM_SEPT_RD, { rcx, rdx: tdrHpa });
      this.#refusal = refusalOf('TDH.MEM.SEPT.RD', `GPA ${hex(gpa)}, level ${level}`, status);
      if (this.#refusal !== undefined) break;
      const row = SEPT_STATES.find(({ publicState }) => publicState === seamcalls.registers.low(Gpr.RDX) >> 8);
      const isLeaf = row?.leaf === true;
      // where a table lies the module keeps to itself
      const hpa = isLeaf ? Number(seamcalls.registers.u64[Gpr.RCX]! & ENTRY_ADDRESS) : undefined;
      steps.push({ level, state: row?.name ?? '?', hpa });
      if (isLeaf || row?.state === SeptState.FREE) break;
    }
    return steps;
  }

  #readWord(gpa: number): Uint8Array | undefined {
    const { seamcalls, tdrHpa } = this.#host;
    const status = seamcalls.try(TdhLeaf.MEM_RD, { rcx: gpa, rdx: tdrHpa });
    this.#refusal = refusalOf('TDH.MEM.RD', `GPA ${hex(gpa)}`, status);
    return this.#refusal === undefined ? wordBytes(seamcalls.registers.u64[Gpr.R8]!) : undefined;
  }

  /** Where a register of the x87 is: the image has them from the top of the stack on. */
  #stackPart(row: string, vcpu: number): readonly ImagePart[] | undefined {
    const [, register] = STACK_ROW.exec(row) ?? [];
    const status = register === undefined ? undefined : this.#readImage([X87_STATUS], 2, vcpu);
    if (status === undefined) return undefined;
    const top = (status[1]! >> 3) & 7;
    return [[STACK_OFFSET + 16 * ((Number(register) - top) & 7), 10]];
  }

  #readImage(parts: readonly ImagePart[], width: number, vcpu: number): Uint8Array | undefined {
    const bytes = new Uint8Array(width);
    let filled = 0;
    for (const [offset, length] of parts) {
      for (let at = offset - (offset % WORD_BYTES); at < offset + length; at += WORD_BYTES) {
        const word = at / WORD_BYTES;
        const id = fieldOf('XBUFF')!.id + BigInt(word);
        const answer = readHostField(this.#host, { id, name: `XBUFF[${word}]` }, vcpu);
        if ('refusal' in answer) {
          this.#refusal = answer.refusal;
          return undefined;
        }
        overlay(bytes.subarray(filled, filled + length), offset, wordBytes(answer.value), at);
      }
      filled += length;
    }
    return bytes;
  }

  #view(vcpu: number): RowView {
    const read = (row: string): Uint8Array | undefined => {
      this.#refusal = undefined;
      if (row === CPL_ROW) return privilege(read(SS_RIGHTS_ROW));
      const parts = IMAGE_PARTS.get(row) ?? this.#stackPart(row, vcpu);
      if (parts !== undefined) return this.#readImage(parts, WIDTHS.get(row)!, vcpu);
      const field = fieldOf(row);
      if (field === undefined) return undefined;
      const answer = readHostField(this.#host, field, vcpu);
      if ('value' in answer) return wordBytes(answer.value).slice(0, WIDTHS.get(row));
      this.#refusal = answer.refusal;
      return undefined;
    };
    return {
      read,
      write: (row, bytes) => {
        this.#refusal = undefined;
        const field = fieldOf(row);
        if (field === undefined || bytes.length > WORD_BYTES) return false;
        const word = new Uint8Array(WORD_BYTES);
        word.set(bytes);
        this.#refusal = writeVcpuField(this.#host, field, vcpu, new DataView(word.buffer).getBigUint64(0, true));
        return this.#refusal === undefined;
      },
    };
  }
}

function wordBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(WORD_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** Copies into bytes that begin at `toStart` what bytes that begin at `fromStart` say of the same addresses. */
function overlay(to: Uint8Array, toStart: number, from: Uint8Array, fromStart: number): void {
  const start = Math.max(toStart, fromStart);
  const end = Math.min(toStart + to.length, fromStart + from.length);
  to.set(from.subarray(start - fromStart, end - fromStart), start - toStart);
}

function privilege(rights: Uint8Array | undefined): Uint8Array | undefined {
  return rights === undefined ? undefined : Uint8Array.of((rights[0]! >> 5) & 3, 0, 0, 0);
}
