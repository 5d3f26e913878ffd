/** Random SEAMCALLs: whatever a host does, in whatever order, the module's books agree, and a refused call changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  buildTdParams,
  Gpr,
  MODULE_VERSIONS,
  RegisterFile,
  TdAttribute,
  TdhLeaf,
  tdhLeafName,
} from '../../src/abi/index.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { SharedView } from '../../src/memory/shared-view.ts';
import { NULL_OBSERVER } from '../../src/probe/index.ts';
import { SeamCore } from '../../src/seam/core.ts';
import { MINIMAL_PROFILE } from '../../src/seam/index.ts';
import { PlatformSecrets } from '../../src/seam/report/platform-secrets.ts';
import { seamcall } from '../../src/seam/seamcall/dispatch.ts';
import { SEAMCALL_ROWS } from '../../src/seam/seamcall/index.ts';
import { Clock } from '../../src/time/index.ts';
import { layOutTdmr } from '../../src/vmm/tdmr-layout.ts';
import { checkInvariants, stateOf } from './invariants.ts';
import { ScriptedProcessor } from './scripted-td.ts';

const MIB = 1 << 20;
const SMALL_PAGES = 40;

/** Leaves whose success always leaves a trace; of all others some only read. */
const CHANGING: ReadonlySet<TdhLeaf> = new Set([
  TdhLeaf.MNG_CREATE,
  TdhLeaf.MNG_KEY_CONFIG,
  TdhLeaf.MNG_ADDCX,
  TdhLeaf.MNG_INIT,
  TdhLeaf.VP_CREATE,
  TdhLeaf.VP_ADDCX,
  TdhLeaf.VP_INIT,
  TdhLeaf.VP_FLUSH,
  TdhLeaf.MEM_PAGE_ADD,
  TdhLeaf.MEM_PAGE_AUG,
  TdhLeaf.MEM_PAGE_DEMOTE,
  TdhLeaf.MEM_PAGE_PROMOTE,
  TdhLeaf.MEM_PAGE_RELOCATE,
  TdhLeaf.MEM_PAGE_REMOVE,
  TdhLeaf.MEM_SEPT_REMOVE,
  TdhLeaf.MEM_RANGE_BLOCK,
  TdhLeaf.MEM_RANGE_UNBLOCK,
  TdhLeaf.MEM_TRACK,
  TdhLeaf.MR_FINALIZE,
  TdhLeaf.MNG_VPFLUSHDONE,
  TdhLeaf.MNG_KEY_FREEID,
  TdhLeaf.PHYMEM_CACHE_WB,
  TdhLeaf.PHYMEM_PAGE_RECLAIM,
]);

/** A host that knows what it has, so that its random calls often make sense. */
class RandomHost {
  readonly memory = new HostMemory(14 * MIB);
  readonly registers = new RegisterFile();
  readonly core: SeamCore;
  readonly successes = new Map<TdhLeaf, number>();
  readonly #small: number[];
  readonly #large: number[];
  readonly #params: number;
  readonly #view: SharedView;

  constructor() {
    this.core = new SeamCore({
      version: MODULE_VERSIONS[0]!,
      memory: this.memory,
      clock: new Clock(),
      createProcessor: () => new ScriptedProcessor(this.memory).asLogical,
      profile: MINIMAL_PROFILE,
      secrets: new PlatformSecrets(1),
      observer: NULL_OBSERVER,
    });
    const { ramBase } = this.memory;
    this.#params = ramBase;
    this.#small = Array.from({ length: SMALL_PAGES }, (_, i) => ramBase + (i + 1) * 4096);
    this.#large = [1, 2, 3].map((i) => ramBase + i * 2 * MIB);
    this.#view = new SharedView(this.memory);
    this.#view.write(ramBase, buildTdParams({ maxVcpus: 2, attributes: TdAttribute.DEBUG }));
  }

