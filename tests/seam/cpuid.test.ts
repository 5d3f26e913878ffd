/** CPUID virtualization: the rows of both modules, what each profile announces, and what follows from XFAM. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  buildTdParams,
  cpuidConfigOrder,
  MODULE_1_5,
  MODULE_VERSIONS,
  parseTdParams,
  type TdParams,
} from '../../src/abi/index.ts';
import { OPERATIONS } from '../../src/cpu/index.ts';
import { CPUID_FEATURES } from '../../src/isa/index.ts';
import { rows as opcodeRows } from '../../src/isa/opcodes/index.ts';
import { parseRows } from '../../src/isa/opcodes/syntax.ts';
import { CPU_PROFILES, CPUID_ROWS, MINIMAL_PROFILE, SPR_PROFILE } from '../../src/seam/index.ts';
import { NativeCpuid } from '../../src/seam/virt/cpu-profile.ts';
import { cpuidRowsOf } from '../../src/seam/virt/cpuid-rows.ts';
import { buildCpuidTable, CpuidTable } from '../../src/seam/virt/cpuid-table.ts';
import { CPUID_REGISTERS, NO_BITS } from '../../src/seam/virt/cpuid-values.ts';
import { compactedSize, standardSize } from '../../src/seam/virt/xsave-area.ts';

const paramsOf = (params: Partial<TdParams>): TdParams => parseTdParams(buildTdParams(params));

function table(version = MODULE_1_5, profile = MINIMAL_PROFILE, params: Partial<TdParams> = {}): CpuidTable {
  const built = buildCpuidTable(version, new NativeCpuid(profile), paramsOf(params));
  assert.ok(built instanceof CpuidTable);
  return built;
}

describe('rows', () => {
  test('each leaf and sub-leaf has one row a module, each bit one meaning, and each row a source', () => {
    for (const version of MODULE_VERSIONS) {
      const rows = cpuidRowsOf(version);
      const keys = rows.map(({ leaf, subleaf }) => `${leaf}.${subleaf}`);
      assert.equal(new Set(keys).size, keys.length);
      const indices = rows.map(({ index }) => index).filter((index) => index >= 0);
      assert.equal(new Set(indices).size, indices.length);
      for (const row of rows) {
        const others = rows.filter(({ leaf }) => leaf === row.leaf);
        assert.ok(row.subleaf !== undefined || others.length === 1, `${row.name}: with and without sub-leaves`);
      }
    }
    for (const row of CPUID_ROWS) {
      assert.match(row.source, /^TDX Module.*".+"/, row.name);
      for (const register of CPUID_REGISTERS) {
        const { zero, one, direct, allow } = row;
        const all = [zero[register] & ~one[register], one[register], direct[register], allow[register]];
        const overlaps = all.reduce(
          (seen, bits, i) => seen | all.slice(i + 1).reduce((o, other) => o | (bits & other), 0),
          0,
        );
        assert.equal(overlaps, 0, `${row.name} ${register}: 0x${(overlaps >>> 0).toString(16)}`);
      }
    }
  });

  test('any leaf and sub-leaf is answered by a row of its own, by the highest basic leaf, or by #VE', () => {
    const tables = MODULE_VERSIONS.map((version) => ({ version, cpuid: table(version, SPR_PROFILE) }));
    const leaf = fc.oneof(
      fc.nat(0x30),
      fc.integer({ min: 0x3fff_fff0, max: 0x4000_0110 }),
      fc.integer({ min: 0x7fff_fff0, max: 0x8000_0010 }),
      fc.nat(0xffff_ffff),
    );
    fc.assert(
      fc.property(leaf, fc.oneof(fc.nat(0x20), fc.nat(0xffff_ffff)), (number, subleaf) => {
        for (const { version, cpuid } of tables) {
          const answer = cpuid.find(number, subleaf);
          const hypervisor = number >= 0x4000_0000 && number < 0x5000_0000;
          const above = !hypervisor && (number > 0x8000_0008 || (number > 0x23 && number < 0x8000_0000));
          const wanted = above ? 0x23 : number;
          const row = cpuidRowsOf(version).find((r) => r.leaf === wanted && (r.subleaf ?? subleaf) === subleaf);
          assert.equal(answer?.row, hypervisor ? undefined : row);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a host may ask for exactly the direct and allowed bits, and gets no allowed bit that the processor lacks', () => {
    const native = new NativeCpuid(SPR_PROFILE);
    const choice = fc.record({
      version: fc.constantFrom(...MODULE_VERSIONS),
      place: fc.nat(27),
      register: fc.constantFrom(...CPUID_REGISTERS),
      bit: fc.nat(31),
    });
    fc.assert(
      fc.property(choice, ({ version, place, register, bit }) => {
        const entry = cpuidConfigOrder(version)[place];
        // a family, model and stepping must be native, a topology a legal one, and HLE and RTM come together
        if (entry === undefined || entry[0] === 0x1f || (entry[0] === 1 && register === 'eax')) return;
        const [leaf, subleaf] = entry;
        if (leaf === 7 && subleaf === 0 && register === 'ebx' && (bit === 4 || bit === 11)) return;
        const row = cpuidRowsOf(version).find((r) => r.leaf === leaf && (r.subleaf ?? -1) === subleaf)!;
        const cpuidConfig = Array.from({ length: 48 }, (_, n) =>
          n === place ? { ...NO_BITS, [register]: 1 << bit } : NO_BITS,
        );
        const built = buildCpuidTable(version, native, paramsOf({ cpuidConfig }));
        if ((((row.direct[register] | row.allow[register]) >>> bit) & 1) === 0) {
          assert.deepEqual(built, { refusedLeaf: leaf, refusedSubleaf: subleaf });
          return;
        }
        assert.ok(built instanceof CpuidTable);
        if (((row.allow[register] >>> bit) & 1) === 0) return;
        const shown = (built.find(leaf, Math.max(subleaf, 0))!.values[CPUID_REGISTERS.indexOf(register)]! >>> bit) & 1;
        const has = (native.read(leaf, Math.max(subleaf, 0))[register] >>> bit) & 1;
        assert.ok(shown <= has, `${row.name} ${register} bit ${bit}`);
      }),
      { numRuns: 1500 },
    );
  });
});

/** What the module demands of its processor and a profile does not have, by name where it has one. */
function missing(profile: typeof SPR_PROFILE): string[] {
  const native = new NativeCpuid(profile);
  return cpuidRowsOf(MODULE_1_5).flatMap(({ name, leaf, subleaf, demanded }) => {
    if (demanded === undefined) return [];
    const values = native.read(leaf, subleaf ?? 0);
    return CPUID_REGISTERS.flatMap((register) => {
      const wrong = (values[register] ^ demanded.value[register]) & demanded.mask[register];
      return [...Array(32).keys()]
        .filter((bit) => ((wrong >>> bit) & 1) !== 0)
        .map(
          (bit) =>
            CPUID_FEATURES.find(
              (f) => f.leaf === leaf && f.subleaf === (subleaf ?? 0) && f.register === register && f.bit === bit,
            )?.name ?? `${name}:${register}`,
        );
    });
  });
}

