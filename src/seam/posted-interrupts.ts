/** Posted interrupts: the only way in for a host. Source: SDM vol. 3, "Posted-Interrupt Processing". */
import type { Vcpu } from './structures/vcpu.ts';

/** Sets a bit in the vCPU's descriptor; vectors that cannot be interrupts are ignored. */
export function postVector(vcpu: Vcpu, vector: number): void {
  if (vector < 16 || vector > 255) return;
  vcpu.posted[vector >> 5] = vcpu.posted[vector >> 5]! | (1 << (vector & 31));
  vcpu.hasPosted = true;
}

/** Moves the descriptor's requests to the virtual APIC. */
export function mergePosted(vcpu: Vcpu): void {
  if (!vcpu.hasPosted) return;
  const { posted } = vcpu;
  for (let word = 0; word < posted.length; word++) {
    for (let rest = posted[word]!; rest !== 0; rest &= rest - 1)
      vcpu.cpu.apic.post(word * 32 + 31 - Math.clz32(rest & -rest));
    posted[word] = 0;
  }
  vcpu.hasPosted = false;
}

/** VMXIP: is there a request, posted or in the virtual APIC, whose class is above the processor's priority? RFLAGS.IF does not matter. */
export function hasDeliverableInterrupt(vcpu: Vcpu): boolean {
  const { apic } = vcpu.cpu;
  if (apic.hasPending) return true;
  if (!vcpu.hasPosted) return false;
  let highest = 0;
  for (let word = 0; word < 8; word++)
    if (vcpu.posted[word] !== 0) highest = word * 32 + 31 - Math.clz32(vcpu.posted[word]!);
  return highest >> 4 > apic.processorPriority >> 4;
}
