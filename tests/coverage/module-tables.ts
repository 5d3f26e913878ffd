/**
 * What there is to cover, whether we have it or not. Leaves of the 1.5 module are in `src/abi`; here is what no table of ours needs to
 * know. Source: TDX module 1.5.01, msr_config_lookup.c, cpuid_configurations.c; TDX Module 2.0 ABI Definition.
 */

/** Every entry of the module's table of MSRs: a register, or a range of them, in hexadecimal. */
export const MODULE_MSRS: readonly (readonly [first: number, last: number])[] = `
10 48 49 87 8c-8f 98 99 9a 9b 9e bc bd c1-c8 e1 10a 10b 122 174 175 176 186-18d 195 1a0 1a6-1a7 1c4 1c5 1d9 1f8 1f9 1fa
276 277 309-310 329 345 38d 38e 38f 390 391 392 3f1 3f2 3f6 3f7 480 481 482 483 484 485 486 487 488 489 48a 48b 48c 48d
48e 48f 490 491 492 4c1-4c8 500 560 561 570 571 572 580 581 582 583 584 585 586 587 600 6a0 6a2 6a4 6a5 6a6 6a7 6a8 6e0
6e1 800-801 804-807 808 809 80a 80b 80c 80e 810-817 818-81f 820-827 829-82e 831 83f 840-87f 880-8bf 8c0-8ff 981 982 983
984 985 986 987 988 989 98a c80 d90 d93 da0 1200-12ff 14ce 14cf 1500-15ff 1600-16ff 1b01 c0000080 c0000081 c0000082
c0000084 c0000100 c0000101 c0000102 c0000103
`
  .trim()
  .split(/\s+/)
  .map((range) => {
    const [first, last = first] = range.split('-').map((text) => Number.parseInt(text, 16));
    return [first!, last!];
  });

/** Entries of the module's table of CPUID leaves. */
export const MODULE_CPUID_ENTRIES = 64;

/** TDCALL leaves that public sources name and module 1.5 does not have. */
export const LATER_TDCALLS: readonly (readonly [leaf: number, name: string])[] = [
  [29, 'TDG.MR.KEY.GET'],
  [30, 'TDG.MEM.PAGE.RELEASE'],
  [33, 'TDG.SERVTD.REBIND.APPROVE'],
  [64, 'TDG.SPDM.TPA.SET'],
  [65, 'TDG.SPDM.TPA.GET'],
  [66, 'TDG.DEVIF.VALIDATE'],
  [67, 'TDG.DEVIF.RD'],
  [68, 'TDG.DEVIF.REQUEST'],
  [69, 'TDG.DEVIF.RESPONSE'],
  [70, 'TDG.DMAR.ACCEPT'],
  [71, 'TDG.MMIO.ACCEPT'],
  [72, 'TDG.IQ.INV.REQUEST'],
];

/** The same of SEAMCALL; leaves 128 to 166 (TDX Connect) have no public names that we know of. */
export const LATER_SEAMCALLS: readonly (readonly [leaf: number, name: string])[] = [
  [58, 'TDH.PHYMEM.PAMT.ADD'],
  [59, 'TDH.PHYMEM.PAMT.REMOVE'],
];
