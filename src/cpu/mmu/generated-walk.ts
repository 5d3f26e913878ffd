/**
 * The usual page walk in WebAssembly, for accesses that miss the TLB: four or five levels, every entry present and accessed (and dirty, for a
 * write), every second-level entry one that the processor remembers. It fills the TLB as the host's walk would; for all else it calls the host.
 */
import type { HostMemory } from '../../memory/index.ts';
import { Code, encodeModule, type Signature } from '../../wasm/index.ts';
import { writeDataEntryOffset } from '../engine/data-tlb-code.ts';
import { ACCESS, ModuleName } from '../engine/handler-signature.ts';
import type { AccessImports } from '../engine/handlers.ts';
import {
  DATA_TLB_ENTRY_BYTES,
  INVALID_TAG,
  LOCAL_FILLS,
  QUICK_ENTRIES,
  QUICK_OFFSET,
  READ_TAG,
  WRITE_TAG,
} from '../engine/tlb.ts';
import { S } from '../state.ts';
import { SECOND_LEVEL_SLOT_BYTES, SECOND_LEVEL_SLOTS } from './second-level-cache.ts';

const CR0_WP = 1 << 16;
const CR4_PGE_BIT = 7;
const CR4_LA57 = 1 << 12;
const CR4_SMAP = 1 << 21;
const CR4_PKE = 1 << 22;
const CR4_PKS = 1 << 24;
const EFER_LMA_NXE = (1 << 10) | (1 << 11);
const RFLAGS_AC = 1 << 18;
const PRESENT_ACCESSED = 0x21n;
const WRITABLE = 2n;
const USER = 4n;
const DIRTY = 0x40n;
const LARGE = 0x80n;
const GLOBAL_BIT = 8n;
const GLOBAL = 0x100n;
/** twice the protection key, bits 62:59, when shifted by as much */
const KEY_SHIFT = 58n;
const TWICE_KEY = 0x1en;
const FRAME = 0x000f_ffff_ffff_f000n;
/** the low bits that must be 0 in an entry for a large page, as far as they lie below its size */
const LARGE_RESERVED = 0x3fff_e000n;
/** both tags of an entry */
const NO_TAGS = new Array<number>(16).fill(0xff);
const SECOND_READ = 1;
const SECOND_WRITE = 2;

const TRANSLATE: Signature = { parameters: ['i32', 'i64', 'i32'], results: ['i32'] };
const IMPORTS = ['load', 'store', 'modify'] as const;

/** Parameters of an access function: state, linear address in halves, bytes. */
const A = { state: 0, low: 1, high: 2, bytes: 3 } as const;

/** What generated code calls when an access misses the TLB: the usual walk here, everything else by `host`. */
export function withGeneratedWalk(memory: HostMemory, host: AccessImports): AccessImports {
  const functions = [
    { type: 1, code: translate(memory) },
    { type: 0, code: load() },
    { type: 0, code: store() },
    { type: 0, code: modify() },
  ];
  const imports = IMPORTS.map((name) => ({ module: 'env', name, type: 0 }));
  const module = new WebAssembly.Module(
    encodeModule({ name: ModuleName.Walks, types: [ACCESS, TRANSLATE], imports, table: false, functions }),
  );
  const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.wasm, ...host } });
  return {
    load: exports['1'] as AccessImports['load'],
    store: exports['2'] as AccessImports['store'],
    modify: exports['3'] as AccessImports['modify'],
    modifyEnd: host.modifyEnd,
  };
}

