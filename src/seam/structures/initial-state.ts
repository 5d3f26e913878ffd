/** The state a vCPU starts in. Source: TDX Module 1.5 Base Architecture, "Initial State of the Guest VCPU"; ABI Definition, "TDH.VP.INIT Leaf". */
import { Gpr } from '../../abi/index.ts';
import { type LogicalProcessor, S } from '../../cpu/index.ts';
import { ownedMask, readShadow } from '../virt/control-register-rows.ts';
import type { TdConfiguration } from './td.ts';
import type { Vcpu } from './vcpu.ts';

const RESET_RIP = 0xffff_fff0;
/** PE, ET, NE */
const CR0_INITIAL = 0x31;
/** MCE, and VMXE, which the guest never sees */
const CR4_INITIAL = 0x2040;
/** SCE, LME, NXE */
const EFER_INITIAL = 0x901;
const FMASK_INITIAL = 0x2_0200;
const DR6_INITIAL = 0xffff_0ff0;
const DR7_INITIAL = 0x400;
const PAT_INITIAL = 0x0007_0406;
const MXCSR_INITIAL = 0x1f80;
const FCW_INITIAL = 0x37f;
const RFLAGS_INITIAL = 2;

/** Access rights in VMX format: flat 32-bit code and data, present, accessed. */
const CODE_RIGHTS = 0xc09b;
const DATA_RIGHTS = 0xc093;
const LDTR_RIGHTS = 0x1_0082;
const TR_RIGHTS = 0x8b;
const FLAT_LIMIT = 0xffff_ffff;
const SYSTEM_LIMIT = 0xffff;
const CS_INDEX = 1;
const SEGMENTS = 6;

/** Writes the initial registers and the execution controls of a fresh processor. `rcx` comes from the host. */
export function initializeProcessor(
  cpu: LogicalProcessor,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  rcxLow: number,
  rcxHigh: number,
): void {
  setControls(cpu, configuration);
  const { state } = cpu;
  const gpr = (register: Gpr, low: number, high = 0) => state.set(S.gpr + register * 8, low, high);
  gpr(Gpr.RBX, configuration.gpaw);
  gpr(Gpr.RCX, rcxLow, rcxHigh);
  gpr(Gpr.R8, rcxLow, rcxHigh);
  gpr(Gpr.RDX, configuration.cpuid.nativeFamilyModelStepping);
  gpr(Gpr.RSI, vcpu.index);
  state.set(S.rip, RESET_RIP, 0);
  state.set(S.cr0, CR0_INITIAL, 0);
  state.set(S.cr4, CR4_INITIAL, 0);
  state.set(S.efer, EFER_INITIAL, 0);
  for (let segment = 0; segment < SEGMENTS; segment++) {
    state.setLow(S.segmentRights + segment * 4, segment === CS_INDEX ? CODE_RIGHTS : DATA_RIGHTS);
    state.setLow(S.segmentLimit + segment * 4, FLAT_LIMIT);
  }
  state.setLow(S.ldtrRights, LDTR_RIGHTS);
  state.setLow(S.ldtrLimit, SYSTEM_LIMIT);
  state.setLow(S.trRights, TR_RIGHTS);
  state.setLow(S.trLimit, SYSTEM_LIMIT);
  state.setLow(S.gdtrLimit, SYSTEM_LIMIT);
  state.setLow(S.idtrLimit, 0);
  state.set(S.dr6, DR6_INITIAL, 0);
  state.set(S.dr7, DR7_INITIAL, 0);
  state.set(S.xcr0, 1, 0);
  state.set(S.pat, PAT_INITIAL, PAT_INITIAL);
  state.set(S.fmask, FMASK_INITIAL, 0);
  state.setLow(S.mxcsr, MXCSR_INITIAL);
  state.setLow(S.fpuControl, FCW_INITIAL);
  cpu.writeRflags(RFLAGS_INITIAL);
  cpu.modeChanged();
}

function setControls(cpu: LogicalProcessor, { gpaw, secondLevel, msrs, cpuid }: TdConfiguration): void {
  const { controls } = cpu;
  controls.nativeMsrReads = msrs.nativeReads;
  controls.nativeMsrWrites = msrs.nativeWrites;
  controls.cr0HostMask = ownedMask('CR0');
  controls.cr0ReadShadow = readShadow('CR0');
  controls.cr4HostMask = ownedMask('CR4');
  controls.cr4ReadShadow = readShadow('CR4');
  controls.cr4Supported = cpuid.supportedCr4;
  controls.specCtrlSupported = cpuid.supportedSpecCtrl;
  controls.guestPhysicalAddressBits = gpaw;
  controls.tdcallExits = true;
  controls.virtualApic = true;
  cpu.secondLevel = secondLevel;
}
