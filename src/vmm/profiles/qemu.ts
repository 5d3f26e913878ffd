/** QEMU on KVM. */
import { KVM_REFUSED, kvmProfile } from './kvm.ts';

const QEMU_SOURCE = 'QEMU 10.1, target/i386/kvm/tdx.c';
const SETUP_EVENT_NOTIFY_INTERRUPT = 1n << 1n;

export const QEMU = kvmProfile({
  name: 'qemu',
  description: 'QEMU on KVM',
  refused: new Map(KVM_REFUSED),
  callInfo: { r11: SETUP_EVENT_NOTIFY_INTERRUPT, r12: 0n },
  touch: { asPrivate: 'converts', asShared: 'converts' },
  fatalErrorReservedBits: 0xffffn,
  machineCheck: 0x0100_010an,
  differences: [
    {
      what: 'GetTdVmCallInfo, leaf 1, names SetupEventNotifyInterrupt (R11 bit 1)',
      source: `${QEMU_SOURCE}, tdx_handle_get_tdvmcall_info`,
    },
    {
      what: 'using a page in its other half converts it, without a MapGPA; its content is lost',
      source: 'Linux 6.16, KVM_EXIT_MEMORY_FAULT; QEMU 10.1, accel/kvm/kvm-all.c, kvm_convert_memory',
    },
    {
      what: 'ReportFatalError with a code that is not 0 in bits 15:0 is malformed: its text is not looked at',
      source: `${QEMU_SOURCE}, tdx_handle_report_fatal_error`,
    },
    { what: 'ten machine-check banks', source: 'QEMU 10.1, target/i386/kvm/kvm.c, MCE_BANKS_DEF' },
  ],
});
