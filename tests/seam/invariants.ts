/** What must hold of the module's books after every call: PAMT, Secure EPTs, key ownership and counts agree with each other. */
import assert from 'node:assert/strict';
import { levelBytes, PageLevel } from '../../src/abi/index.ts';
import { SecondLevel } from '../../src/cpu/index.ts';
import { PAGE_SIZE_BYTES } from '../../src/memory/index.ts';
import type { SeamCore } from '../../src/seam/core.ts';
import { KeyState, MAX_KEY_ID } from '../../src/seam/key-ownership.ts';
import { PageType } from '../../src/seam/pamt.ts';
import type { SeptTable } from '../../src/seam/sept/secure-ept.ts';
import { SEPT_STATES, SeptState } from '../../src/seam/sept/states.ts';
import { Lifecycle, type Td } from '../../src/seam/structures/td.ts';

const hexOf = (value: number) => `0x${value.toString(16)}`;

/** Does the module keep its own records in the page? */
const isMetadata = (core: SeamCore, hpa: number) =>
  core.tdmrs.some(({ pamts }) => pamts.some(({ base, size }) => base <= hpa && hpa < base + size));

/** Host pages a TD owns, by type. */
type Owned = Map<PageType, Set<number>>;

export function checkInvariants(core: SeamCore): void {
  const owned = readPamt(core);
  for (const td of core.tds.values()) {
    const pages = owned.get(td.tdrHpa) ?? new Map();
    const count = (type: PageType) => pages.get(type)?.size ?? 0;
    const vcpus = [...core.vcpus.values()].filter((vcpu) => vcpu.td === td);
    assert.equal(count(PageType.TDR), 1, 'a TD has one root page');
    assert.equal(
      td.childCount,
      [...pages.values()].reduce((sum, set) => sum + set.size, 0) - 1,
      'the child count is the number of pages owned',
    );
    if (td.lifecycle === Lifecycle.TEARDOWN) continue;
    assert.equal(count(PageType.TDVPR), vcpus.length);
    assert.equal(
      count(PageType.TDCX),
      vcpus.reduce((sum, { tdvpsPages }) => sum + tdvpsPages - 1, td.tdcxPages),
    );
    assert.equal(td.associatedVcpus, vcpus.filter(({ associated }) => associated).length);
    checkSecureEpt(core, td, pages);
  }
  checkKeys(core);
}

function readPamt(core: SeamCore): Map<number, Owned> {
  const owned = new Map<number, Owned>();
  const { memory, pamt } = core;
  for (let hpa = memory.ramBase; hpa < memory.ramBase + memory.ramBytes; hpa += PAGE_SIZE_BYTES) {
    const keyId = memory.keyIdOfPage[hpa / PAGE_SIZE_BYTES];
    const type = pamt.typeOf(hpa);
    if (type === PageType.RSVD || isMetadata(core, hpa)) continue;
    if (type === PageType.NDA) {
      assert.equal(keyId, 0, `nobody's page ${hexOf(hpa)} has no key`);
      assert.equal(pamt.levelOf(hpa), PageLevel.PAGE_4K);
      continue;
    }
    const td = core.tds.get(pamt.ownerOf(hpa));
    assert.ok(td !== undefined, `the owner of ${hexOf(hpa)} exists`);
    assert.equal(keyId, td.keyId);
    if (type !== PageType.REG) assert.equal(pamt.levelOf(hpa), PageLevel.PAGE_4K);
    const pages: Owned = owned.get(td.tdrHpa) ?? new Map();
    owned.set(td.tdrHpa, pages);
    pages.set(type, (pages.get(type) ?? new Set()).add(hpa));
  }
  return owned;
}

