/** What a host sees of a TD's registers, against the registers themselves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TdAttribute } from '../../src/abi/index.ts';
import { STATE_ROWS } from '../../src/cpu/index.ts';
import { BenchTarget, TdTarget } from '../../src/debug/index.ts';
import { TdxPlatform } from '../../src/machine/index.ts';
import { SPR_PROFILE } from '../../src/seam/index.ts';
import { PROGRAM_GPA, smallTd } from '../tdx/small-td.ts';
import { powerOff } from '../tdx/small-td-calls.ts';

const MEMORY_BYTES = 16 << 20;
/** in the page of the program, which is there before it runs */
const DATA = BigInt(PROGRAM_GPA) + 0x800n;

function both(attributes: bigint) {
  const platform = new TdxPlatform({ memoryBytes: MEMORY_BYTES, cpu: SPR_PROFILE });
  const td = platform.buildTd(smallTd(powerOff), { params: { attributes } });
  return { td, bench: new BenchTarget(platform, td.host.tdrHpa), host: new TdTarget(td.host) };
}

describe('the host of a debug TD', () => {
  const { bench, host } = both(TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE);
  const seen = STATE_ROWS.filter(({ name }) => host.rows(0).read(name) !== undefined).map(({ name }) => name);

  test('sees every register that the module keeps a field of', () => {
    const rows = ['RAX', 'R15', 'RSP', 'RIP', 'CPL', 'CS.selector', 'SS.rights', 'FS.base', 'GDTR.base', 'TR.limit']
      .concat(['CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'XCR0', 'DR3', 'DR7', 'LSTAR', 'KERNEL_GS_BASE', 'SYSENTER_EIP'])
      .concat(['MXCSR', 'FCW', 'FSW', 'FTW', 'FOP', 'FIP', 'FDP', 'R0_80', 'R7_80', 'YMM0', 'YMM15']);
    assert.deepEqual(
      rows.filter((row) => !seen.includes(row)),
      [],
    );
    assert.equal(host.refusal, undefined);
  });

  test('sees what is in it, of x87, SSE and AVX too, wherever the top of the stack is', () => {
    const patterns = /^(R[A-D]X|R\d+|RSI|RDI|RBP|YMM\d+|R\d_80|LSTAR|FIP|FDP|DR\d)$/;
    const written = STATE_ROWS.filter(({ name }) => patterns.test(name) && seen.includes(name));
    const property = fc.property(fc.infiniteStream(fc.nat(255)), fc.nat(7), (bytes, top) => {
      for (const { name, width } of written) {
        const value = Uint8Array.from({ length: width }, () => bytes.next().value as number);
        bench.rows(0).write(name, name.endsWith('_80') ? value.fill(0, 10) : value);
      }
      bench.rows(0).write('FSW', Uint8Array.of(0x41, top << 3, 0, 0));
      for (const name of seen) assert.deepEqual(host.rows(0).read(name), bench.rows(0).read(name), name);
    });
    fc.assert(property, { numRuns: 20 });
  });

  test('writes what the module lets it write, and is told of the rest', () => {
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    for (const row of ['RAX', 'R9', 'RIP', 'RSP', 'CR2']) {
      assert.equal(host.rows(0).write(row, value), true, row);
      assert.deepEqual(bench.rows(0).read(row), value, row);
    }
    assert.equal(host.rows(0).write('CR4', value), false);
    assert.equal(host.refusal, 'TDH.VP.WR of Guest CR4: TDX_METADATA_FIELD_NOT_WRITABLE');
    assert.equal(host.rows(0).write('YMM3', new Uint8Array(32)), false);
  });

  test('reads and writes private memory by any part of a word', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      (at, bytes) => {
        const gpa = DATA + BigInt(at);
        assert.equal(host.writePhysical(gpa, bytes), true);
        assert.deepEqual(bench.readPhysical(DATA, 96), host.readPhysical(DATA, 96));
        assert.deepEqual(host.readPhysical(gpa, bytes.length), bytes);
      },
    );
    fc.assert(property, { numRuns: 50 });
    assert.equal(host.readPhysical(0x100_0000_0000n, 8), undefined);
    assert.match(host.refusal!, /^TDH\.MEM\.RD of GPA 0x10000000000: TDX_EPT_ENTRY_NOT_PRESENT/);
  });
});

test('the host of a production TD sees no register and no private memory, and writes none', () => {
  const { bench, host } = both(TdAttribute.SEPT_VE_DISABLE);
  assert.equal(host.canStop, false);
  for (const { name, width } of STATE_ROWS) {
    assert.equal(host.rows(0).read(name), undefined, name);
    const before = bench.rows(0).read(name);
    assert.equal(host.rows(0).write(name, new Uint8Array(width).fill(0x5a)), false, name);
    assert.deepEqual(bench.rows(0).read(name), before, name);
  }
  assert.equal(host.readPhysical(0x1000n, 16), undefined);
  assert.equal(host.writePhysical(0x1000n, Uint8Array.of(1)), false);
  assert.equal(host.refusal, 'TDH.MEM.RD of GPA 0x1000: TDX_TD_NON_DEBUG');
});