describe('profiles', () => {
  test('the faithful profile has all that the module demands of a processor, but for what docs/fidelity.md lists', () => {
    assert.deepEqual(
      [...new Set(missing(SPR_PROFILE))],
      ['ARCH_LBR', 'CPUID.AH:eax', 'CPUID.AH:edx', 'CPUID.DH.1:ecx', 'CPUID.14H.0:eax'],
    );
  });

  test('what CPUID offers, the processor executes', () => {
    const forms = parseRows(opcodeRows).map(({ form }) => form);
    for (const profile of CPU_PROFILES) {
      const offered = new Set(profile.features);
      const absent = forms
        .filter(({ feature }) => feature !== '' && feature.split('+').every((each) => offered.has(each)))
        .filter(({ operation, feature }) => OPERATIONS[operation] === undefined && feature !== 'SMX')
        .map(({ mnemonic }) => mnemonic);
      assert.deepEqual([...new Set(absent)], [], profile.name);
    }
  });

  test('names are those of CPUID bits, once each', () => {
    for (const { name, features } of CPU_PROFILES) {
      assert.equal(new Set(features).size, features.length, name);
      const known = new Set(CPUID_FEATURES.map((feature) => feature.name));
      for (const feature of features) assert.ok(known.has(feature), `${name}: ${feature}`);
    }
    const places = CPUID_FEATURES.map(({ leaf, subleaf, register, bit }) => `${leaf}.${subleaf}.${register}.${bit}`);
    assert.equal(new Set(places).size, places.length);
  });
});

