/** MRTD holds what a page was when it was measured, whatever becomes of it before TDH.MR.FINALIZE. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Gpr, TdAttribute, TdhLeaf } from '../../src/abi/index.ts';
import { IndependentMrtd } from './independent-mrtd.ts';
import { Bench } from './scripted-td.ts';

const PAGE = 4096;
const CHUNK = 256;

/** A debuggable TD under construction, and MRTD as it should become. */
class Construction {
  readonly bench = new Bench();
  readonly #expected = new IndependentMrtd();
  readonly #pages = new Map<number, Uint8Array>();
  readonly #source: number;
  #seed = 1;

  constructor() {
    this.bench.create({ maxVcpus: 1, attributes: TdAttribute.DEBUG });
    this.bench.addVcpu();
    this.bench.addTables();
    this.#source = this.bench.page();
  }

  has(gpa: number): boolean {
    return this.#pages.has(gpa);
  }

  add(gpa: number): void {
    const factor = this.#seed % 3 === 0 ? 0 : this.#seed; // some pages are zeros
    const content = Uint8Array.from({ length: PAGE }, (_, i) => (i * factor) & 0xff);
    this.#seed += 2;
    this.bench.view.write(this.#source, content);
    this.#ok(TdhLeaf.MEM_PAGE_ADD, gpa, { r8: this.bench.page(), r9: this.#source });
    this.#pages.set(gpa, content);
    this.#expected.add(gpa);
  }

  extend(gpa: number): void {
    this.#ok(TdhLeaf.MR_EXTEND, gpa);
    const offset = gpa % PAGE;
    this.#expected.extend(gpa, this.#pages.get(gpa - offset)!.subarray(offset, offset + CHUNK));
  }

  /** Eight bytes, as a debugger writes them. */
  write(gpa: number): void {
    const value = BigInt(this.#seed++) * 0x0101_0101_0101_0101n;
    this.#ok(TdhLeaf.MEM_WR, gpa, { r8: value });
    const content = this.#pages.get(gpa - (gpa % PAGE))!;
    new DataView(content.buffer).setBigUint64(gpa % PAGE, value, true);
  }

  relocate(gpa: number): void {
    this.#ok(TdhLeaf.MEM_PAGE_RELOCATE, gpa, { r8: this.bench.page() });
    this.#giveBack();
  }

  remove(gpa: number): void {
    this.#ok(TdhLeaf.MEM_PAGE_REMOVE, gpa);
    this.#giveBack();
    this.#pages.delete(gpa);
  }

  /** Both digests. */
  finalize(): [actual: string, expected: string] {
    const { bench } = this;
    bench.ok(TdhLeaf.MR_FINALIZE, { rcx: bench.tdr });
    return [Buffer.from(bench.module.measurementsOf(bench.tdr).mrtd).toString('hex'), this.#expected.digest()];
  }

  #ok(leaf: TdhLeaf, gpa: number, operands: { r8?: number | bigint; r9?: number } = {}): void {
    this.bench.ok(leaf, { rcx: gpa, rdx: this.bench.tdr, ...operands });
  }

  /** The host writes to the page that it has got back. */
  #giveBack(): void {
    this.bench.view.fill(this.bench.registers.number(Gpr.RCX), PAGE, 0x5a);
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('extend' as const), at: fc.integer({ min: 0, max: 15 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('page' as const), at: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.integer({ min: 0, max: 511 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('relocate' as const, 'remove' as const), at: fc.constant(0) }),
  },
);

test('pages are written, moved and removed between measurements', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(0, 0x1000, 0x5000), step), { maxLength: 40 });
  const property = fc.property(steps, (those) => {
    const construction = new Construction();
    for (const [gpa, { kind, at }] of those) {
      if (!construction.has(gpa)) construction.add(gpa);
      if (kind === 'extend') construction.extend(gpa + at * CHUNK);
      else if (kind === 'page') for (let offset = 0; offset < PAGE; offset += CHUNK) construction.extend(gpa + offset);
      else if (kind === 'write') construction.write(gpa + at * 8);
      else construction[kind](gpa);
    }
    const [actual, expected] = construction.finalize();
    assert.equal(actual, expected);
  });
  fc.assert(property, { numRuns: 60 });
});

test('more pages than the module keeps in one piece: added first and measured then, and never measured', () => {
  const construction = new Construction();
  const pages = Array.from({ length: 300 }, (_, i) => i * PAGE);
  for (const gpa of pages) construction.add(gpa);
  for (const gpa of pages.slice(0, 150)) for (let at = 0; at < PAGE; at += CHUNK) construction.extend(gpa + at);
  const [actual, expected] = construction.finalize();
  assert.equal(actual, expected);
});