  /** Brings the module up. */
  start(): void {
    const { info, lengthBytes } = layOutTdmr(this.#view);
    this.#view.write64(this.#params + 1024, BigInt(this.#params + 1536));
    this.#view.write(this.#params + 1536, info);
    this.call(TdhLeaf.SYS_INIT, 0);
    this.call(TdhLeaf.SYS_LP_INIT, 0);
    this.call(TdhLeaf.SYS_CONFIG, this.#params + 1024, 1, 63);
    this.call(TdhLeaf.SYS_KEY_CONFIG, 0);
    for (let base = 0; base < lengthBytes; base += 4 * MIB) {
      this.registers.clear();
      this.registers.setNumber(Gpr.RAX, TdhLeaf.SYS_TDMR_INIT);
      seamcall(this.core, this.registers);
    }
  }

  /** Calls and checks; returns the completion code. */
  call(leaf: number, rcx: number, rdx = 0, r8 = 0, r9 = 0): number {
    const { registers, core } = this;
    registers.clear();
    registers.setNumber(Gpr.RAX, leaf);
    registers.setNumber(Gpr.RCX, rcx);
    registers.setNumber(Gpr.RDX, rdx);
    registers.setNumber(Gpr.R8, r8);
    registers.setNumber(Gpr.R9, r9);
    const takesVcpu = leaf === TdhLeaf.VP_ENTER || leaf === TdhLeaf.VP_RD || leaf === TdhLeaf.VP_WR;
    const before = stateOf(core, !takesVcpu);
    seamcall(core, registers);
    const code = registers.high(Gpr.RAX);
    const what = `${tdhLeafName(leaf)}(${[rcx, rdx, r8, r9].map((value) => value.toString(16))}) = ${code.toString(16)}`;
    checkInvariants(core);
    const changed = stateOf(core, !takesVcpu) !== before;
    if (code !== 0) assert.ok(!changed, `${what} changed something`);
    else if (CHANGING.has(leaf)) assert.ok(changed, `${what} changed nothing`);
    if (code === 0) this.successes.set(leaf, (this.successes.get(leaf) ?? 0) + 1);
    return code;
  }

  /** A step that takes a TD towards life or death, whichever is next. */
  advance(): void {
    const { core } = this;
    const td = [...core.tds.values()][0];
    if (td === undefined) this.call(TdhLeaf.MNG_CREATE, this.free(0), 1);
    else if (td.lifecycle === 0) this.call(TdhLeaf.MNG_KEY_CONFIG, td.tdrHpa);
    else if (td.tdcxPages < 6) this.call(TdhLeaf.MNG_ADDCX, this.free(0), td.tdrHpa);
    else if (td.opState === 0) this.call(TdhLeaf.MNG_INIT, td.tdrHpa, this.#params);
    else {
      const vcpu = [...core.vcpus.values()].find((each) => each.td === td);
      if (vcpu === undefined) this.call(TdhLeaf.VP_CREATE, this.free(0), td.tdrHpa);
      else if (vcpu.tdvpsPages < 6) this.call(TdhLeaf.VP_ADDCX, this.free(0), vcpu.tdvprHpa);
      else if (vcpu.state === 0) this.call(TdhLeaf.VP_INIT, vcpu.tdvprHpa);
      else if (!td.configuration!.secureEpt.walk(0, 0))
        for (const level of [3, 2, 1]) this.call(TdhLeaf.MEM_SEPT_ADD, level, td.tdrHpa, this.free(0));
      else this.call(TdhLeaf.MR_FINALIZE, td.tdrHpa);
    }
  }

  free(choice: number): number {
    const free = this.#small.filter((hpa) => this.core.pamt.isFree(hpa, 1));
    return free[choice % Math.max(1, free.length)] ?? this.#small[0]!;
  }

  /** An operand that a leaf might want: mostly plausible. */
  page(kind: number, choice: number): number {
    const pick = (from: readonly number[]) => from[choice % Math.max(1, from.length)] ?? this.#small[0]!;
    switch (kind) {
      case 0:
        return this.free(choice);
      case 1:
        return pick([...this.core.tds.keys()]);
      case 2:
        return pick([...this.core.vcpus.keys()]);
      case 3:
        return pick(this.#large);
      default:
        return pick([
          0,
          1,
          8,
          4095,
          0x1_0000_0000,
          2 ** 46 + 4096,
          this.#params,
          this.#large[0]! + 4096,
          ...this.#small,
        ]);
    }
  }

  /** An address and a level, most of them of places where something may be. */
  static gpa(choice: number): number {
    const usual = [0, 0x1000, 0x20_0001, 0x20_0001, 0x20_0001, 0x20_0000, 1, 2];
    const odd = [0x20_1000, 0x4000_0001, 0x80_0000_0002, 0x8000_0000_0000, 0x1008, 0x1001, 4, 5];
    return choice % 8 === 7 ? odd[choice % odd.length]! : usual[Math.floor(choice / 8) % usual.length]!;
  }
}

/** All but the one after which there are no others. */
const ROWS = SEAMCALL_ROWS.filter(({ leaf }) => leaf !== TdhLeaf.SYS_SHUTDOWN);
const LEAVES = ROWS.map(({ leaf }) => leaf);
/** Memory changes most often, and a TD should live long enough for it. */
const USUAL = ROWS.flatMap(({ leaf, name }) =>
  Array.from({ length: name.startsWith('TDH.MEM') ? 6 : leaf === TdhLeaf.MNG_VPFLUSHDONE ? 0 : 1 }, () => leaf),
);
const number = fc.nat({ max: 999 });
const step = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'advance' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retire' as const), a: number }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('plausible' as const),
      leaf: fc.constantFrom(...USUAL),
      a: number,
      b: number,
      c: number,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wild' as const),
      leaf: fc.oneof(fc.constantFrom(...LEAVES), fc.nat({ max: 0x2_00ff })),
      a: number,
      b: number,
      c: number,
      d: number,
    }),
  },
);

