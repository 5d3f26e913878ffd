/** Cloud Hypervisor on KVM. */
import { TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { KVM_REFUSED, kvmProfile } from './kvm.ts';

const SOURCE = 'Cloud Hypervisor 48, vmm/src/cpu.rs, VmExit::Tdx';

export const CLOUD_HYPERVISOR = kvmProfile({
  name: 'cloud-hypervisor',
  description: 'Cloud Hypervisor on KVM',
  refused: new Map([
    ...KVM_REFUSED,
    [TdvmcallLeaf.GET_QUOTE, TdvmcallStatus.INVALID_OPERAND],
    [TdvmcallLeaf.SETUP_EVENT_NOTIFY_INTERRUPT, TdvmcallStatus.INVALID_OPERAND],
  ]),
  callInfo: undefined,
  touch: { asPrivate: 'ends', asShared: 'ends' },
  fatalErrorReservedBits: 0n,
  machineCheck: 0x20n,
  differences: [
    { what: 'GetQuote and SetupEventNotifyInterrupt are refused with INVALID_OPERAND', source: SOURCE },
    { what: 'GetTdVmCallInfo knows leaf 0 only', source: SOURCE },
    {
      what: 'using a page in its other half without a MapGPA ends the run',
      source: 'Cloud Hypervisor 48, hypervisor/src/kvm/mod.rs: KVM_EXIT_MEMORY_FAULT is served for SEV-SNP only',
    },
    {
      what: '32 machine-check banks without a control register',
      source: 'Linux 6.16, arch/x86/kvm/x86.c, KVM_MAX_MCE_BANKS: nobody calls KVM_X86_SETUP_MCE',
    },
  ],
});
