/** The virtualised local APIC: the registers that the processor serves by itself (SDM vol. 3, "APIC Virtualization and Virtual Interrupts"). */

/** The highest vector set in a 256-bit register of eight words, or -1. */
function highestVector(words: Uint32Array): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[i]!;
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}

/** x2APIC MSR numbers the virtual APIC answers. */
export const X2Apic = {
  Tpr: 0x808,
  Ppr: 0x80a,
  Eoi: 0x80b,
  Isr: 0x810,
  Tmr: 0x818,
  Irr: 0x820,
  SelfIpi: 0x83f,
} as const;

export class VirtualApic {
  /** task priority, 0-255; CR8 is its upper four bits */
  taskPriority = 0;
  /** interrupts requested, in service, and level-triggered: 256 bits each, vector n in word n >> 5 */
  readonly requested = new Uint32Array(8);
  readonly inService = new Uint32Array(8);
  readonly levelTriggered = new Uint32Array(8);
  /** vectors that are requested */
  requestCount = 0;

  /** Requests an interrupt (vectors below 16 are illegal and ignored, as the APIC does). */
  post(vector: number): void {
    const bit = 1 << (vector & 31);
    if (vector < 16 || vector > 255 || (this.requested[vector >> 5]! & bit) !== 0) return;
    this.requested[vector >> 5] = this.requested[vector >> 5]! | bit;
    this.requestCount++;
  }

  /** The higher of the task's priority and the class of the interrupt in service. */
  get processorPriority(): number {
    const service = Math.max(0, highestVector(this.inService));
    return this.taskPriority >> 4 >= service >> 4 ? this.taskPriority : service & 0xf0;
  }

  /** The vector that may be delivered now, IF apart, or -1. */
  pendingVector(): number {
    const vector = highestVector(this.requested);
    return vector >= 0 && vector >> 4 > this.processorPriority >> 4 ? vector : -1;
  }

  /** Asked each time that the processor looks up from its work: nearly always nothing is requested. */
  get hasPending(): boolean {
    return this.requestCount !== 0 && this.pendingVector() >= 0;
  }

  /** Moves the pending vector from requested to in service and returns it; -1 if none may be delivered. */
  acknowledge(): number {
    const vector = this.pendingVector();
    if (vector < 0) return -1;
    const bit = 1 << (vector & 31);
    this.requested[vector >> 5] = this.requested[vector >> 5]! & ~bit;
    this.requestCount--;
    this.inService[vector >> 5] = this.inService[vector >> 5]! | bit;
    return vector;
  }

  /** Ends the highest interrupt in service; returns its vector, -1 if there was none. */
  endOfInterrupt(): number {
    const vector = highestVector(this.inService);
    if (vector >= 0) this.inService[vector >> 5] = this.inService[vector >> 5]! & ~(1 << (vector & 31));
    return vector;
  }

  /** Requesting virtual interrupt (RVI) and servicing virtual interrupt (SVI) as the guest interrupt status has them. */
  get requestingVector(): number {
    return Math.max(0, highestVector(this.requested));
  }

  get servicingVector(): number {
    return Math.max(0, highestVector(this.inService));
  }

  /** Is this MSR one that the virtual APIC answers? */
  static isRegister(msr: number): boolean {
    return (
      msr === X2Apic.Tpr ||
      msr === X2Apic.Ppr ||
      msr === X2Apic.Eoi ||
      msr === X2Apic.SelfIpi ||
      (msr >= X2Apic.Isr && msr < X2Apic.Irr + 8)
    );
  }

  /** Low half of a register (the high half is 0); undefined: cannot be read (#GP). */
  readRegister(msr: number): number | undefined {
    if (msr === X2Apic.Tpr) return this.taskPriority;
    if (msr === X2Apic.Ppr) return this.processorPriority;
    if (msr >= X2Apic.Irr) return this.requested[msr - X2Apic.Irr];
    if (msr >= X2Apic.Tmr) return this.levelTriggered[msr - X2Apic.Tmr];
    if (msr >= X2Apic.Isr) return this.inService[msr - X2Apic.Isr];
    return undefined;
  }

  /** Returns false if the register or the value does not allow it (#GP). */
  writeRegister(msr: number, low: number, high: number): boolean {
    if (high !== 0 || low >>> 8 !== 0) return false;
    if (msr === X2Apic.Tpr) this.taskPriority = low;
    else if (msr === X2Apic.SelfIpi) this.post(low);
    else if (msr === X2Apic.Eoi && low === 0) this.endOfInterrupt();
    else return false;
    return true;
  }
}