function checkSecureEpt(core: SeamCore, td: Td, owned: Owned): void {
  const { configuration } = td;
  if (configuration === undefined) return;
  const left = { leaves: new Set(owned.get(PageType.REG)), tables: new Set(owned.get(PageType.EPT)) };
  const visit = (table: SeptTable, startGpa: number, reachable: boolean): void => {
    for (let index = 0; index < 512; index++) {
      const row = SEPT_STATES[table.stateAt(index)]!;
      const gpa = startGpa + index * levelBytes(table.level);
      const child = table.children[index];
      if (row.leaf) {
        assert.equal(child, undefined);
        const hpa = table.pages[index]! * PAGE_SIZE_BYTES;
        assert.equal(hpa % levelBytes(table.level), 0);
        for (let offset = 0; offset < levelBytes(table.level); offset += PAGE_SIZE_BYTES) {
          assert.ok(left.leaves.delete(hpa + offset), `${hexOf(gpa)}: one leaf for each page, and it is the TD's`);
          assert.equal(core.pamt.levelOf(hpa + offset), table.level);
          const entry: number = configuration.secondLevel.lookup(gpa + offset);
          if (reachable && row.accessible) assert.equal(SecondLevel.hpaOf(entry), hpa + offset);
          else assert.equal(entry, 0, `${hexOf(gpa)} is ${row.name}: the processor must not see it`);
        }
      } else if (child !== undefined) {
        assert.ok(row.state === SeptState.NL_MAPPED || row.state === SeptState.NL_BLOCKED);
        assert.ok(left.tables.delete(child.hpa), `${hexOf(gpa)}: one parent for each table, and it is the TD's`);
        visit(child, gpa, reachable && row.state === SeptState.NL_MAPPED);
      } else assert.equal(row.state, SeptState.FREE);
    }
  };
  visit(configuration.secureEpt.root, 0, true);
  assert.deepEqual([left.leaves.size, left.tables.size], [0, 0], 'what a TD owns, its Secure EPT knows');
}

function checkKeys(core: SeamCore): void {
  for (let keyId = 0; keyId <= MAX_KEY_ID; keyId++) {
    const holders = [...core.tds.values()].filter((td) => td.keyId === keyId && td.lifecycle !== Lifecycle.TEARDOWN);
    const state = core.keys.stateOf(keyId);
    assert.equal(
      holders.length,
      state === KeyState.FREE || state === KeyState.RESERVED ? 0 : 1,
      `key ${keyId} has as many TDs as its state says`,
    );
    const blocked = holders[0]?.lifecycle === Lifecycle.BLOCKED;
    if (holders.length > 0) assert.equal(blocked, state !== KeyState.ASSIGNED);
  }
}

/** Everything that a call that fails must leave alone, as text: but leaves that take a vCPU first keep it, whatever they find then. */
export function stateOf(core: SeamCore, withAssociations: boolean): string {
  const { memory, pamt } = core;
  const pages: unknown[] = [];
  for (let hpa = memory.ramBase; hpa < memory.ramBase + memory.ramBytes; hpa += PAGE_SIZE_BYTES) {
    const word = memory.u32[hpa / 4]!;
    if (![PageType.NDA, PageType.RSVD].some((type) => type === pamt.typeOf(hpa)) || word !== 0)
      pages.push([hpa, pamt.typeOf(hpa), pamt.ownerOf(hpa), pamt.levelOf(hpa), pamt.blockEpochOf(hpa), word]);
  }
  const tables: unknown[] = [];
  const visit = (table: SeptTable): void => {
    tables.push([table.level, table.hpa, table.states.join(''), table.pages.join()]);
    for (const child of table.children) if (child !== undefined) visit(child);
  };
  const tds = [...core.tds.values()].map((td) => {
    if (td.configuration !== undefined) visit(td.configuration.secureEpt.root);
    return [
      td.tdrHpa,
      td.lifecycle,
      td.opState,
      td.fatal,
      td.epoch,
      td.childCount,
      td.tdcxPages,
      td.serviceTd.bytes().join(),
      withAssociations && td.associatedVcpus,
    ];
  });
  const vcpus = [...core.vcpus.values()].map((v) => [
    v.tdvprHpa,
    v.state,
    v.tdvpsPages,
    v.index,
    withAssociations && v.associated,
  ]);
  const keys = Array.from({ length: MAX_KEY_ID + 1 }, (_, keyId) => core.keys.stateOf(keyId));
  const prepared = core.tdmrs.map(({ usableEnd }) => usableEnd);
  return JSON.stringify([
    core.sysState,
    core.processorInitialised,
    core.handoffValid,
    prepared,
    keys,
    tds,
    vcpus,
    pages,
    tables,
  ]);
}
