/** A TD as its host holds it: vCPUs, memory, address spaces, and whether it still runs. */
import { type Gpaw, Gpr, MetadataField, TdhLeaf } from '../abi/index.ts';
import { SnapshotError, type StateVisitor } from '../bits/index.ts';
import type { Bus, InterruptMessage } from '../devices/index.ts';
import type { Clock } from '../time/index.ts';
import { isFinal, type TdEnd } from './end.ts';
import type { VmmHooks } from './hooks.ts';
import type { GpaRange, PrivateMemory } from './private-memory.ts';
import type { HostProfile } from './profiles/host-profile.ts';
import type { QuotingService } from './quoting/quoting-service.ts';
import type { Seamcalls } from './seamcalls.ts';
import type { SharedMemory } from './shared-memory.ts';
import { type Services, servicesOf } from './tdvmcall/index.ts';
import type { Vcpu } from './vcpu.ts';
import type { ApicMessage } from './x2apic.ts';

/** What the host attaches to a TD. Addresses have no shared bit. */
export interface TdAttachments {
  readonly clock: Clock;
  readonly ports: Bus;
  readonly mmio: Bus;
  readonly hooks: VmmHooks;
  /** which host this is */
  readonly profile: HostProfile;
  /** bytes of one MapGPA after which the guest is told to ask again, whatever the profile says; Infinity: as it says */
  readonly mapGpaChunkBytes: number;
  /** draws how many ticks the next turn of a vCPU lasts when others could run: all that is random about the schedule */
  readonly turnTicks: () => number;
  /** who answers GetQuote; left out: this host has no quoting service, and says so */
  readonly quoting?: QuotingService;
}

/** What a host has to know of a TD to have it in hand. */
export interface TdIdentity {
  readonly tdrHpa: number;
  /** clock at TDH.MNG.INIT: the TD's TSC is 0 there */
  readonly tscOriginTicks: number;
  /** guest addresses that are RAM */
  readonly ram: readonly GpaRange[];
  /** of its vCPUs, in order */
  readonly tdvprHpas: readonly number[];
}

export interface GpaSpan {
  readonly startGpa: number;
  readonly endGpa: number;
}

/** bit 0 of VCPU_STATE_DETAILS */
const VMXIP = 1n;

export class TdHost {
  readonly tdrHpa: number;
  readonly gpaw: Gpaw;
  /** clock at TDH.MNG.INIT: the TD's TSC is 0 there */
  readonly tscOriginTicks: number;
  readonly seamcalls: Seamcalls;
  readonly privateMemory: PrivateMemory;
  readonly sharedMemory: SharedMemory;
  readonly clock: Clock;
  readonly ports: Bus;
  readonly mmio: Bus;
  readonly hooks: VmmHooks;
  readonly profile: HostProfile;
  readonly services: Services;
  readonly mapGpaChunkBytes: number;
  readonly turnTicks: () => number;
  readonly quoting: QuotingService | undefined;
  /** requests that wait for the quoting service */
  quotesInFlight = 0;
  /** shared buffers of requests in flight, addresses without shared bit */
  readonly buffersInUse = new Set<GpaSpan>();
  readonly vcpus: Vcpu[] = [];
  /** the vCPU that runs now (-1 before the first), and the tick at which others get their turn */
  readonly turn = { vcpu: -1, endTicks: 0 };
  /** who asked last to be told of finished requests */
  notifyVcpu: Vcpu | undefined;
  #end: TdEnd | undefined;

  constructor(
    tdrHpa: number,
    gpaw: Gpaw,
    tscOriginTicks: number,
    seamcalls: Seamcalls,
    privateMemory: PrivateMemory,
    sharedMemory: SharedMemory,
    attachments: TdAttachments,
  ) {
    this.tdrHpa = tdrHpa;
    this.gpaw = gpaw;
    this.tscOriginTicks = tscOriginTicks;
    this.seamcalls = seamcalls;
    this.privateMemory = privateMemory;
    this.sharedMemory = sharedMemory;
    this.clock = attachments.clock;
    this.ports = attachments.ports;
    this.mmio = attachments.mmio;
    this.hooks = attachments.hooks;
    this.profile = attachments.profile;
    this.services = servicesOf(attachments.profile);
    this.mapGpaChunkBytes = attachments.mapGpaChunkBytes;
    this.turnTicks = attachments.turnTicks;
    this.quoting = attachments.quoting;
  }