describe('XFAM', () => {
  const XSAVE_SIZES: Readonly<Record<number, { eax: number; ebx: number; ecx: number }>> = {
    2: { eax: 256, ebx: 576, ecx: 0 },
    9: { eax: 8, ebx: 2688, ecx: 0 },
    17: { eax: 64, ebx: 2752, ecx: 2 },
    18: { eax: 8192, ebx: 2816, ecx: 6 },
  };
  const read = (component: number) => ({ ...NO_BITS, ...XSAVE_SIZES[component] });

  test('sizes of the XSAVE area in both formats', () => {
    assert.equal(standardSize(3n, read), 576);
    assert.equal(standardSize(7n, read), 832);
    assert.equal(standardSize(0x207n, read), 2696);
    assert.equal(compactedSize(3n, read), 576);
    assert.equal(compactedSize(7n, read), 832);
    assert.equal(compactedSize(0x207n, read), 840);
    assert.equal(compactedSize(0x60207n, read), 9152, 'aligned components start at multiples of 64');
  });

  test('bits that an XFAM bit brings are not shown without it', () => {
    const every = CPUID_FEATURES.filter(({ name }) => !['HLE', 'RTM'].includes(name)).map(({ name }) => name);
    const everything = { ...SPR_PROFILE, name: 'everything', features: every };
    const asked = (version = MODULE_1_5) =>
      cpuidConfigOrder(version).map(([leaf, subleaf]) => {
        const { allow } = cpuidRowsOf(version).find((r) => r.leaf === leaf && (r.subleaf ?? -1) === subleaf)!;
        return leaf === 7 && subleaf === 0 ? { ...allow, ebx: allow.ebx & ~0x810 } : allow;
      });
    for (const version of MODULE_VERSIONS) {
      const without = table(version, everything, { xfam: 3n, cpuidConfig: asked(version) });
      const avx = table(version, everything, { xfam: 7n, cpuidConfig: asked(version) });
      for (const feature of ['AVX', 'F16C', 'FMA', 'AVX2', 'VAES', 'VPCLMULQDQ']) {
        assert.equal(without.shows(feature), false, feature);
        assert.equal(avx.shows(feature), true, feature);
      }
      for (const feature of ['AVX512F', 'PKU', 'CET_SS', 'CET_IBT', 'UINTR', 'AMX_TILE', 'PT'])
        assert.equal(avx.shows(feature), false, feature);
      assert.equal(table(version, everything, { xfam: 0x203n, cpuidConfig: asked(version) }).shows('PKU'), true);
    }
  });
});

test('PKS follows ATTRIBUTES, leaf 5 MONITOR, the linear width LA57', () => {
  const config = (leaf: number, subleaf: number, bits: Partial<typeof NO_BITS>) =>
    cpuidConfigOrder(MODULE_1_5).map(([l, s]) => (l === leaf && s === subleaf ? { ...NO_BITS, ...bits } : NO_BITS));
  const plain = table(MODULE_1_5, SPR_PROFILE);
  assert.deepEqual([...plain.lookup(5, 0)!], [0, 0, 0, 0]);
  assert.equal(plain.lookup(0x8000_0008, 0)![0], 0x3034);
  const monitor = table(MODULE_1_5, SPR_PROFILE, { cpuidConfig: config(1, -1, { ecx: 1 << 3 }) });
  assert.deepEqual([...monitor.lookup(5, 0)!], [0x40, 0x40, 3, 0]);
  const wide = table(MODULE_1_5, SPR_PROFILE, { cpuidConfig: config(7, 0, { ecx: 1 << 16 }) });
  assert.equal(wide.lookup(0x8000_0008, 0)![0], 0x3934);
});
