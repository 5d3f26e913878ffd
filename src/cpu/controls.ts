/** What leaves the guest and what runs natively: the execution controls of one processor (a VMCS in miniature). */
export class Controls {
  /** MSRs that RDMSR/WRMSR access natively; all others exit (the MSR bitmaps). */
  nativeMsrReads: ReadonlySet<number> = new Set();
  nativeMsrWrites: ReadonlySet<number> = new Set();
  /** CR0/CR4 guest-host masks: bits owned by the host read from the shadow, and a write that differs from the shadow exits (reason 28). */
  cr0HostMask = 0;
  cr0ReadShadow = 0;
  cr4HostMask = 0;
  cr4ReadShadow = 0;
  /** CR4 bits that exist at all on this processor; setting another is #GP. */
  cr4Supported = 0;
  /** IA32_SPEC_CTRL bits that exist on this processor; setting another is #GP. */
  specCtrlSupported = 0;
  /** bit of a guest physical address that selects the shared half, as a power of two (0: none); it is part of the address given to the second level */
  physicalAddressBits = 52;
  /** guest physical address width enforced on page-table entries (reserved-bit #PF above it) */
  guestPhysicalAddressBits = 52;
  /** TDCALL exits with reason 77; otherwise it is #UD */
  tdcallExits = false;
  /** x2APIC registers are virtualised on the virtual-APIC page; posted interrupts are delivered by the processor */
  virtualApic = false;
}