  get identity(): TdIdentity {
    const { tdrHpa, tscOriginTicks, privateMemory, vcpus } = this;
    return { tdrHpa, tscOriginTicks, ram: privateMemory.ram, tdvprHpas: vcpus.map(({ tdvprHpa }) => tdvprHpa) };
  }

  /** Alarms that it has set and sets again when it is restored. */
  get alarmCount(): number {
    return this.vcpus.filter(({ apic }) => apic.hasAlarm).length;
  }

  /** Throws a SnapshotError when the TD has ended. */
  visitState(state: StateVisitor): void {
    if (!state.restoring && !this.resume()) throw new SnapshotError('the TD has ended');
    this.#end = undefined;
    state.fields('turn', this.turn);
    this.quotesInFlight = state.number('quotesInFlight', this.quotesInFlight);
    if (state.restoring) this.buffersInUse.clear(); // nothing is kept while a request is in flight
    this.notifyVcpu = this.vcpus[state.number('notifyVcpu', this.notifyVcpu?.index ?? -1)];
    state.part('privateMemory', this.privateMemory);
    state.part('sharedEpt', this.sharedMemory.ept);
    state.list('vcpus', this.vcpus.length, (item, index) => this.vcpus[index]!.visitState(item));
  }

  /** Set when the run is to end; the first cause counts. */
  get end(): TdEnd | undefined {
    return this.#end;
  }

  /** Ends the run before the next entry. */
  stop(end: TdEnd): void {
    this.#end ??= end;
  }

  /** Takes back an end after which the TD can go on; returns false after a final one. */
  resume(): boolean {
    if (this.#end !== undefined && isFinal(this.#end)) return false;
    this.#end = undefined;
    return true;
  }

  /** Requests an interrupt of a vCPU; a halted one wakes, deliverable or not. */
  post(vcpu: Vcpu, vector: number): void {
    if (this.hooks.postInterrupt?.(vcpu, vector) === false) return;
    this.seamcalls.door.postInterrupt(vcpu.tdvprHpa, vector);
    vcpu.posted = true;
    if (!vcpu.haltedInterruptsBlocked) vcpu.halted = false;
  }

  postNmi(vcpu: Vcpu): void {
    this.seamcalls.call(TdhLeaf.VP_WR, { rcx: vcpu.tdvprHpa, rdx: MetadataField.PEND_NMI, r8: 1, r9: 1 });
    vcpu.halted = vcpu.haltedInterruptsBlocked = false;
  }

  /** Carries an interrupt command or an I/O APIC's message to every APIC it is addressed to. */
  send(message: ApicMessage, except?: Vcpu): void {
    for (const vcpu of this.vcpus)
      if (vcpu !== except && vcpu.apic.matches(message)) vcpu.apic.accept(message.vector, message.deliveryMode);
  }

  /** An I/O APIC has eight bits of destination; all ones mean everyone. */
  deliver(message: InterruptMessage): void {
    this.send({ ...message, destination: message.destination === 0xff ? 0xffff_ffff : message.destination });
  }

  /** Is an interrupt waiting in the virtual APIC whose priority would allow it, whatever RFLAGS.IF says? */
  hasPendingInterrupt(vcpu: Vcpu): boolean {
    if (vcpu.posted) return true;
    const operands = { rcx: vcpu.tdvprHpa, rdx: MetadataField.VCPU_STATE_DETAILS };
    const registers = this.seamcalls.call(TdhLeaf.VP_RD, operands);
    return (registers.u64[Gpr.R8]! & VMXIP) !== 0n;
  }
}