/** (state, linear, 1 = for writing too) gives the host page, or 0: ask the host. */
function translate({ ramBase, ramBytes, codePages }: HostMemory): Code {
  const [state, linear, forWriting] = [0, 1, 2];
  const code = new Code(TRANSLATE.parameters.length);
  const [slots, slot, second, host, tlb, writable, fills] = Array.from({ length: 7 }, () => code.local('i32'));
  const [shift, table, entry, rights] = Array.from({ length: 4 }, () => code.local('i64'));
  const row = (offset: number): void => {
    code.get(state);
    code.memory('i32.load', offset);
  };
  const wideRow = (offset: number): void => {
    code.get(state);
    code.memory('i64.load', offset);
  };
  const lowBits = (): void => {
    code.i64(1n);
    code.get(shift!);
    code.op('i64.shl');
    code.i64(1n);
    code.op('i64.sub');
  };
  const linearPage = (): void => {
    code.get(linear);
    code.i64(-4096n);
    code.op('i64.and');
  };

  code.block();
  const slow = code.depth;
  const slowIf = (): void => code.brIf(code.depth - slow, false);
  /** From the guest physical page in `table` to `second` and `host`. */
  const secondLevel = (): void => {
    code.get(slots!);
    code.get(table!);
    code.op('i32.wrap_i64');
    code.i32(12 - Math.log2(SECOND_LEVEL_SLOT_BYTES));
    code.op('i32.shr_u');
    code.i32((SECOND_LEVEL_SLOTS - 1) * SECOND_LEVEL_SLOT_BYTES);
    code.op('i32.and');
    code.op('i32.add');
    code.tee(slot!);
    code.memory('f64.load', 0);
    code.get(table!);
    code.op('f64.convert_i64_u');
    code.op('f64.ne');
    slowIf();
    code.get(slot!);
    code.memory('i32.load', 8);
    code.tee(second!);
    code.i32(SECOND_READ);
    code.op('i32.and');
    code.op('i32.eqz');
    slowIf();
    code.get(second!);
    code.i32(4);
    code.op('i32.shr_u');
    code.i32(12);
    code.op('i32.shl');
    code.tee(host!);
    code.i32(ramBase);
    code.op('i32.sub');
    code.i32(ramBytes);
    code.op('i32.ge_u');
    slowIf();
  };

  row(S.walkSlots);
  code.tee(slots!);
  code.op('i32.eqz');
  slowIf();
  row(S.cr0); // PG is its sign
  code.i32(0);
  code.op('i32.ge_s');
  slowIf();
  row(S.efer);
  code.i32(EFER_LMA_NXE);
  code.op('i32.and');
  code.i32(EFER_LMA_NXE);
  code.op('i32.ne');
  slowIf();
  code.i64(48n);
  code.i64(39n);
  row(S.cr4);
  code.i32(CR4_LA57);
  code.op('i32.and');
  code.select();
  code.set(shift!);
  code.get(linear);
  code.get(shift!);
  code.i64(8n);
  code.op('i64.add');
  code.op('i64.shr_s');
  code.i64(1n);
  code.op('i64.add');
  code.i64(1n);
  code.op('i64.gt_u');
  slowIf(); // not canonical
  wideRow(S.cr3);
  code.i64(FRAME);
  code.op('i64.and');
  code.set(table!);
  code.i64(-1n);
  code.set(rights!);

  code.loop();
  const again = code.depth;
  secondLevel();
  code.get(host!);
  code.get(linear);
  code.get(shift!);
  code.op('i64.shr_u');
  code.op('i32.wrap_i64');
  code.i32(511);
  code.op('i32.and');
  code.i32(3);
  code.op('i32.shl');
  code.op('i32.add');
  code.memory('i64.load', 0);
  code.tee(entry!);
  code.i64(PRESENT_ACCESSED);
  code.op('i64.and');
  code.i64(PRESENT_ACCESSED);
  code.op('i64.ne');
  slowIf();
  code.get(entry!);
  wideRow(S.walkReserved);
  code.op('i64.and');
  code.op('i64.eqz');
  code.op('i32.eqz');
  slowIf();
  code.get(rights!);
  code.get(entry!);
  code.op('i64.and');
  code.set(rights!);
  code.get(shift!);
  code.i64(12n);
  code.op('i64.ne');
  code.if();
  code.get(entry!);
  code.i64(LARGE);
  code.op('i64.and');
  code.op('i64.eqz');
  code.if();
  code.get(entry!);
  code.i64(FRAME);
  code.op('i64.and');
  code.set(table!);
  code.get(shift!);
  code.i64(9n);
  code.op('i64.sub');
  code.set(shift!);
  code.brTo(again);
  code.end();
  code.get(shift!);
  code.i64(30n);
  code.op('i64.gt_u');
  slowIf();
  code.get(entry!);
  lowBits();
  code.op('i64.and');
  code.i64(LARGE_RESERVED);
  code.op('i64.and');
  code.op('i64.eqz');
  code.op('i32.eqz');
  slowIf();
  code.end();
  code.end();

  // A key that forbids anything, and a page that would outlive a change of PKRU, are for the host.
  for (const [enable, register] of [
    [CR4_PKE, S.pkru],
    [CR4_PKS, S.pkrs],
  ] as const) {
    row(S.cr4);
    code.i32(enable);
    code.op('i32.and');
    code.if();
    row(register);
    code.get(entry!);
    code.i64(KEY_SHIFT);
    code.op('i64.shr_u');
    code.i64(TWICE_KEY);
    code.op('i64.and');
    code.op('i32.wrap_i64');
    code.op('i32.shr_u');
    code.i32(3);
    code.op('i32.and');
    slowIf();
    if (enable === CR4_PKE) {
      code.get(entry!);
      code.i64(GLOBAL);
      code.op('i64.and');
      code.op('i64.eqz');
      code.get(rights!);
      code.i64(USER);
      code.op('i64.and');
      code.op('i64.eqz');
      code.op('i32.or');
      code.op('i32.eqz');
      slowIf();
    }
    code.end();
  }

  // Rights: `writable` is what the TLB entry allows; everything that gets here is readable.
  row(S.cpl);
  code.i32(3);
  code.op('i32.eq');
  code.if();
  code.get(rights!);
  code.i64(USER);
  code.op('i64.and');
  code.op('i64.eqz');
  slowIf();
  code.i32(0);
  code.set(writable!);
  code.else();
  code.get(rights!);
  code.i64(USER);
  code.op('i64.and');
  code.op('i64.eqz');
  code.op('i32.eqz');
  row(S.cr4);
  code.i32(CR4_SMAP);
  code.op('i32.and');
  code.i32(0);
  code.op('i32.ne');
  code.op('i32.and');
  row(S.rflags);
  code.i32(RFLAGS_AC);
  code.op('i32.and');
  code.op('i32.eqz');
  code.op('i32.and');
  slowIf();
  row(S.cr0);
  code.i32(CR0_WP);
  code.op('i32.and');
  code.op('i32.eqz');
  code.set(writable!); // supervisor code writes to read-only pages while WP is 0
  code.end();
  code.get(rights!);
  code.i64(WRITABLE);
  code.op('i64.and');
  code.op('i64.eqz');
  code.op('i32.eqz');
  code.get(writable!);
  code.op('i32.or');
  code.get(entry!);
  code.i64(DIRTY);
  code.op('i64.and');
  code.op('i64.eqz');
  code.op('i32.eqz');
  code.op('i32.and');
  code.set(writable!);

  code.get(entry!);
  code.i64(FRAME);
  code.op('i64.and');
  lowBits();
  code.i64(-1n);
  code.op('i64.xor');
  code.op('i64.and');
  linearPage();
  lowBits();
  code.op('i64.and');
  code.op('i64.or');
  code.set(table!);
  secondLevel();
  code.get(writable!);
  code.get(second!);
  code.i32(SECOND_WRITE);
  code.op('i32.and');
  code.i32(0);
  code.op('i32.ne');
  code.op('i32.and');
  // writes to pages of decoded code must be seen
  code.get(host!);
  code.i32(12);
  code.op('i32.shr_u');
  code.memory('i32.load8_u', codePages);
  code.op('i32.eqz');
  code.op('i32.and');
  code.tee(writable!);
  code.get(forWriting);
  code.op('i32.lt_u');
  slowIf();

  for (let i = 0; i < QUICK_ENTRIES; i++) {
    row(S.dataTlb);
    code.v128(NO_TAGS);
    code.memory('v128.store', QUICK_OFFSET + i * DATA_TLB_ENTRY_BYTES);
  }
  row(S.dataTlb);
  writeDataEntryOffset(code, linear, tlb!);
  code.op('i32.add');
  code.tee(tlb!);
  linearPage();
  code.memory('i64.store', READ_TAG);
  code.get(tlb!);
  linearPage();
  code.get(linear);
  code.i64(-0x1_0000_0000n);
  code.op('i64.and');
  code.i64(BigInt(INVALID_TAG));
  code.op('i64.or');
  code.get(writable!);
  code.select();
  code.memory('i64.store', WRITE_TAG);
  code.get(tlb!);
  code.get(host!);
  linearPage();
  code.op('i32.wrap_i64');
  code.op('i32.sub');
  code.memory('i32.store', 16);
  code.get(tlb!);
  row(S.cr4);
  code.i32(CR4_PGE_BIT);
  code.op('i32.shr_u');
  code.get(entry!);
  code.i64(GLOBAL_BIT);
  code.op('i64.shr_u');
  code.op('i32.wrap_i64');
  code.op('i32.and');
  code.i32(1);
  code.op('i32.and');
  code.tee(second!);
  code.memory('i32.store', 20);
  code.get(tlb!);
  code.get(host!);
  code.memory('i32.store', 24);
  code.get(second!);
  code.op('i32.eqz');
  code.if();
  row(S.localFills);
  code.tee(fills!);
  code.i32(LOCAL_FILLS);
  code.op('i32.lt_s');
  code.if();
  row(S.localEntries);
  code.get(fills!);
  code.i32(2);
  code.op('i32.shl');
  code.op('i32.add');
  code.get(tlb!);
  code.i32(2);
  code.op('i32.shr_u');
  code.memory('i32.store', 0);
  code.end();
  code.get(state);
  code.get(fills!);
  code.i32(1);
  code.op('i32.add');
  code.memory('i32.store', S.localFills);
  code.end();
  code.get(host!);
  code.return();
  code.end();
  code.i32(0);
  return code;
}