/** Steps that the host takes towards a running TD before it goes astray; 0: not even TDH.SYS.INIT. */
const stages = fc.oneof(fc.nat({ max: 26 }), { weight: 4, arbitrary: fc.constant(26) });

/** Blocks a range and tracks, as a host does before it takes, splits or moves a page. */
function retire(host: RandomHost, a: number): void {
  host.call(TdhLeaf.MEM_RANGE_BLOCK, RandomHost.gpa(a), host.page(1, 0));
  host.call(TdhLeaf.MEM_TRACK, host.page(1, 0));
}

/** Which operand of a leaf is a guest address, and which pages it wants otherwise. */
function plausible(host: RandomHost, leaf: TdhLeaf, a: number, b: number, c: number): void {
  const row = SEAMCALL_ROWS.find((each) => each.leaf === leaf)!;
  const tdr = host.page(1, b);
  if (row.scope === 'td' && row.tdr === Gpr.RDX) {
    const page = host.page(leaf === TdhLeaf.MEM_PAGE_AUG && (RandomHost.gpa(a) & 7) === 1 ? 3 : 0, c);
    host.call(leaf, leaf === TdhLeaf.VP_CREATE ? host.free(a) : RandomHost.gpa(a), tdr, page, host.page(4, 6));
  } else if (row.scope === 'vcpu' && row.tdvpr === Gpr.RDX) host.call(leaf, host.free(a), host.page(2, b));
  else if (row.scope === 'vcpu') host.call(leaf, host.page(2, a), b);
  else if (leaf === TdhLeaf.SERVTD_BIND) host.call(leaf, tdr, host.page(1, c));
  else if (row.scope === 'system')
    host.call(leaf, leaf === TdhLeaf.MNG_CREATE ? host.free(a) : host.page(a % 5, b), 1 + (b % 3), host.free(c));
  else if (row.tdr === Gpr.RDX) host.call(leaf, host.free(a), tdr);
  else host.call(leaf, tdr, host.page(4, 6));
}

test('random SEAMCALLs: the books agree after each, an error changes nothing, success is not silent', () => {
  const successes = new Map<TdhLeaf, number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 140, size: 'max' }), stages, (steps, stage) => {
      const host = new RandomHost();
      if (stage > 0) host.start();
      for (let i = 1; i < stage; i++) host.advance();
      for (const each of steps) {
        if (each.kind === 'advance') host.advance();
        else if (each.kind === 'retire') retire(host, each.a);
        else if (each.kind === 'plausible') plausible(host, each.leaf, each.a, each.b, each.c);
        else
          host.call(
            each.leaf,
            host.page(each.a % 5, each.b),
            host.page(each.b % 5, each.c),
            host.page(each.c % 5, each.d),
            host.page(4, each.a),
          );
      }
      for (const [leaf, count] of host.successes) successes.set(leaf, (successes.get(leaf) ?? 0) + count);
    }),
    { numRuns: 40 },
  );
  assert.ok(successes.size > 12, `${successes.size} leaves succeeded at least once`);
});
