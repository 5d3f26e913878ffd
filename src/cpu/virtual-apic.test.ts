import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualApic, X2Apic } from './virtual-apic.ts';

test('the highest class wins, and what is in service keeps its class and those below waiting', () => {
  const apic = new VirtualApic();
  assert.equal(apic.pendingVector(), -1);
  for (const vector of [0x31, 0x40, 0x4f, 0xec]) apic.post(vector);
  assert.equal(apic.acknowledge(), 0xec);
  assert.equal(apic.processorPriority, 0xe0);
  assert.equal(apic.pendingVector(), -1);
  apic.post(0xef);
  assert.equal(apic.pendingVector(), -1, 'the same class does not interrupt');
  apic.post(0xf0);
  assert.equal(apic.acknowledge(), 0xf0);
  assert.equal(apic.endOfInterrupt(), 0xf0);
  assert.equal(apic.endOfInterrupt(), 0xec);
  assert.deepEqual([apic.acknowledge(), apic.endOfInterrupt()], [0xef, 0xef]);
  assert.equal(apic.acknowledge(), 0x4f);
  assert.equal(apic.endOfInterrupt(), 0x4f);
  assert.equal(apic.pendingVector(), 0x40);
});

test('the task priority holds back its class and those below', () => {
  const apic = new VirtualApic();
  apic.post(0x5f);
  apic.taskPriority = 0x50;
  assert.equal(apic.hasPending, false);
  assert.equal(apic.processorPriority, 0x50);
  apic.taskPriority = 0x4f;
  assert.equal(apic.pendingVector(), 0x5f);
});

test('vectors below 16 do not exist', () => {
  const apic = new VirtualApic();
  for (let vector = 0; vector < 16; vector++) apic.post(vector);
  assert.equal(apic.requestingVector, 0);
  assert.ok(apic.requested.every((word) => word === 0));
});

test('every posted vector is delivered once, however often it is posted, highest first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 16, max: 255 })), (vectors) => {
      const apic = new VirtualApic();
      for (const vector of vectors) apic.post(vector);
      const delivered: number[] = [];
      while (apic.hasPending) {
        delivered.push(apic.acknowledge());
        apic.endOfInterrupt();
      }
      assert.equal(apic.acknowledge(), -1);
      assert.deepEqual(
        delivered,
        [...new Set(vectors)].sort((a, b) => b - a),
      );
    }),
    { numRuns: 50 },
  );
});

test('x2APIC registers: what can be read and written', () => {
  const apic = new VirtualApic();
  assert.equal(apic.writeRegister(X2Apic.Tpr, 0x20, 0), true);
  assert.equal(apic.readRegister(X2Apic.Tpr), 0x20);
  assert.equal(apic.writeRegister(X2Apic.Tpr, 0x100, 0), false);
  assert.equal(apic.writeRegister(X2Apic.SelfIpi, 0x61, 0), true);
  assert.equal(apic.readRegister(X2Apic.Irr + 3), 2);
  assert.equal(apic.readRegister(X2Apic.SelfIpi), undefined);
  assert.equal(apic.acknowledge(), 0x61);
  assert.equal(apic.readRegister(X2Apic.Isr + 3), 2);
  assert.equal(apic.readRegister(X2Apic.Ppr), 0x60);
  assert.equal(apic.writeRegister(X2Apic.Eoi, 1, 0), false);
  assert.equal(apic.writeRegister(X2Apic.Eoi, 0, 0), true);
  assert.equal(apic.servicingVector, 0);
  for (const register of [X2Apic.Ppr, X2Apic.Isr, X2Apic.Tmr + 7, X2Apic.Irr])
    assert.equal(apic.writeRegister(register, 0, 0), false);
  assert.equal(apic.readRegister(X2Apic.Eoi), undefined);
  for (const msr of [0x807, 0x809, 0x80c, 0x80f, 0x828, 0x830, 0x840]) assert.equal(VirtualApic.isRegister(msr), false);
});