/** Calls `translate`, and leaves the host address in a local; what it cannot do, and what crosses a page, the import does. */
function access(name: (typeof IMPORTS)[number], finish: (code: Code, host: number) => void): Code {
  const code = new Code(ACCESS.parameters.length);
  const host = code.local('i32');
  code.block();
  const slow = code.depth;
  code.get(A.low);
  code.i32(4095);
  code.op('i32.and');
  code.get(A.bytes);
  code.op('i32.add');
  code.i32(4096);
  code.op('i32.gt_u');
  code.brIf(code.depth - slow, false);
  code.get(A.state);
  code.get(A.low);
  code.op('i64.extend_i32_u');
  code.get(A.high);
  code.op('i64.extend_i32_u');
  code.i64(32n);
  code.op('i64.shl');
  code.op('i64.or');
  code.i32(name === 'load' ? 0 : 1);
  code.call(IMPORTS.length);
  code.tee(host);
  code.op('i32.eqz');
  code.brIf(code.depth - slow, false);
  code.get(host);
  code.get(A.low);
  code.i32(4095);
  code.op('i32.and');
  code.op('i32.or');
  code.set(host);
  finish(code, host);
  code.return();
  code.end();
  for (const parameter of [A.state, A.low, A.high, A.bytes]) code.get(parameter);
  code.returnCall(IMPORTS.indexOf(name));
  return code;
}

const load = (): Code => access('load', (code, host) => code.get(host));
const modify = (): Code => access('modify', (code, host) => code.get(host));
/** The bytes are in the bounce buffer. */
const store = (): Code =>
  access('store', (code, host) => {
    code.get(host);
    code.get(A.state);
    code.i32(S.bounce);
    code.op('i32.add');
    code.get(A.bytes);
    code.memoryCopy();
    code.i32(1);
  });
