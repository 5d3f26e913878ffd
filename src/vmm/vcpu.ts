/** One vCPU as the host sees it: a TDVPR page, the registers a TD lets it see, half a local APIC. */
import { RegisterFile } from '../abi/index.ts';
import type { StateVisitor } from '../bits/index.ts';
import { HostMsrs } from './msrs.ts';
import type { TdHost } from './td-host.ts';
import type { Tdvmcall } from './tdvmcall/tdvmcall.ts';
import type { X2Apic } from './x2apic.ts';

export class Vcpu {
  readonly index: number;
  readonly tdvprHpa: number;
  readonly apic: X2Apic;
  /** what TDH.VP.ENTER left, and takes at the next entry */
  readonly registers = new RegisterFile();

  /** MSRs that the host keeps beside the local APIC's */
  readonly msrs: HostMsrs;
  /** the call that the vCPU is making */
  readonly tdvmcall: Tdvmcall;

  /** waits in Instruction.HLT */
  halted = false;
  /** ... with its interrupts blocked: only an NMI wakes it */
  haltedInterruptsBlocked = false;
  /** a vector was posted since the last entry, so the virtual APIC does not have it yet */
  posted = false;
  /** of SetupEventNotifyInterrupt; 0: none */
  eventNotifyVector = 0;

  visitState(state: StateVisitor): void {
    state.fields('vcpu', this, ['index', 'tdvprHpa', 'apic', 'registers', 'tdvmcall', 'msrs']);
    state.array('registers', this.registers.u64);
    state.array('xmm', this.registers.xmm);
    state.part('apic', this.apic);
    state.part('msrs', this.msrs);
  }

  constructor(td: TdHost, index: number, tdvprHpa: number, apic: X2Apic) {
    this.msrs = new HostMsrs(td.profile.msrs, index);
    this.tdvmcall = { td, vcpu: this, registers: this.registers, leaf: 0 };
    this.index = index;
    this.tdvprHpa = tdvprHpa;
    this.apic = apic;
  }
}
